"""How kernels choose among options, given their scores: the best, or one at random."""

import math

import numpy

from spigot_allennlp.nn.compilation import kernel
from spigot_allennlp.nn.semirings.numbers import allocate, load, logarithm, store


@kernel
def choose(scores, count, uniforms, member, step):
    """
    Returns the index of the best of the first `count` options; or, if there are `uniforms`, shape
    `(batch_size, num_steps)`, an index that `uniforms[member, step]` chooses, with a probability in
    proportion to `exp(scores)`. Returns -1 if no option is possible.
    """
    if uniforms is None:
        return best_index(scores, count)
    return sample_index_by_score(scores, count, uniforms[member, step])


@kernel
def best_index(scores, count):
    """Returns the first index with the highest score; -1 if no option is possible."""
    best, highest = -1, -numpy.inf
    for option in range(count):
        if scores[option] > highest:
            best, highest = option, scores[option]
    return best


@kernel
def sample_index_by_score(scores, count, uniform):
    """
    Returns the index at which the cumulative probabilities, in proportion to `exp(scores)`, pass
    `uniform`, a number from zero to one; -1 if no option is possible.
    """
    highest, total, sampled = -numpy.inf, 0.0, -1
    for option in range(count):
        highest = max(highest, scores[option])
    for option in range(count):
        total += math.exp(scores[option] - highest)
    remaining = uniform * total
    for option in range(count):
        weight = math.exp(scores[option] - highest)
        if weight > 0 and remaining >= 0:
            sampled = option
        remaining -= weight
    return sampled


@kernel
def logarithms(chart, zero):
    """
    Returns the logarithms of all numbers of a chart, which are of the kind of `zero`, as a chart of
    tropical numbers.
    """
    rows, columns = chart.shape[:2]
    result = allocate(logarithm(zero), rows, columns)
    for row in range(rows):
        for column in range(columns):
            store(result, row, column, logarithm(load(chart, row, column, zero)))
    return result
