"""
Projective trees on the processor, as machine code: the sum over all trees, and its derivatives.

A call does one group of sentences, `members` of the batch, one a lane (see `nn/lanes/lanes.py`).
Tensors come as arrays of shape `(batch_size, dependent, head)`, in single or double precision;
numbers are in double precision. `first` is 1 if the root takes exactly one dependent, else 0. Both
computations are there with plain numbers, and with wide ones for sentences whose sums are too small
or too large for these.
"""

import numpy

from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.eisner.charts import expect
from spigot_allennlp.nn.lanes.code import LEAST_LOGARITHM
from spigot_allennlp.nn.lanes.groups import longest
from spigot_allennlp.nn.lanes.lanes import (
    dual,
    exponential,
    load,
    logarithm,
    narrow,
    numbers,
    real,
    store,
    tropical,
    wide,
    wide_dual,
)
from spigot_allennlp.nn.lanes.rows import new_rows, place_row


@entry
def expectations(members, lengths, scores, mask, first, totals, means):
    """
    Writes the log-partition of each sentence into `totals`, shape `(batch_size,)`, float64, and the
    marginals of its arcs into `means`. A total that is no number asks for wide numbers.
    """
    given = members, lengths, scores, mask
    expect_arcs(given, None, first, totals, means, real(totals, 0.0), real(totals, 1.0))


@entry
def wide_expectations(members, lengths, scores, mask, first, totals, means):
    """`expectations`, whatever their size."""
    given = members, lengths, scores, mask
    expect_arcs(given, None, first, totals, means, wide(totals, 0.0), wide(totals, 1.0))


@entry
def derivatives(members, lengths, scores, mask, direction, first, totals, result):
    """
    Writes the derivative of the marginals, as the scores move along `direction`, into `result`;
    `totals` as in `expectations`.
    """
    given = members, lengths, scores, mask
    expect_arcs(given, direction, first, totals, result, dual(totals, 0.0), dual(totals, 1.0))


@entry
def wide_derivatives(members, lengths, scores, mask, direction, first, totals, result):
    """`derivatives`, whatever the size of the sums."""
    given = members, lengths, scores, mask
    expect_arcs(
        given, direction, first, totals, result, wide_dual(totals, 0.0), wide_dual(totals, 1.0)
    )


@kernel
def expect_arcs(given, direction, first, totals, result, zero, one):
    """What the entries above promise, in numbers of the kind of `zero` and `one`."""
    members, lengths, _, _ = given
    size = max(longest(members, lengths), 1) + 1  # even an empty sentence has a token: padding
    arcs = numbers(zero, size, size)
    taken_away = place_arcs(given, direction, arcs, zero)
    total = expect(arcs, first, zero, one)
    log_total = numbers(taken_away, 1, 1)
    store(log_total, 0, 0, logarithm(total) * taken_away)
    take_out(members, lengths, arcs, log_total[0, 0, 0], totals, result, zero)


@kernel
def place_arcs(given, direction, arcs, zero):
    """
    Puts the weights of the arcs of each sentence into its lane: the exponentials of its scores,
    from each of which the best of its dependent is taken away. This changes no probability; the sum
    of what was taken away is returned.
    """
    size = len(arcs)
    floor, taken_away = tropical(arcs, LEAST_LOGARITHM), tropical(arcs, 0.0)
    row, slopes = new_rows(arcs, size)
    for head in range(size):
        store(arcs, head, 0, zero)
    for dependent in range(1, size):
        # padding hangs on what is before it, in one way
        place_row(given, direction, dependent, dependent, None, dependent - 1, row, slopes)
        best = floor
        for head in range(size):
            best = best + load(row, 0, head, best)
        for head in range(size):
            score, slope = load(row, 0, head, best) / best, load(slopes, 0, head, best)
            store(arcs, head, dependent, exponential(score, slope, zero))
        taken_away = taken_away * best
    return taken_away


@kernel
def take_out(members, lengths, arcs, log_totals, totals, result, zero):
    """
    Copies what became of the arcs of each sentence, `[head, dependent]`, from its lane: of their
    parts the last. Nothing, where there is no tree.
    """
    size = len(arcs)
    row = numbers(narrow(zero), 1, size)
    for lane, member in enumerate(members):
        totals[member] = log_totals[lane]
        result[member, 0] = 0
        result[member, size:] = 0
    for dependent in range(1, min(size, result.shape[1])):
        for head in range(size):
            store(row, 0, head, narrow(load(arcs, head, dependent, zero)))
        for lane, member in enumerate(members):
            result[member, dependent] = 0
            if dependent <= lengths[member] and totals[member] != -numpy.inf:
                for head in range(lengths[member] + 1):
                    result[member, dependent, head] = row[0, head, -1, lane]
