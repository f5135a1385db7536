"""
Chains of tags, compiled: the log-partition, the marginals, and their derivative.

A call works on one group of sentences, one in each lane (see `nn/semirings/numbers.py`), in
extended numbers. Arguments as in `kernels.py`, in single or double precision.
"""

import numpy

from spigot_allennlp.nn.chain.kernels import fill_prefixes, rows_of
from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.semirings.batching import (
    InstanceGroup,
    fill_score_row,
    longest,
    new_score_row,
    weight_of,
)
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
    Writes the log-partition of each sentence, in nats, into `totals`, shape `(batch_size,)`,
    float64, and the marginals of its parts into `marginals`, of the shape of `scores`.
    """
    group = InstanceGroup(members, lengths, rows_of(scores), rows_of(mask), None)
    zero, one = extended(totals, 0.0), extended(totals, 1.0)
    write_sums(group, totals, rows_of(marginals), zero, one)


@entry
def marginals_jvp(members, lengths, scores, mask, direction, totals, result):
    """
    Writes the derivative of the marginals, as the scores move along `direction`, into `result`.
    Both have the shape of `scores`; `totals` as in `log_partition_and_marginals`.
    """
    group = InstanceGroup(members, lengths, rows_of(scores), rows_of(mask), rows_of(direction))
    zero, one = extended_dual(totals, 0.0), extended_dual(totals, 1.0)
    write_sums(group, totals, rows_of(result), zero, one)


@kernel
def write_sums(group, totals, result, zero, one):
    """
    Writes the log-partition of each sentence into `totals`, and the marginals into `result` or, for
    numbers with a tangent, their derivative. Computes with numbers of the kind of `zero` and `one`.
    `group` and `result` have a row of parts for every tag of every token.
    """
    size, num_tags = longest(group.members, group.lengths) + 1, group.scores.shape[2]
    prefixes = allocate(zero, size, num_tags)
    fill_prefixes(group, prefixes, zero, one)
    total = zero
    for tag in range(num_tags):
        total = total + load(prefixes, size - 1, tag, zero)
    log_total = allocate(tropical(totals, 0.0), 1, 1)
    store(log_total, 0, 0, logarithm(total))
    for lane, member in enumerate(group.members):
        totals[member] = log_total[0, 0, 0, lane]
    write_marginals(group, prefixes, totals, result, zero, one / total)


@kernel
def write_marginals(group, prefixes, totals, result, zero, inverse):
    """
    Writes the marginals of parts, or their tangents, into `result`, from the last position to the
    first. `inverse` is one over the total.
    """
    num_tags = group.scores.shape[2]
    row = new_score_row(prefixes, num_tags)
    # suffixes: the derivatives of the log-partition with respect to the prefixes that end at a
    # position, and at the previous position
    suffixes, marginals = allocate(zero, 2, num_tags), allocate(to_plain(zero), 1, num_tags)
    for tag in range(num_tags):
        store(suffixes, (len(prefixes) - 1) % 2, tag, inverse)
    for position in range(len(prefixes) - 1, 0, -1):
        here, before = position % 2, (position - 1) % 2
        for tag in range(num_tags):
            store(suffixes, before, tag, zero)
        for tag in range(num_tags):
            fill_score_row(group, position, position * num_tags + tag, num_tags, tag, row)
            for previous in range(num_tags):
                weight = weight_of(row, previous, zero) * load(suffixes, here, tag, zero)
                marginal = weight * load(prefixes, position - 1, previous, zero)
                store(marginals, 0, previous, to_plain(marginal))
                suffix = load(suffixes, before, previous, zero) + weight
                store(suffixes, before, previous, suffix)
            write_marginals_of_tag(group, position, tag, marginals, totals, result)
    for member in group.members:
        result[member, :num_tags] = 0
        result[member, len(prefixes) * num_tags :] = 0


@kernel
def write_marginals_of_tag(group, position, tag, marginals, totals, result):
    """
    Copies the marginals, or their tangents, of the parts with this tag from the lane of each
    sentence into `result`; zero if no sequence is possible.
    """
    num_tags = group.scores.shape[2]
    row = position * num_tags + tag
    for lane, member in enumerate(group.members):
        is_possible = position <= group.lengths[member] and totals[member] != -numpy.inf
        for previous in range(num_tags):
            marginal = marginals[0, previous, -1, lane] if is_possible else 0
            result[member, row, previous] = marginal
