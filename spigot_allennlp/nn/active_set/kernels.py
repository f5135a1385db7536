"""
One iteration of the active set method, as machine code: see `active_set.py`.

The *slope* of a vertex is its inner product with the residual, target minus mean. As long as the
slopes in an active set differ, moving weight from vertices with a small slope to those with a large
slope brings the mean nearer to the target.
"""

from typing import NamedTuple

import numpy

from spigot_allennlp.nn.compilation import entry, kernel, reordered_kernel

# A row of the Gram matrix counts as a combination of earlier rows if projecting these out leaves no
# more than this share of its squared length.
DEPENDENT_SHARE = 1e-10

# After an iteration, the slopes of all vertices are equal up to rounding. Once in this many
# iterations, they are recomputed, and the weights are corrected.
SLOPES_EVERY = 16
# Slopes count as equal if they differ by no more than this share of the gap at which an instance is
# done.
NEGLIGIBLE_SHARE = 1e-3


class SearchState(NamedTuple):
    """
    The active sets of a batch: for each instance, the affinely independent vertices in use, with
    their weights (the *corrals* of [Wolfe, 1976](https://doi.org/10.1007/BF01580381)).

    The first dimension of every array is the instance. There is space for `capacity` vertices; the
    first `num_vertices` are in use.

    # Parameters

    start : `numpy.ndarray`
        Shape `(batch_size, num_parts)`: the vertex where the search starts.
    target_displacement, displacement, residual : `numpy.ndarray`
        Shape `(batch_size, num_parts)`: the target minus `start`, the mean of the vertices minus
        `start`, and the difference of the two. If the target is near `start`, they contain no
        numbers near one, so a small displacement keeps all its digits.
    parts : `numpy.ndarray`
        Shape `(batch_size, capacity, max_parts)`, uint32: the indices of each vertex's parts.
    part_counts : `numpy.ndarray`
        Shape `(batch_size, capacity)`: the number of each vertex's parts.
    weights : `numpy.ndarray`
        Shape `(batch_size, capacity)`: the positive weight of each vertex. They sum to one.
    factor : `numpy.ndarray`
        Shape `(batch_size, capacity, capacity)`: the upper triangular Cholesky factor of the
        vertices' Gram matrix, with one added to all entries.
    ones : `numpy.ndarray`
        Shape `(batch_size, capacity)`: the solution of `factor^T @ ones = 1`.
    gap_limit : `numpy.ndarray`
        Shape `(batch_size,)`: the gap at which an instance is done; NaN if the target is not
        finite.
    gap : `numpy.ndarray`
        Shape `(batch_size,)`: the gap of the last iteration.
    num_vertices, iterations : `numpy.ndarray`
        Shape `(batch_size,)`.
    contains_start : `numpy.ndarray`
        Shape `(batch_size,)`, bool: whether `start` has always been the first vertex.
    is_stalled : `numpy.ndarray`
        Shape `(batch_size,)`, bool: whether the last iteration added no vertex or moved no weight.
    is_done : `numpy.ndarray`
        Shape `(batch_size,)`, bool: whether no further iteration is needed.
    """

    start: numpy.ndarray
    target_displacement: numpy.ndarray
    displacement: numpy.ndarray
    residual: numpy.ndarray
    parts: numpy.ndarray
    part_counts: numpy.ndarray
    weights: numpy.ndarray
    factor: numpy.ndarray
    ones: numpy.ndarray
    gap_limit: numpy.ndarray
    gap: numpy.ndarray
    num_vertices: numpy.ndarray
    iterations: numpy.ndarray
    contains_start: numpy.ndarray
    is_stalled: numpy.ndarray
    is_done: numpy.ndarray


class Workspace(NamedTuple):
    """
    Scratch space for the kernels, for one instance at a time.

    # Parameters

    slopes : `numpy.ndarray`
        Shape `(capacity,)`: the slope of each vertex, minus their mean.
    weight_change : `numpy.ndarray`
        Shape `(capacity,)`.
    parts : `numpy.ndarray`
        Shape `(num_parts,)`, uint32: the parts of the vertex to be added.
    is_part : `numpy.ndarray`
        Shape `(num_parts,)`: all zero between calls.
    """

    slopes: numpy.ndarray
    weight_change: numpy.ndarray
    parts: numpy.ndarray
    is_part: numpy.ndarray


@entry
def advance(instances, best_vertices, max_iterations, state):
    """
    Runs one iteration for each of `instances`. The rows of `best_vertices` are their vertices of
    largest slope, in the same order. Computes the gap and, unless it is below the limit or
    `max_iterations` is reached, moves the mean nearer to the target.
    """
    slopes, weight_change = numpy.empty((2, state.weights.shape[1]))
    num_parts = best_vertices.shape[1]
    work = Workspace(
        slopes, weight_change, numpy.empty(num_parts, numpy.uint32), numpy.zeros(num_parts)
    )
    for row in range(len(instances)):
        instance = instances[row]
        best = list_parts(best_vertices[row], work.parts)
        mean_slope = slope_of_mean(state, instance)
        gap = sum_at(state.residual[instance], best) - mean_slope
        state.gap[instance] = max(gap, 0.0) if state.gap_limit[instance] >= 0 else numpy.nan
        state.is_done[instance] = True
        if gap > state.gap_limit[instance] and state.iterations[instance] < max_iterations:
            slopes[: state.num_vertices[instance]] = 0.0
            is_new = add_vertex(state, instance, best, work)
            # rounding may bring a vertex back once; after that, the weights are better
            if is_new or not state.is_stalled[instance]:
                if not is_new or state.iterations[instance] % SLOPES_EVERY == 0:
                    compute_slopes(state, instance, mean_slope, slopes)
                if is_new:
                    slopes[state.num_vertices[instance] - 1] = gap
                has_moved = optimise_weights(state, instance, work)
                state.is_done[instance] = state.is_stalled[instance] and not has_moved
                state.is_stalled[instance] = not (is_new and has_moved)
                state.iterations[instance] += 1
                update_mean(state, instance)


@entry
def max_part_count(vertices):
    """Returns the largest number of parts in a vertex, that is, in a row of `vertices`."""
    largest = 0
    for row in range(len(vertices)):
        largest = max(largest, int(numpy.count_nonzero(vertices[row])))
    return largest


@kernel
def list_parts(vertex, indices):
    """Writes the indices of the parts of `vertex` into `indices`, and returns them."""
    count = 0
    for part in range(len(vertex)):
        indices[count] = part
        count += vertex[part] != 0
    return indices[:count]


@kernel
def slope_of_mean(state, instance):
    """Returns the weighted mean of the slopes, which is the slope of the mean point."""
    residual = state.residual[instance]
    return dot(residual, state.start[instance]) + dot(residual, state.displacement[instance])


@kernel
def compute_slopes(state, instance, mean_slope, slopes):
    """Writes by how much the slopes of the vertices exceed their mean; zero if negligible."""
    negligible = NEGLIGIBLE_SHARE * state.gap_limit[instance]
    for vertex in range(state.num_vertices[instance]):
        parts = state.parts[instance, vertex, : state.part_counts[instance, vertex]]
        excess = sum_at(state.residual[instance], parts) - mean_slope
        slopes[vertex] = excess if abs(excess) > negligible else 0.0


@reordered_kernel
def sum_at(values, indices):
    """Returns the sum of `values` at `indices`."""
    total = 0.0
    for index in indices:
        total += values[index]
    return total


@kernel
def add_vertex(state, instance, parts, work):
    """
    Adds the vertex with these `parts`, with weight zero, unless it is an affine combination of the
    vertices in use. Returns whether it was added.
    """
    count = state.num_vertices[instance]
    gram_row = work.weight_change
    for part in parts:
        work.is_part[part] = 1.0
    for vertex in range(count):
        others = state.parts[instance, vertex, : state.part_counts[instance, vertex]]
        gram_row[vertex] = 1 + sum_at(work.is_part, others)
    gram_row[count] = 1 + len(parts)
    for part in parts:
        work.is_part[part] = 0.0
    is_new = append_row(state.factor[instance], count, gram_row)
    if is_new:
        for index in range(len(parts)):
            state.parts[instance, count, index] = parts[index]
        state.part_counts[instance, count] = len(parts)
        state.weights[instance, count] = 0.0
        factor, ones = state.factor[instance], state.ones[instance]
        # `gram_row` is now the new column of the factor
        ones[count] = (1 - dot(gram_row[:count], ones[:count])) / factor[count, count]
        state.num_vertices[instance] = count + 1
    return is_new


@kernel
def remove_vertex(state, instance, removed, slopes):
    """Removes the vertex with the index `removed`. Later ones move up, with their slopes."""
    count = state.num_vertices[instance]
    remove_row(state.factor[instance], count, removed)
    ones = state.ones[instance]
    ones[: count - 1] = 1.0
    solve_transposed(state.factor[instance], count - 1, ones)
    for vertex in range(removed, count - 1):
        part_count = state.part_counts[instance, vertex + 1]
        for index in range(part_count):
            state.parts[instance, vertex, index] = state.parts[instance, vertex + 1, index]
        state.part_counts[instance, vertex] = part_count
        state.weights[instance, vertex] = state.weights[instance, vertex + 1]
        slopes[vertex] = slopes[vertex + 1]
    state.num_vertices[instance] = count - 1
    if removed == 0:
        state.contains_start[instance] = False


@kernel
def optimise_weights(state, instance, work):
    """
    Moves the weights to those of the affine combination of the vertices that is nearest to the
    target. If that would make weights negative, it only moves until the first of them vanishes,
    removes that vertex and starts again. Returns whether any weight moved.
    """
    weights, slopes, change = state.weights[instance], work.slopes, work.weight_change
    has_moved = False
    while True:
        count = state.num_vertices[instance]
        solve_for_weight_change(state.factor[instance], state.ones[instance], count, work)
        fraction, removed = 1.0, -1
        for vertex in range(count):
            if change[vertex] < 0 and weights[vertex] + change[vertex] <= 0:
                until_zero = weights[vertex] / -change[vertex]
                if until_zero < fraction or removed < 0:
                    fraction, removed = until_zero, vertex
        for vertex in range(count):
            weights[vertex] = max(weights[vertex] + fraction * change[vertex], 0.0)
            slopes[vertex] *= 1 - fraction
        has_moved = has_moved or fraction > 0
        if removed < 0:
            return has_moved
        remove_vertex(state, instance, removed, slopes)


@kernel
def solve_for_weight_change(factor, ones, count, work):
    """
    Writes the change of weights that makes all slopes equal into `work.weight_change`:
    `gram @ weight_change = slopes - constant`. It sums to zero. Usually, only the slope of the
    newest vertex differs before.
    """
    change = work.weight_change
    for vertex in range(count):
        change[vertex] = work.slopes[vertex]
    solve_transposed(factor, count, change)
    product, square = dot(ones[:count], change[:count]), dot(ones[:count], ones[:count])
    for vertex in range(count):
        change[vertex] -= product / square * ones[vertex]
    solve(factor, count, change)


@kernel
def update_mean(state, instance):
    """Divides the weights by their sum, and computes displacement and residual from them."""
    count, weights = state.num_vertices[instance], state.weights[instance]
    displacement = state.displacement[instance]
    # The start has no displacement. Its weight may round to one although others also have weight.
    first = 1 if state.contains_start[instance] else 0
    total, displaced_weight = 0.0, 0.0
    for vertex in range(count):
        total += weights[vertex]
    for vertex in range(count):
        weights[vertex] /= total
        displaced_weight += weights[vertex] if vertex >= first else 0.0
    for part in range(len(displacement)):
        displacement[part] = -displaced_weight * state.start[instance, part]
    for vertex in range(first, count):
        for part in state.parts[instance, vertex, : state.part_counts[instance, vertex]]:
            displacement[part] += weights[vertex]
    for part in range(len(displacement)):
        target = state.target_displacement[instance, part]
        state.residual[instance, part] = target - displacement[part]


# The Cholesky factor of a symmetric matrix, updated when rows (with their columns) are appended or
# removed: the upper triangle of the first `count` rows of `factor`. Its transpose times itself is
# the matrix. Each update costs as much as solving, `count` squared steps; a new factor would cost
# `count` cubed.


@kernel
def append_row(factor, count, row):
    """
    Appends a row to the matrix, unless the matrix would no longer have full rank. Returns whether
    it did. `row` holds the products with the `count` earlier rows, then with itself, and is
    overwritten by the new column of the factor.
    """
    square = row[count]
    solve_transposed(factor, count, row)
    remainder = square - dot(row[:count], row[:count])
    if remainder > DEPENDENT_SHARE * square:
        row[count] = numpy.sqrt(remainder)
        for index in range(count + 1):
            factor[index, count] = row[index]
        return True
    return False


@kernel
def remove_row(factor, count, removed):
    """Removes the row and the column with the index `removed` from the matrix."""
    for row in range(count):
        first = max(removed, row - 1)
        line = factor[row, first:count]
        for index in range(len(line) - 1):
            line[index] = line[index + 1]
    # The entries now below the diagonal are rotated onto it.
    for row in range(removed, count - 1):
        upper, lower = factor[row, row : count - 1], factor[row + 1, row : count - 1]
        length = numpy.hypot(upper[0], lower[0])
        cosine, sine = upper[0] / length, lower[0] / length
        for index in range(len(upper)):
            above, below = upper[index], lower[index]
            upper[index] = cosine * above + sine * below
            lower[index] = cosine * below - sine * above


@kernel
def solve_transposed(factor, count, values):
    """Replaces `values` by the solution of `factor^T @ solution = values`."""
    for row in range(count):
        if values[row] != 0:
            value = values[row] / factor[row, row]
            values[row] = value
            line, remaining = factor[row, row + 1 : count], values[row + 1 : count]
            for index in range(len(line)):
                remaining[index] -= line[index] * value


@kernel
def solve(factor, count, values):
    """Replaces `values` by the solution of `factor @ solution = values`."""
    for row in range(count - 1, -1, -1):
        known = dot(factor[row, row + 1 : count], values[row + 1 : count])
        values[row] = (values[row] - known) / factor[row, row]


@reordered_kernel
def dot(x, y):
    """Returns the inner product of two vectors of equal length."""
    total = 0.0
    for index in range(len(x)):
        total += x[index] * y[index]
    return total
