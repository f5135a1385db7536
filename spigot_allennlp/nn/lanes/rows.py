"""Rows of scores out of a batch, on their way into numbers (see `lanes.py`)."""

import numpy

from spigot_allennlp.nn.compilation import kernel
from spigot_allennlp.nn.lanes.code import LEAST_LOGARITHM
from spigot_allennlp.nn.lanes.lanes import numbers, tropical


@kernel
def new_rows(like, columns):
    """
    For scores and for how they move: arrays of one row of tropical numbers, minus infinity and
    zero.
    """
    row = numbers(tropical(like, 0.0), 1, columns)
    slopes = numbers(tropical(like, 0.0), 1, columns)
    row[:] = -numpy.inf
    slopes[:] = 0
    return row, slopes


@kernel
def place_row(given, direction, position, place, columns, padding, row, slopes):
    """
    Puts the scores of the parts at a `place` into `row`, minus infinity where the mask forbids
    them, and how they move into `slopes`: along `direction`, if there is any.

    `given` are members, lengths, scores and mask, the latter two `(batch_size, place, column)`. The
    place belongs to a `position`; sentences that end before it have one part instead, in the column
    `padding`, with score zero. There are so many `columns`; or if they are None, one for every
    position of the sentence.
    """
    members, lengths, scores, mask = given
    for lane, member in enumerate(members):
        count = lengths[member] + 1 if columns is None else columns
        row[0, :, 0, lane] = -numpy.inf
        if position > lengths[member]:
            row[0, padding, 0, lane] = 0
            slopes[0, :, 0, lane] = 0
            continue
        for column in range(count):
            if mask[member, place, column]:
                row[0, column, 0, lane] = scores[member, place, column]
            if direction is not None:
                possible = row[0, column, 0, lane] > LEAST_LOGARITHM
                slopes[0, column, 0, lane] = direction[member, place, column] if possible else 0
