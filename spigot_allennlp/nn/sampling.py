"""Choices among options for kernels: the best option, or a random one."""

import math

import numpy

from spigot_allennlp.nn import randomness
from spigot_allennlp.nn.compilation import kernel
from spigot_allennlp.nn.semirings.numbers import allocate, load, logarithm, store

# Kernels use unsigned numbers: sums of signed ones must not overflow there.
GAMMA = numpy.uint64(randomness.GAMMA)
FIRST_FACTOR = numpy.uint64(randomness.FIRST_FACTOR)
SECOND_FACTOR = numpy.uint64(randomness.SECOND_FACTOR)
FIRST_SHIFT = numpy.uint64(randomness.FIRST_SHIFT)
SECOND_SHIFT = numpy.uint64(randomness.SECOND_SHIFT)
THIRD_SHIFT = numpy.uint64(randomness.THIRD_SHIFT)
TO_52_BITS = numpy.uint64(12)


@kernel
def choose(scores, count, uniforms, member, choice):
    """
    Returns the index of the best of the first `count` options. If there are `uniforms`, shape
    `(batch_size, num_choices)`, `uniforms[member, choice]` determines the index, with a probability
    proportional to `exp(scores)`. Returns -1 if no option is possible.
    """
    if uniforms is None:
        return best_index(scores, count)
    return sample_index_by_score(scores, count, uniforms[member, choice])


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
    Returns the index where the cumulative probabilities, proportional to `exp(scores)`, pass
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
def logarithms_of_chart(chart, like):
    """
    Returns the logarithms of all numbers in a chart, of the kind of `like`, as a chart of tropical
    numbers: scores for `choose`.
    """
    rows, columns = chart.shape[:2]
    result = allocate(logarithm(like), rows, columns)
    for row in range(rows):
        for column in range(columns):
            store(result, row, column, logarithm(load(chart, row, column, like)))
    return result


@kernel
def cumsum(weights):
    """Replaces the weights by their cumulative sums, in place, for `sample_index`."""
    for index in range(1, len(weights)):
        weights[index] += weights[index - 1]


@kernel
def sample_index(cumulative_weights, state):
    """
    Returns an index, with a probability proportional to the growth of `cumulative_weights` there;
    -1 if they stay zero. The last one must not be so small (below 1e-307) that it loses bits.
    Advances the generator's `state`, uint64, shape `(1,)`.
    """
    last = len(cumulative_weights) - 1
    if not cumulative_weights[last] > 0:
        return -1
    threshold = uniform(state) * cumulative_weights[last]
    low, high = 0, last
    while low < high:
        middle = (low + high) // 2
        if cumulative_weights[middle] > threshold:
            high = middle
        else:
            low = middle + 1
    return low


@kernel
def uniform(state):
    """
    Advances the generator's `state`, uint64, shape `(1,)`, and returns a number from 0 (inclusive)
    to 1 (exclusive) with 52 bits: few enough that a product with it is less than the other factor,
    even after rounding.
    """
    state[0] += GAMMA
    return (splitmix64(state[0]) >> TO_52_BITS) * 2.0**-52


@kernel
def splitmix64(state):
    """Returns the 64 random bits, uint64, of a state of the generator; see `randomness.py`."""
    bits = (state ^ (state >> FIRST_SHIFT)) * FIRST_FACTOR
    bits = (bits ^ (bits >> SECOND_SHIFT)) * SECOND_FACTOR
    return bits ^ (bits >> THIRD_SHIFT)
