"""
Corrals, in the words of [Wolfe (1976)](https://doi.org/10.1007/BF01580381): the vertices in use,
affinely independent, each with a positive weight; and how a vertex enters and leaves, as machine
code.
"""

from typing import NamedTuple

import numpy

from spigot_allennlp.nn.active_set.factor import gain, lose
from spigot_allennlp.nn.compilation import kernel


class Corrals(NamedTuple):
    """
    The corrals of a batch, as arrays with an entry for each instance in the first dimension.

    # Parameters

    aim, start, moved, residual : `numpy.ndarray`
        Shape `(batch_size, num_parts)`: the point minus the first vertex, the first vertex, the
        mean minus the first vertex, and `aim - moved`. No number near one is in them when `aim` is
        small, save in `start`.
    parts, sizes, weights : `numpy.ndarray`
        Shapes `(batch_size, room, most_parts)`, `(batch_size, room)`, `(batch_size, room)`: the
        parts of each vertex, how many they are, and its weight.
    factor : `numpy.ndarray`
        Shape `(batch_size, room, room)`: of the Gram matrix of the vertices, one added to all its
        entries.
    limit, gap : `numpy.ndarray`
        Shape `(batch_size,)`: the gap at which to stop (not a number if the point is none), and
        the gap.
    used, steps : `numpy.ndarray`
        Shape `(batch_size,)`: the number of vertices, and of steps.
    home, stalled, done : `numpy.ndarray`
        Shape `(batch_size,)`: whether the first vertex has never left, whether the last step met no
        new vertex or led nowhere, and whether it was the last.
    """

    aim: numpy.ndarray
    start: numpy.ndarray
    moved: numpy.ndarray
    residual: numpy.ndarray
    parts: numpy.ndarray
    sizes: numpy.ndarray
    weights: numpy.ndarray
    factor: numpy.ndarray
    limit: numpy.ndarray
    gap: numpy.ndarray
    used: numpy.ndarray
    steps: numpy.ndarray
    home: numpy.ndarray
    stalled: numpy.ndarray
    done: numpy.ndarray


@kernel
def enter(corrals, member, parts, row, marks):
    """
    Whether the vertex made of `parts` enters the corral, with weight zero: it does not if it is an
    affine combination of those in it. `row`, and `marks`, which are zero, are room to work in.
    """
    count = corrals.used[member]
    for part in parts:
        marks[part] = 1.0
    for place in range(count):
        others = corrals.parts[member, place, : corrals.sizes[member, place]]
        row[place] = 1 + total_at(marks, others)
    row[count] = 1 + len(parts)
    for part in parts:
        marks[part] = 0.0
    entered = gain(corrals.factor[member], count, row)
    if entered:
        for place in range(len(parts)):
            corrals.parts[member, count, place] = parts[place]
        corrals.sizes[member, count] = len(parts)
        corrals.weights[member, count] = 0.0
        corrals.used[member] = count + 1
    return entered


@kernel
def leave(corrals, member, leaving, slopes):
    """Takes the vertex at the place `leaving` out of the corral."""
    count = corrals.used[member]
    lose(corrals.factor[member], count, leaving)
    for place in range(leaving, count - 1):
        size = corrals.sizes[member, place + 1]
        for part in range(size):
            corrals.parts[member, place, part] = corrals.parts[member, place + 1, part]
        corrals.sizes[member, place] = size
        corrals.weights[member, place] = corrals.weights[member, place + 1]
        slopes[place] = slopes[place + 1]
    corrals.used[member] = count - 1
    if leaving == 0:
        corrals.home[member] = False


@kernel
def total_at(values, places):
    """The sum of the `values` at `places`."""
    total = 0.0
    for place in places:
        total += values[place]
    return total
