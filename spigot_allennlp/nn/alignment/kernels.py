"""
Monotone alignments, compiled: the recurrence over cells, the best alignment, and samples.

A call works on one group of instances. Its arguments begin with the fields of an `InstanceGroup`;
here, positions are rows.
"""

from typing import NamedTuple

import numpy

from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.sampling import choose, logarithms_of_chart
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
    load,
    store,
)


class LastCell(NamedTuple):
    """
    The end of the alignments of an instance: `row` and `column`; `column` is -1 if no cell is
    legal.
    """

    row: int
    column: int


@entry
def best_alignments(members, lengths, scores, mask, alignments):
    """
    Writes ones into `alignments`, zeros of the shape of `scores`, `(batch_size, rows, columns)`, at
    the cells of the best alignment of each instance; none if no alignment is possible.
    """
    for member in members:
        last = last_cell(mask[member], lengths[member])
        # in nats: the score of the best alignment from the first cell to each
        prefixes = numpy.full((last.row + 1, last.column + 1), -numpy.inf)
        for row in range(last.row + 1):
            for column in range(last.column + 1):
                if mask[member, row, column]:
                    before = best_before(prefixes, row, column)
                    prefixes[row, column] = before + scores[member, row, column]
        backtrack(prefixes, last, None, member, alignments[member])


@entry
def sample_alignments(members, lengths, scores, mask, uniforms, alignments):
    """
    Writes ones into `alignments`, zeros of the shape of `scores`, at the cells of a random
    alignment of each instance, determined by `uniforms`: numbers from zero to one, shape
    `(batch_size, rows + columns)`, float64.
    """
    group = InstanceGroup(members, lengths, scores, mask, None)
    zero, one = extended(uniforms, 0.0), extended(uniforms, 1.0)
    prefixes = allocate(zero, longest(members, lengths) + 1, scores.shape[2])
    fill_prefixes(group, prefixes, zero, one)
    log_prefixes = logarithms_of_chart(prefixes, zero)
    for lane, member in enumerate(members):
        last = last_cell(mask[member], lengths[member])
        backtrack(log_prefixes[:, :, 0, lane], last, uniforms, member, alignments[member])


@kernel
def last_cell(mask, row):
    """Returns the end of the alignments of an instance, from its legal cells and its last row."""
    for column in range(mask.shape[1] - 1, -1, -1):
        if mask[:, column].any():
            return LastCell(row, column)
    return LastCell(row, -1)


@kernel
def best_before(prefixes, row, column):
    """Returns the score of the best alignment to any cell that is one step before this one."""
    if row == 0 and column == 0:
        return 0.0
    highest = -numpy.inf
    if row > 0:
        highest = max(highest, prefixes[row - 1, column])
        if column > 0:
            highest = max(highest, prefixes[row - 1, column - 1])
    if column > 0:
        highest = max(highest, prefixes[row, column - 1])
    return highest


@kernel
def fill_prefixes(group, prefixes, zero, one):
    """
    Writes the weight of all alignments from the first cell to each cell into `prefixes`,
    `[row, column]`, as numbers of the kind of `zero` and `one`.
    """
    num_columns = group.scores.shape[2]
    score_row = new_score_row(prefixes, num_columns)
    for row in range(len(prefixes)):
        fill_cells(group, row, score_row)
        # the weight of the cell to the left, and of the one above that
        left, above_left = zero, zero
        for column in range(num_columns):
            before = left + above_left
            if row > 0:
                above_left = load(prefixes, row - 1, column, zero)
                before = before + above_left
            elif column == 0:
                before = one
            store(prefixes, row, column, before * weight_of(score_row, column, zero))
            left = load(prefixes, row, column, zero)


@kernel
def fill_cells(group, row, score_row):
    """
    Copies a row of cells of all instances of a group into `score_row`. A table that ends above the
    row has no legal cell in it.
    """
    # as if at position 0: no instance ends before it, so none gets the part that stands for padding
    fill_score_row(group, 0, row, group.scores.shape[2], 0, score_row)


@kernel
def backtrack(prefixes, last, uniforms, member, alignment):
    """
    Chooses the cell before the last, then the one before that, and so on, and marks all in
    `alignment`, if one exists. Chooses at random if there are `uniforms`, otherwise the best (see
    `nn/sampling.py`).
    """
    row, column = last
    if column < 0 or not prefixes[row, column] > -numpy.inf:
        return
    options = numpy.empty(3)
    alignment[row, column] = 1
    while row > 0 or column > 0:
        options[:] = -numpy.inf
        if row > 0:
            options[1] = prefixes[row - 1, column]
            if column > 0:
                options[0] = prefixes[row - 1, column - 1]
        if column > 0:
            options[2] = prefixes[row, column - 1]
        step = choose(options, 3, uniforms, member, row + column)
        if step < 0:
            return
        row, column = row - (step < 2), column - (step != 1)
        alignment[row, column] = 1
