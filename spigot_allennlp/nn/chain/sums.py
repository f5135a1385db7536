"""
Chains of tags on the processor, as machine code: the sum over all sequences, and its derivatives.

A call does one group of sentences, `members` of the batch, one a lane (see `nn/lanes/lanes.py`), in
wide numbers. Tensors come as arrays of shape `(batch_size, length, tag, previous)`, in single or
double precision. `given` are members, lengths, scores and mask, the latter two of shape
`(batch_size, length * num_tags, previous)`: a row of parts for every tag of every token.
"""

import numpy

from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.lanes.groups import longest
from spigot_allennlp.nn.lanes.lanes import (
    exponential,
    load,
    logarithm,
    narrow,
    numbers,
    store,
    tropical,
    wide,
    wide_dual,
)
from spigot_allennlp.nn.lanes.rows import new_rows, place_row


@entry
def expectations(members, lengths, scores, mask, totals, means):
    """
    Writes the log-partition of each sentence into `totals`, shape `(batch_size,)`, float64, and the
    marginals of its parts into `means`.
    """
    given = members, lengths, rows_of(scores), rows_of(mask)
    zero, one = wide(totals, 0.0), wide(totals, 1.0)
    expect_parts(given, None, totals, rows_of(means), zero, one)


@entry
def derivatives(members, lengths, scores, mask, direction, totals, result):
    """
    Writes the derivative of the marginals, as the scores move along `direction`, into `result`;
    `totals` as in `expectations`.
    """
    given = members, lengths, rows_of(scores), rows_of(mask)
    zero, one = wide_dual(totals, 0.0), wide_dual(totals, 1.0)
    expect_parts(given, rows_of(direction), totals, rows_of(result), zero, one)


@kernel
def rows_of(parts):
    """`(batch_size, length, tag, previous)` as `(batch_size, length * num_tags, previous)`."""
    batch_size, length, num_tags, _ = parts.shape
    return parts.reshape((batch_size, length * num_tags, num_tags))


@kernel
def expect_parts(given, direction, totals, result, zero, one):
    """What the entries above promise, in numbers of the kind of `zero` and `one`."""
    members, lengths, scores, _ = given
    size, num_tags = longest(members, lengths) + 1, scores.shape[2]
    before = numbers(zero, size, num_tags)
    fill_forward(given, direction, before, zero, one)
    total = sum_of_row(before, size - 1, num_tags, zero)
    log_total = numbers(tropical(totals, 0.0), 1, 1)
    store(log_total, 0, 0, logarithm(total))
    for lane, member in enumerate(members):
        totals[member] = log_total[0, 0, 0, lane]
    fill_backward(given, direction, before, totals, result, zero, one / total)


@kernel
def fill_forward(given, direction, before, zero, one):
    """
    Writes the weight of all sequences up to a position that end with a tag, `[position, tag]`. What
    precedes the first token counts as tag 0.
    """
    num_tags = given[2].shape[2]
    row, slopes = new_rows(before, num_tags)
    for tag in range(num_tags):
        store(before, 0, tag, zero)
    store(before, 0, 0, one)
    for position in range(1, len(before)):
        for tag in range(num_tags):
            place_tag(given, direction, position, tag, row, slopes)
            total = zero
            for previous in range(num_tags):
                weight = weight_of(row, slopes, previous, zero)
                total = total + weight * load(before, position - 1, previous, zero)
            store(before, position, tag, total)


@kernel
def fill_backward(given, direction, before, totals, result, zero, inverse):
    """
    Writes what is made of the parts into `result`, from the last position to the first. `inverse`
    is one over the total.
    """
    num_tags = given[2].shape[2]
    row, slopes = new_rows(before, num_tags)
    # the derivatives of the logarithm of the total with respect to the numbers of `before`, at this
    # position and the one before it
    after, means = numbers(zero, 2, num_tags), numbers(narrow(zero), 1, num_tags)
    for tag in range(num_tags):
        store(after, (len(before) - 1) % 2, tag, inverse)
    for position in range(len(before) - 1, 0, -1):
        here, there = position % 2, (position - 1) % 2
        for tag in range(num_tags):
            store(after, there, tag, zero)
        for tag in range(num_tags):
            place_tag(given, direction, position, tag, row, slopes)
            for previous in range(num_tags):
                weight = weight_of(row, slopes, previous, zero) * load(after, here, tag, zero)
                mean = weight * load(before, position - 1, previous, zero)
                store(means, 0, previous, narrow(mean))
                store(after, there, previous, load(after, there, previous, zero) + weight)
            take_out(given, position, tag, means, totals, result)
    for member in given[0]:
        result[member, :num_tags] = 0
        result[member, len(before) * num_tags :] = 0


@kernel
def place_tag(given, direction, position, tag, row, slopes):
    """The scores of the parts with this tag. In padding it stays as it is."""
    num_tags = given[2].shape[2]
    place = position * num_tags + tag
    place_row(given, direction, position, place, num_tags, tag, row, slopes)


@kernel
def weight_of(row, slopes, previous, zero):
    """The weight of a part of those in `row`."""
    score = load(row, 0, previous, tropical(row, 0.0))
    return exponential(score, load(slopes, 0, previous, score), zero)


@kernel
def sum_of_row(chart, row, columns, zero):
    """The sum of the numbers in one row of `chart`."""
    total = zero
    for column in range(columns):
        total = total + load(chart, row, column, zero)
    return total


@kernel
def take_out(given, position, tag, means, totals, result):
    """
    Copies what was made of the parts with this tag, of numbers their last part, from the lane of
    each sentence. Nothing, where no sequence is possible.
    """
    members, lengths, scores, _ = given
    num_tags = scores.shape[2]
    place = position * num_tags + tag
    for lane, member in enumerate(members):
        possible = position <= lengths[member] and totals[member] != -numpy.inf
        for previous in range(num_tags):
            result[member, place, previous] = means[0, previous, -1, lane] if possible else 0
