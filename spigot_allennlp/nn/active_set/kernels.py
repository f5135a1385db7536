"""
One step of the active set method, as machine code: see `active_set.py`.

The *slopes* of a corral are the products of its vertices with the residual, point minus mean. As
long as they differ, weights can be moved from vertices of small slope to those of large slope.
"""

import numpy

from spigot_allennlp.nn.active_set.corral import enter, leave, total_at
from spigot_allennlp.nn.active_set.factor import solve, solve_transposed
from spigot_allennlp.nn.compilation import entry, kernel


@entry
def most_parts(vertices):
    """The largest number of parts of a vertex."""
    most = 0
    for row in range(len(vertices)):
        most = max(most, int(numpy.count_nonzero(vertices[row])))
    return most


@entry
def advance(members, vertices, most_steps, corrals):
    """
    Measures the gap of each of `members`, to which the row of `vertices` with the best product
    with its residual was found, and unless it is small enough, or there were `most_steps`, makes a
    step.
    """
    slopes, shift, ones = numpy.empty((3, corrals.weights.shape[1]))
    room, marks = numpy.empty(vertices.shape[1], numpy.int32), numpy.zeros(vertices.shape[1])
    for row in range(len(members)):
        member = members[row]
        best = list_parts(vertices[row], room)
        mean = find_slopes(corrals, member, slopes)
        gap = total_at(corrals.residual[member], best) - mean
        corrals.gap[member] = max(gap, 0.0) if corrals.limit[member] >= 0 else numpy.nan
        corrals.done[member] = True
        if gap > corrals.limit[member] and corrals.steps[member] < most_steps:
            entered = enter(corrals, member, best, shift, marks)
            if entered:
                slopes[corrals.used[member] - 1] = gap + mean
            # rounding may bring a vertex back, once, after which the weights are better
            if entered or not corrals.stalled[member]:
                for place in range(corrals.used[member]):
                    slopes[place] -= mean
                progress = descend(corrals, member, slopes, shift, ones)
                corrals.done[member] = corrals.stalled[member] and not progress
                corrals.stalled[member] = not (entered and progress)
                corrals.steps[member] += 1
                settle(corrals, member)


@kernel
def list_parts(vertex, room):
    """The parts of `vertex`, in `room`."""
    count = 0
    for part in range(len(vertex)):
        room[count] = part
        count += vertex[part] != 0
    return room[:count]


@kernel
def find_slopes(corrals, member, slopes):
    """Writes the slopes; their weighted mean."""
    mean = 0.0
    for place in range(corrals.used[member]):
        parts = corrals.parts[member, place, : corrals.sizes[member, place]]
        slopes[place] = total_at(corrals.residual[member], parts)
        mean += corrals.weights[member, place] * slopes[place]
    return mean


@kernel
def descend(corrals, member, slopes, shift, ones):
    """
    Moves the weights to where the mean is nearest to the point, or on the way there to where the
    first weight vanishes, whose vertex then leaves, and so on. Whether anything moved.
    """
    weights, progress = corrals.weights[member], False
    while True:
        count = corrals.used[member]
        find_shift(corrals.factor[member], count, slopes, shift, ones)
        length, leaving = 1.0, -1
        for place in range(count):
            if shift[place] < 0 and weights[place] + shift[place] <= 0:
                until = weights[place] / -shift[place]
                if until < length or leaving < 0:
                    length, leaving = until, place
        for place in range(count):
            weights[place] = max(weights[place] + length * shift[place], 0.0)
            slopes[place] *= 1 - length
        progress = progress or length > 0
        if leaving < 0:
            return progress
        leave(corrals, member, leaving, slopes)


@kernel
def find_shift(factor, count, slopes, shift, ones):
    """
    Writes into `shift` the change of weights, summing to zero, after which all slopes are equal:
    `gram @ shift = slopes - constant`. `ones` is room to work in.
    """
    for place in range(count):
        shift[place], ones[place] = slopes[place], 1.0
    solve_transposed(factor, count, shift)
    solve_transposed(factor, count, ones)
    both, one = 0.0, 0.0
    for place in range(count):
        both += ones[place] * shift[place]
        one += ones[place] ** 2
    for place in range(count):
        shift[place] -= both / one * ones[place]
    solve(factor, count, shift)


@kernel
def settle(corrals, member):
    """Lets the weights sum to one, and computes what follows from them."""
    count, weights, moved = corrals.used[member], corrals.weights[member], corrals.moved[member]
    # the first vertex moves nothing; its weight may not differ from one though others have some
    first = 1 if corrals.home[member] else 0
    total, away = 0.0, 0.0
    for place in range(count):
        total += weights[place]
    for place in range(count):
        weights[place] /= total
        away += weights[place] if place >= first else 0.0
    for part in range(len(moved)):
        moved[part] = -away * corrals.start[member, part]
    for place in range(first, count):
        for part in corrals.parts[member, place, : corrals.sizes[member, place]]:
            moved[part] += weights[place]
    for part in range(len(moved)):
        corrals.residual[member, part] = corrals.aim[member, part] - moved[part]
