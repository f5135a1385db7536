"""
Monotone alignments, compiled: the log-partition, the marginals, and their derivative.

A call works on one group of instances, one in each lane (see `nn/semirings/numbers.py`), in
extended numbers. Arguments as in `kernels.py`, in single or double precision.
"""

import numpy

from spigot_allennlp.nn.alignment.kernels import fill_cells, fill_prefixes, last_cell
from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.semirings.batching import InstanceGroup, longest, new_score_row, weight_of
from spigot_allennlp.nn.semirings.numbers import (
    allocate,
    extended,
    extended_dual,
    load,
    logarithm,
    store,
    to_plain,
    tropical,
)


@entry
def log_partition_and_marginals(members, lengths, scores, mask, totals, marginals):
    """
    Writes the log-partition of each instance, in nats, into `totals`, shape `(batch_size,)`,
    float64, and the marginals of its cells into `marginals`, zeros of the shape of `scores`.
    """
    group = InstanceGroup(members, lengths, scores, mask, None)
    write_sums(group, totals, marginals, extended(totals, 0.0), extended(totals, 1.0))


@entry
def marginals_jvp(members, lengths, scores, mask, direction, totals, result):
    """
    Writes the derivative of the marginals, as the scores move along `direction`, into `result`,
    which holds zeros. Both have the shape of `scores`; `totals` as in
    `log_partition_and_marginals`.
    """
    group = InstanceGroup(members, lengths, scores, mask, direction)
    write_sums(group, totals, result, extended_dual(totals, 0.0), extended_dual(totals, 1.0))


@kernel
def write_sums(group, totals, result, zero, one):
    """
    Writes the log-partition of each instance into `totals`, and the marginals into `result` or, for
    numbers with a tangent, their derivative. Computes with numbers of the kind of `zero` and `one`.
    """
    prefixes = allocate(zero, longest(group.members, group.lengths) + 1, group.scores.shape[2])
    fill_prefixes(group, prefixes, zero, one)
    # the prefix of the last cell of each instance in its lane; one if no cell is legal
    total = allocate(zero, 1, 1)
    store(total, 0, 0, one)
    for lane, member in enumerate(group.members):
        last = last_cell(group.mask[member], group.lengths[member])
        if last.column >= 0:
            total[0, 0, :, lane] = prefixes[last.row, last.column, :, lane]
    sum_over_all = load(total, 0, 0, zero)
    log_total = allocate(tropical(totals, 0.0), 1, 1)
    store(log_total, 0, 0, logarithm(sum_over_all))
    for lane, member in enumerate(group.members):
        totals[member] = log_total[0, 0, 0, lane]
    inverse = allocate(zero, 1, 1)
    store(inverse, 0, 0, one / sum_over_all)
    write_marginals(group, prefixes, totals, result, zero, inverse)


@kernel
def write_marginals(group, prefixes, totals, result, zero, inverse):
    """
    Writes the marginals of cells, or their tangents, into `result`, from the last row to the first.
    `inverse` holds one over the total.
    """
    num_rows, num_columns = len(prefixes), group.scores.shape[2]
    score_row = new_score_row(prefixes, num_columns)
    marginals = allocate(to_plain(zero), 1, num_columns)
    # the derivatives of the log-partition with respect to the prefixes of the cells where instances
    # end in this row
    ends = allocate(zero, 1, num_columns)
    # the derivatives with respect to the prefixes of all cells of two rows, times the weight of the
    # cell: its contribution to the derivatives of the cells before it
    weighted_suffixes = allocate(zero, 2, num_columns)
    for column in range(num_columns):
        store(weighted_suffixes, num_rows % 2, column, zero)
    for row in range(num_rows - 1, -1, -1):
        here, below = row % 2, (row + 1) % 2
        any_ends = write_ends(group, row, inverse, ends, zero)
        fill_cells(group, row, score_row)
        # the suffix of the cell to the right, and of the one below that
        right, below_right = zero, zero
        for column in range(num_columns - 1, -1, -1):
            suffix_below = load(weighted_suffixes, below, column, zero)
            derivative = right + below_right + suffix_below
            below_right = suffix_below
            if any_ends:
                derivative = derivative + load(ends, 0, column, zero)
            marginal = derivative * load(prefixes, row, column, zero)
            store(marginals, 0, column, to_plain(marginal))
            store(weighted_suffixes, here, column, derivative * weight_of(score_row, column, zero))
            right = load(weighted_suffixes, here, column, zero)
        for lane, member in enumerate(group.members):
            if totals[member] != -numpy.inf:
                for column in range(num_columns):
                    if group.mask[member, row, column]:
                        result[member, row, column] = marginals[0, column, -1, lane]


@kernel
def write_ends(group, row, inverse, ends, zero):
    """
    Writes one over the total into the lane of each instance that ends in this row, at its column of
    `ends`, and zero elsewhere. Returns whether any instance ends here.
    """
    any_ends = False
    for member in group.members:
        any_ends = any_ends or group.lengths[member] == row
    if any_ends:
        for column in range(ends.shape[1]):
            store(ends, 0, column, zero)
        for lane, member in enumerate(group.members):
            last = last_cell(group.mask[member], group.lengths[member])
            if last.row == row and last.column >= 0:
                ends[0, last.column, :, lane] = inverse[0, 0, :, lane]
    return any_ends
