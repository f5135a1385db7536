"""
The sum over all dependency trees, whether their arcs cross or not, and the marginals of their arcs:
an elimination without a subtraction, for numbers of any kind (see `nn/semirings/numbers.py`).

Let a walk step from a token to a head, with a probability in proportion to the arc's weight, until
it reaches the root. To take a token out of the walk is to give what leads to it to where it leads:
`weight[i, j] += weight[i, gone] * weight[gone, j] / pivot`, where `pivot` is the sum of the weights
that lead away from `gone`. The product of all pivots is the sum over all trees of the product of
their arcs' weights: the determinant of the Laplacian, whose diagonal is never written down. Nothing
is ever subtracted, so that every number is right to its last digits, however small
([Grassmann et al., 1985](https://doi.org/10.1287/opre.33.5.1107);
[Alfa et al., 2002](https://doi.org/10.1090/S0025-5718-01-01325-4)).

The marginal of an arc is in proportion to its weight times the probability that a walk *escapes*
from the head: that it reaches the root before it meets the dependent. This follows from an
elimination of all tokens but the dependent. Such an elimination for each of them costs no more than
a few for one: the tokens are halved, one half is taken out, then the other, each time for the sake
of those that are left, and so on with these.

Where the root takes exactly one dependent its arcs count as infinitely small. A pivot leaves them
out, and escapes are counted in that infinitely small unit, of which marginals, being quotients,
know nothing ([Koo et al., 2007](https://aclanthology.org/D07-1015) count the same trees).
"""

import numpy

from spigot_allennlp.nn.compilation import kernel
from spigot_allennlp.nn.semirings.numbers import load, store


@kernel
def expect(stages, walks, means, sums, first, zero, one):
    """
    # Parameters

    stages : charts
        `stages[0]` holds the weights of arcs, `[dependent, head]`; the others have the same shape,
        and are enough to halve the tokens until one is left.
    walks : chart
        To work in.
    means : chart
        Receives the marginals.
    sums : chart
        Receives, for every token, the product of the pivots of all others in `sums[0]`, and the
        total in `sums[1]`. `sums[2]` is to work in.
    first : `int`
        1 if the root takes exactly one dependent, else 0.
    zero, one : numbers
    """
    last = len(walks) - 1
    left = numpy.zeros((len(stages), 2), dtype=numpy.int64)  # the tokens `[from, to)` of each stage
    trail = numpy.zeros((last, 3), dtype=numpy.int64)  # who was taken out, and who was left then
    left[0, 0], left[0, 1] = 1, last + 1
    store(sums, 2, 0, one)
    for token in range(1, last + 1):
        stage = 0
        while stage + 1 < len(stages) and left[stage + 1, 0] <= token < left[stage + 1, 1]:
            stage += 1
        while left[stage, 1] - left[stage, 0] > 1:
            halve(stages, walks, sums, left, trail, stage, token, first, one)
            stage += 1
        store(sums, 0, token, load(sums, 2, stage, one))
        store(means, token, token, zero)
        while stage > 0 and token == left[stage, 1] - 1:
            look_back(walks, means, trail, left, stage, zero)
            stage -= 1
    for token in range(1, last + 1):
        total = weigh(stages[0], means, token, one)
        store(sums, 1, token, load(sums, 0, token, one) * total)


@kernel
def halve(stages, walks, sums, left, trail, stage, token, first, one):
    """Makes the next stage: takes out the half of the tokens to which `token` does not belong."""
    lower, upper = left[stage, 0], left[stage, 1]
    middle = (lower + upper) // 2
    keep_lower, keep_upper = (lower, middle) if token < middle else (middle, upper)
    left[stage + 1, 0], left[stage + 1, 1] = keep_lower, keep_upper
    copy(stages[stage], stages[stage + 1], lower, upper, one)
    chart, product = stages[stage + 1], load(sums, 2, stage, one)
    taken, end = len(trail) - (upper - lower), len(trail) - (keep_upper - keep_lower)
    while taken < end:
        gone, lower, upper = next_out(lower, upper, keep_upper)
        trail[taken, 0], trail[taken, 1], trail[taken, 2] = gone, lower, upper
        taken += 1
        product = product * leave(chart, walks, gone, lower, upper, first, one)
        if (end - taken) % 2 == 0:
            for dependent in range(lower, upper):
                pass_on(chart, walks, dependent, gone, lower, upper, one)
        else:
            second, lower, upper = next_out(lower, upper, keep_upper)
            trail[taken, 0], trail[taken, 1], trail[taken, 2] = second, lower, upper
            taken += 1
            pass_on(chart, walks, second, gone, lower, upper, one)
            product = product * leave(chart, walks, second, lower, upper, first, one)
            for dependent in range(lower, upper):
                pass_on_two(chart, walks, dependent, gone, second, lower, upper, one)
    store(sums, 2, stage + 1, product)


@kernel
def copy(source, target, lower, upper, like):
    """Copies the arcs among the tokens `[lower, upper)`, and those from the root to them."""
    for dependent in range(lower, upper):
        store(target, dependent, 0, load(source, dependent, 0, like))
        for head in range(lower, upper):
            store(target, dependent, head, load(source, dependent, head, like))


@kernel
def next_out(lower, upper, keep_upper):
    """Who of the tokens `[lower, upper)` is taken out next, and who is left then."""
    if upper > keep_upper:
        return upper - 1, lower, upper - 1
    return lower, lower + 1, upper


@kernel
def leave(chart, walks, gone, lower, upper, first, one):
    """Writes how probably a step from `gone` leads where, and returns the pivot."""
    to_root = load(chart, gone, 0, one)
    pivot = load(chart, gone, lower, one)
    for head in range(lower + 1, upper):
        pivot = pivot + load(chart, gone, head, one)
    if first == 0:
        pivot = pivot + to_root
    inverse = one / pivot
    store(walks, gone, 0, to_root * inverse)
    for head in range(lower, upper):
        store(walks, gone, head, load(chart, gone, head, one) * inverse)
    return pivot


@kernel
def pass_on(chart, walks, dependent, gone, lower, upper, one):
    """Gives what leads from `dependent` to `gone` to where that leads."""
    weight = load(chart, dependent, gone, one)
    through = weight * load(walks, gone, 0, one)
    store(chart, dependent, 0, load(chart, dependent, 0, one) + through)
    for head in range(lower, upper):
        through = weight * load(walks, gone, head, one)
        store(chart, dependent, head, load(chart, dependent, head, one) + through)


@kernel
def pass_on_two(chart, walks, dependent, gone, second, lower, upper, one):
    """The same for `gone` and then `second`, in one pass over the chart."""
    weight = load(chart, dependent, gone, one)
    other = load(chart, dependent, second, one) + weight * load(walks, gone, second, one)
    through = weight * load(walks, gone, 0, one) + other * load(walks, second, 0, one)
    store(chart, dependent, 0, load(chart, dependent, 0, one) + through)
    for head in range(lower, upper):
        through = weight * load(walks, gone, head, one) + other * load(walks, second, head, one)
        store(chart, dependent, head, load(chart, dependent, head, one) + through)


@kernel
def look_back(walks, escapes, trail, left, stage, zero):
    """
    For each token of this stage, how probably walks reach the root before it, from tokens that had
    been taken out to come here, those last that were first. Four tokens at a time share a load.
    """
    lower, upper = left[stage, 0], left[stage, 1]
    last, before = upper - 1, left[stage - 1, 1] - left[stage - 1, 0]
    for one in range(lower, upper, 4):
        two, three, four = min(one + 1, last), min(one + 2, last), min(one + 3, last)
        for taken in range(len(trail) - (upper - lower) - 1, len(trail) - before - 1, -1):
            gone, start, stop = trail[taken, 0], trail[taken, 1], trail[taken, 2]
            a = load(walks, gone, 0, zero)
            b, c, d = a, a, a
            for head in range(start, stop):
                step = load(walks, gone, head, zero)
                a = a + step * load(escapes, one, head, zero)
                b = b + step * load(escapes, two, head, zero)
                c = c + step * load(escapes, three, head, zero)
                d = d + step * load(escapes, four, head, zero)
            store(escapes, one, gone, a)
            store(escapes, two, gone, b)
            store(escapes, three, gone, c)
            store(escapes, four, gone, d)


@kernel
def weigh(weights, means, token, one):
    """Makes marginals of escapes, and returns the sum that they are divided by."""
    total = load(weights, token, 0, one)
    store(means, token, 0, total)
    for head in range(1, len(weights)):
        product = load(weights, token, head, one) * load(means, token, head, one)
        store(means, token, head, product)
        total = total + product
    inverse = one / total
    for head in range(len(weights)):
        store(means, token, head, load(means, token, head, one) * inverse)
    return total
