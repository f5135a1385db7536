"""How kernels choose among options, given their scores: the best, or one that is drawn."""

import math

import numpy

from spigot_allennlp.nn.compilation import kernel
from spigot_allennlp.nn.lanes.lanes import load, logarithm, numbers, store


@kernel
def choose(scores, count, uniforms, place):
    """
    The best of the first `count` options; or, if there are `uniforms`, one in proportion to
    `exp(scores)`, drawn by the number between zero and one at that `place`. -1 if none is possible.
    """
    if uniforms is None:
        return best(scores, count)
    return draw(scores, count, uniforms[place])


@kernel
def best(scores, count):
    """The first of those with the highest score; -1 if none is possible."""
    chosen, highest = -1, -numpy.inf
    for option in range(count):
        if scores[option] > highest:
            chosen, highest = option, scores[option]
    return chosen


@kernel
def draw(scores, count, uniform):
    """
    The option where `uniform` falls if these share the way from zero to one; -1 if none is
    possible.
    """
    highest, total, chosen = -numpy.inf, 0.0, -1
    for option in range(count):
        highest = max(highest, scores[option])
    for option in range(count):
        total += math.exp(scores[option] - highest)
    rest = uniform * total
    for option in range(count):
        weight = math.exp(scores[option] - highest)
        if weight > 0 and rest >= 0:
            chosen = option
        rest -= weight
    return chosen


@kernel
def logarithms(chart, zero):
    """Of all numbers of a chart, of the kind of `zero`: a chart of tropical numbers."""
    rows, columns = chart.shape[:2]
    result = numbers(logarithm(zero), rows, columns)
    for row in range(rows):
        for column in range(columns):
            store(result, row, column, logarithm(load(chart, row, column, zero)))
    return result
