"""
Sums over all dependency trees on the processor, as machine code, and their derivatives.

A call does one group of sentences, `members` of the batch, one a lane (see
`nn/semirings/numbers.py`). Tensors come as arrays of shape `(batch_size, dependent, head)`; what is
written is zero before. `first` is 1 if the root takes exactly one dependent, else 0. The weights of
the arcs to a token sum to one. A pivot is then at most one, and what a number too small for a
float64 could have added to a total is smaller still. A sentence is *lost* where a total or a
product of pivots comes so near to that limit that it could have mattered.
"""

import numpy

from spigot_allennlp.nn.arborescence.elimination import expect
from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.semirings.numbers import BYTES, dual, real

LEAST = 1e-150


@entry
def expectations(members, lengths, weights, first, totals, lost, means):
    """
    Sums over all trees, a tree weighing the product of the weights of its arcs, float64: writes the
    sum of the weights into `totals`, the marginals of the arcs into `means`, and into `lost`
    whether both may be wrong.
    """
    size, lanes = max(lengths[members].max(), 1) + 1, BYTES // weights.itemsize
    stages = numpy.empty((number_of_stages(size), size, size, 1, lanes))
    walks, found = numpy.empty((2, size, size, 1, lanes))
    stages[0] = 0
    sums = numpy.empty((3, size, 1, lanes))
    place_arcs(members, lengths, weights, stages[0])
    zero, one = real(weights, 0.0), real(weights, 1.0)
    expect(stages, walks, found, sums, first, zero, one)
    take_out_sums(members, lengths, sums[:, :, 0], totals, lost)
    take_out_arcs(members, lengths, found[:, :, 0], means)


@entry
def derivatives(members, lengths, weights, direction, first, totals, lost, result):
    """
    Writes the derivative of the marginals, as the logarithms of `weights` move along `direction`,
    into `result`; all else as in `expectations`.
    """
    size, lanes = max(lengths[members].max(), 1) + 1, BYTES // weights.itemsize
    stages = numpy.empty((number_of_stages(size), size, size, 2, lanes))
    walks, found = numpy.empty((2, size, size, 2, lanes))
    stages[0] = 0
    sums = numpy.empty((3, size, 2, lanes))
    place_arcs(members, lengths, weights, stages[0])
    for lane, member in enumerate(members):
        for dependent in range(1, lengths[member] + 1):
            for head in range(lengths[member] + 1):
                weight = weights[member, dependent, head]
                if weight > 0:  # elsewhere the direction may be anything
                    tangent = weight * direction[member, dependent, head]
                    stages[0, dependent, head, 1, lane] = tangent
    zero, one = dual(weights, 0.0), dual(weights, 1.0)
    expect(stages, walks, found, sums, first, zero, one)
    take_out_sums(members, lengths, sums[:, :, 0], totals, lost)
    take_out_arcs(members, lengths, found[:, :, 1], result)


@kernel
def number_of_stages(size):
    """How often `size - 1` tokens can be halved until one is left, and one more."""
    stages, left = 1, size - 1
    while left > 1:
        left = (left + 1) // 2
        stages += 1
    return stages


@kernel
def place_arcs(members, lengths, weights, arcs):
    """
    Puts each sentence into its lane. Padding hangs on what is before it, in one way and with weight
    one.
    """
    for lane, member in enumerate(members):
        for dependent in range(1, len(arcs)):
            if dependent > lengths[member]:
                arcs[dependent, dependent - 1, 0, lane] = 1
            else:
                for head in range(lengths[member] + 1):
                    arcs[dependent, head, 0, lane] = weights[member, dependent, head]


@kernel
def take_out_sums(members, lengths, sums, totals, lost):
    """The total of each sentence from its lane, and whether it is lost."""
    for lane, member in enumerate(members):
        totals[member] = sums[1, 1, lane]
        for token in range(1, lengths[member] + 1):
            if not (sums[0, token, lane] > LEAST and sums[1, token, lane] > LEAST):
                lost[member] = True


@kernel
def take_out_arcs(members, lengths, found, result):
    """Copies the arcs of each sentence from its lane."""
    for lane, member in enumerate(members):
        for dependent in range(1, lengths[member] + 1):
            for head in range(lengths[member] + 1):
                result[member, dependent, head] = found[dependent, head, lane]
