"""
Projective trees, compiled: the log-partition, the marginals, and their derivative.

Arguments as in `kernels.py`. Tensors are in single or double precision, numbers in double. Each sum
exists with plain numbers, and with extended ones for sentences where the weights of trees are too
far apart for plain ones.
"""

from typing import NamedTuple

import numpy

from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.eisner.kernels import fill_arc_weights, fill_inside, new_charts
from spigot_allennlp.nn.semirings.batching import InstanceGroup, longest
from spigot_allennlp.nn.semirings.numbers import (
    allocate,
    dual,
    extended,
    extended_dual,
    load,
    logarithm,
    real,
    store,
    to_plain,
)


class OutsideCharts(NamedTuple):
    """
    The derivatives of the log-partition with respect to the weights of spans, with the indices and
    the shape of `Charts`.

    # Parameters

    complete : `numpy.ndarray`
        With respect to complete spans.
    joined : `numpy.ndarray`
        With respect to the joins of two complete spans over `i` and `j`, the same at `[i, j]` and
        `[j, i]`.
    """

    complete: numpy.ndarray
    joined: numpy.ndarray


@entry
def log_partition_and_marginals(members, lengths, scores, mask, single_root, totals, marginals):
    """
    Writes the log-partition of each sentence, in nats, into `totals`, shape `(batch_size,)`,
    float64, and the marginals of its arcs into `marginals`, of the shape of `scores`. A total of
    NaN means that extended numbers are needed.
    """
    group = InstanceGroup(members, lengths, scores, mask, None)
    write_sums(group, single_root, totals, marginals, real(totals, 0.0), real(totals, 1.0))


@entry
def extended_log_partition_and_marginals(
    members, lengths, scores, mask, single_root, totals, marginals
):
    """Computes `log_partition_and_marginals` with weights of any size."""
    group = InstanceGroup(members, lengths, scores, mask, None)
    zero, one = extended(totals, 0.0), extended(totals, 1.0)
    write_sums(group, single_root, totals, marginals, zero, one)


@entry
def marginals_jvp(members, lengths, scores, mask, direction, single_root, totals, result):
    """
    Writes the derivative of the marginals, as the scores move along `direction`, into `result`.
    Both have the shape of `scores`; `totals` as in `log_partition_and_marginals`.
    """
    group = InstanceGroup(members, lengths, scores, mask, direction)
    write_sums(group, single_root, totals, result, dual(totals, 0.0), dual(totals, 1.0))


@entry
def extended_marginals_jvp(members, lengths, scores, mask, direction, single_root, totals, result):
    """Computes `marginals_jvp` with weights of any size."""
    group = InstanceGroup(members, lengths, scores, mask, direction)
    zero, one = extended_dual(totals, 0.0), extended_dual(totals, 1.0)
    write_sums(group, single_root, totals, result, zero, one)


@kernel
def write_sums(group, single_root, totals, result, zero, one):
    """
    Writes the log-partition of each sentence into `totals`, and the marginals into `result` or, for
    numbers with a tangent, their derivative. Computes with numbers of the kind of `zero` and `one`.
    """
    # even an empty sentence has a token: padding
    size = max(longest(group.members, group.lengths), 1) + 1
    charts = new_charts(zero, size, single_root)
    log_divisor = fill_arc_weights(group, charts.arcs, zero)
    total = replace_weights_by_marginals(charts, zero, one)
    log_total = allocate(log_divisor, 1, 1)
    store(log_total, 0, 0, logarithm(total) * log_divisor)
    write_marginals(group, charts.arcs, log_total[0, 0, 0], totals, result, zero)


@kernel
def replace_weights_by_marginals(charts, zero, one):
    """
    Replaces the weight of each arc by its marginal: the derivative of the logarithm of the total
    with respect to the logarithm of the weight. Returns the total weight of all trees.
    """
    size = len(charts.arcs)
    fill_inside(charts, zero, one)
    total = total_weight(charts, zero)
    outside = OutsideCharts(allocate(zero, size, size), allocate(zero, size, size))
    fill_outermost(charts, outside.complete, zero, one / total)
    fill_outside(charts, outside, zero)
    return total


@kernel
def total_weight(charts, zero):
    """Returns the weight of the whole sentence, from the weights of its spans."""
    complete, last = charts.complete, len(charts.arcs) - 1
    if charts.start == 0:
        return load(complete, 0, last, zero)
    total = zero
    for root_dependent in range(1, last + 1):
        left = load(complete, root_dependent, 1, zero)
        right = load(complete, root_dependent, last, zero)
        total = total + left * right * load(charts.arcs, 0, root_dependent, zero)
    return total


@kernel
def fill_outermost(charts, outside, zero, inverse):
    """
    Writes the derivatives that `fill_outside` starts from into `outside`: those with respect to the
    complete spans that reach an end of the sentence. `inverse` is one over the total. Replaces the
    arcs of a root outside the charts by their marginals.
    """
    arcs, complete, start, last = charts.arcs, charts.complete, charts.start, len(charts.arcs) - 1
    for i in range(start, last + 1):
        store(outside, i, last, zero)
        store(outside, i, start, zero)
    if start == 0:
        store(outside, 0, last, inverse)
        return
    for dependent in range(1, last + 1):
        left, right = load(complete, dependent, 1, zero), load(complete, dependent, last, zero)
        arc = load(arcs, 0, dependent, zero) * inverse
        if dependent > 1:
            store(outside, dependent, 1, arc * right)
        if dependent < last:
            store(outside, dependent, last, arc * left)
        store(arcs, 0, dependent, arc * left * right)


@kernel
def fill_outside(charts, outside, zero):
    """
    Computes the derivatives with respect to all spans, outer spans first, and replaces the weights
    of arcs by their marginals on the way.

    For the spans between `i` and `j` (with their head at `i` if they go to the right, at `j` if to
    the left), the loops collect the contribution of each larger span, with its other end at `k`,
    that `fill_inside` builds from them: its own derivative, times the weight of the adjacent span.
    """
    arcs, complete, incomplete = charts.arcs, charts.complete, charts.incomplete
    start, last = charts.start, len(arcs) - 1
    for j in range(last, start, -1):
        for i in range(start, j):
            # with respect to complete spans
            right = load(outside.complete, i, last, zero) if j == last else zero
            left = load(outside.complete, j, start, zero) if i == start else zero
            # with respect to incomplete spans
            arc_right, arc_left = zero, zero
            for k in range(start, i):
                around = load(outside.complete, k, j, zero)
                right = right + around * load(incomplete, k, i, zero)
                left = left + load(outside.joined, j, k, zero) * load(complete, k, i - 1, zero)
                around = load(outside.complete, j, k, zero)
                arc_left = arc_left + around * load(complete, i, k, zero)
            for k in range(j + 1, last + 1):
                right = right + load(outside.joined, i, k, zero) * load(complete, k, j + 1, zero)
                around = load(outside.complete, k, i, zero)
                left = left + around * load(incomplete, k, j, zero)
                around = load(outside.complete, i, k, zero)
                arc_right = arc_right + around * load(complete, j, k, zero)
            store(outside.complete, i, j, right)
            store(outside.complete, j, i, left)
            # a complete span that ends at the dependent itself is just the incomplete span
            arc_right, arc_left = arc_right + right, arc_left + left
            joined = arc_right * load(arcs, i, j, zero) + arc_left * load(arcs, j, i, zero)
            store(outside.joined, i, j, joined)
            store(outside.joined, j, i, joined)
            # an incomplete span is the weight of its arc times the two spans that it joins
            store(arcs, i, j, arc_right * load(incomplete, i, j, zero))
            store(arcs, j, i, arc_left * load(incomplete, j, i, zero))


@kernel
def write_marginals(group, arcs, log_totals, totals, result, like):
    """
    Copies the marginals in `arcs`, `[head, dependent]`, or their tangents, from the lane of each
    sentence into `result`, and `log_totals`, shape `(lanes,)`, into `totals`. The marginals are
    zero if there is no tree.
    """
    size = len(arcs)
    row = allocate(to_plain(like), 1, size)
    for lane, member in enumerate(group.members):
        totals[member] = log_totals[lane]
        result[member, 0] = 0
        result[member, size:] = 0
    for dependent in range(1, min(size, result.shape[1])):
        for head in range(size):
            store(row, 0, head, to_plain(load(arcs, head, dependent, like)))
        for lane, member in enumerate(group.members):
            length = group.lengths[member]
            result[member, dependent] = 0
            if dependent <= length and totals[member] != -numpy.inf:
                for head in range(length + 1):
                    result[member, dependent, head] = row[0, head, -1, lane]
