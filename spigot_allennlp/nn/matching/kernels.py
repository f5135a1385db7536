"""
The best matching, compiled: shortest augmenting paths.

The rows of the shorter side (called rows here, even if they are columns) are matched one by one,
each by the shortest path from the row to a column without a partner. The pairs on the path are
alternately outside and inside the matching. Prices of rows and columns keep all lengths of pairs
nonnegative, so that Dijkstra's algorithm finds the path ([Jonker and Volgenant,
1987](https://doi.org/10.1007/BF02278710); [Crouse, 2016](https://doi.org/10.1109/TAES.2016.140952),
of which SciPy also has a version). Most rows are matched beforehand, each with the cheapest column
at the initial prices, if that is free.
"""

from typing import NamedTuple

import numpy

from spigot_allennlp.nn.compilation import entry, kernel


class Assignment(NamedTuple):
    """
    The matching of some rows, and the prices that prove it to be the best.

    # Parameters

    row_prices, column_prices : `numpy.ndarray`
        Shapes `(num_rows,)` and `(num_columns,)`, float64: no cost is less than the sum of both,
        and the cost of a matched pair equals it.
    columns : `numpy.ndarray`
        Shape `(num_rows,)`, int64: the partner of each row; -1 for none.
    rows : `numpy.ndarray`
        Shape `(num_columns,)`, int64: the partner of each column; -1 for none.
    """

    row_prices: numpy.ndarray
    column_prices: numpy.ndarray
    columns: numpy.ndarray
    rows: numpy.ndarray


@entry
def best_matchings(scores, mask, matchings):
    """
    Writes ones into `matchings`, zeros of the shape of `scores`, `(batch_size, rows, columns)`, at
    the pairs of the best matching of each instance; none if no matching is possible.
    """
    for instance in range(len(scores)):
        rows = used(mask[instance])
        columns = used(mask[instance].T)
        if len(rows) <= len(columns):
            match(scores[instance], mask[instance], rows, columns, matchings[instance])
        else:
            match(scores[instance].T, mask[instance].T, columns, rows, matchings[instance].T)


@kernel
def used(mask):
    """Returns the indices of the rows that have any legal pair."""
    indices = numpy.empty(len(mask), dtype=numpy.int64)
    count = 0
    for row in range(len(mask)):
        if mask[row].any():
            indices[count] = row
            count += 1
    return indices[:count]


@kernel
def match(scores, mask, rows, columns, matching):
    """
    Writes the best matching of these rows into `matching`. There must be no more rows than columns.
    """
    costs = numpy.full((len(rows), len(columns)), numpy.inf)
    for row in range(len(rows)):
        for column in range(len(columns)):
            if mask[rows[row], columns[column]]:
                costs[row, column] = -scores[rows[row], columns[column]]
    assignment = Assignment(
        numpy.zeros(len(rows)),
        numpy.zeros(len(columns)),
        numpy.full(len(rows), -1),
        numpy.full(len(columns), -1),
    )
    match_cheapest(costs, assignment)
    lengths, previous = numpy.empty(len(columns)), numpy.empty(len(columns), dtype=numpy.int64)
    remaining = numpy.empty(len(columns), dtype=numpy.int64)
    for row in range(len(rows)):
        is_matched = assignment.columns[row] >= 0
        if not is_matched and not augment(costs, row, assignment, lengths, previous, remaining):
            return
    for row in range(len(rows)):
        matching[rows[row], columns[assignment.columns[row]]] = 1


@kernel
def match_cheapest(costs, assignment):
    """
    Sets the initial prices: for a column, its least cost, but only in a square, where every column
    is needed; for a row, its least remaining cost. Matches each row with a column where it has that
    cost, if such a column is free.
    """
    num_rows, num_columns = costs.shape
    if num_rows == num_columns:
        for column in range(num_columns):
            assignment.column_prices[column] = numpy.inf
        for row in range(num_rows):
            for column in range(num_columns):
                price = min(assignment.column_prices[column], costs[row, column])
                assignment.column_prices[column] = price
        for column in range(num_columns):
            if assignment.column_prices[column] == numpy.inf:  # no pair is possible
                assignment.column_prices[column] = 0.0
    for row in range(num_rows):
        lowest, cheapest = numpy.inf, -1
        for column in range(num_columns):
            cost = costs[row, column] - assignment.column_prices[column]
            is_free = assignment.rows[column] < 0
            if cost < lowest or (cost == lowest and is_free and cheapest >= 0):
                lowest, cheapest = cost, column
        if cheapest >= 0:
            assignment.row_prices[row] = lowest
            if assignment.rows[cheapest] < 0:
                assignment.columns[row], assignment.rows[cheapest] = cheapest, row


@kernel
def augment(costs, new_row, assignment, lengths, previous, remaining):
    """
    Also matches `new_row`, by the shortest augmenting path. Returns whether there is one. The other
    arrays are scratch space: the lengths of the shortest paths to columns, the rows before these,
    and columns that are not done.
    """
    row_prices, column_prices, partner_columns, partner_rows = assignment
    num_columns = len(column_prices)
    for column in range(num_columns):
        lengths[column], remaining[column] = numpy.inf, column
    row, shortest, num_remaining, last = new_row, 0.0, num_columns, -1
    while last < 0:
        nearest, lowest = -1, numpy.inf
        for index in range(num_remaining):
            column = remaining[index]
            length = shortest + costs[row, column] - row_prices[row] - column_prices[column]
            if length < lengths[column]:
                lengths[column], previous[column] = length, row
            # among equally near columns, one without a partner ends the path
            is_free = partner_rows[column] < 0
            if lengths[column] < lowest or (lengths[column] == lowest and is_free and nearest >= 0):
                nearest, lowest = index, lengths[column]
        if nearest < 0:  # also if scores are NaN
            return False
        shortest, column = lowest, remaining[nearest]
        # finished columns come after remaining ones
        num_remaining -= 1
        remaining[nearest], remaining[num_remaining] = remaining[num_remaining], column
        if partner_rows[column] < 0:
            last = column
        else:
            row = partner_rows[column]
    row_prices[new_row] += shortest
    for index in range(num_remaining, num_columns):
        column = remaining[index]
        if column != last:
            row_prices[partner_rows[column]] += shortest - lengths[column]
        column_prices[column] -= shortest - lengths[column]
    column = last
    while True:
        row = previous[column]
        partner_rows[column] = row
        partner_columns[row], column = column, partner_columns[row]
        if row == new_row:
            return True
