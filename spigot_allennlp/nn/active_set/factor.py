"""
The Cholesky factor of a matrix that gains and loses rows, as machine code.

The matrix is symmetric, and only its factor is kept: the upper triangle of the first `count` rows
of `factor`, whose transpose times itself is the matrix. Gaining and losing a row (and its column)
costs as much as solving, `count` squared steps, where a new factor would cost `count` cubed.
"""

import numpy

from spigot_allennlp.nn.compilation import kernel

# A row of which no more than this share is left, when what those before explain is taken away, is
# one that they explain.
EXPLAINED = 1e-10


@kernel
def gain(factor, count, values):
    """
    Whether the matrix, having gained a row of `values` (its products with the rows before, then
    with itself), is of full rank; if it is not, the row is not gained. `values` is overwritten.
    """
    whole = values[count]
    solve_transposed(factor, count, values)
    rest = whole
    for place in range(count):
        rest -= values[place] ** 2
    if rest > EXPLAINED * whole:
        for place in range(count):
            factor[place, count] = values[place]
        factor[count, count] = numpy.sqrt(rest)
        return True
    return False


@kernel
def lose(factor, count, leaving):
    """Takes the row and the column `leaving` out of the matrix."""
    for row in range(count):
        first = max(leaving, row - 1)
        line = factor[row, first:count]
        for place in range(len(line) - 1):
            line[place] = line[place + 1]
    # what now stands below the diagonal is turned onto it
    for row in range(leaving, count - 1):
        upper, lower = factor[row, row : count - 1], factor[row + 1, row : count - 1]
        length = numpy.hypot(upper[0], lower[0])
        cosine, sine = upper[0] / length, lower[0] / length
        for place in range(len(upper)):
            above, below = upper[place], lower[place]
            upper[place] = cosine * above + sine * below
            lower[place] = cosine * below - sine * above


@kernel
def solve_transposed(factor, count, values):
    """Puts the solution of `factor^T @ solution = values` in the place of `values`."""
    for row in range(count):
        value = values[row] / factor[row, row]
        values[row] = value
        line, rest = factor[row, row + 1 : count], values[row + 1 : count]
        for place in range(len(line)):
            rest[place] -= line[place] * value


@kernel
def solve(factor, count, values):
    """Puts the solution of `factor @ solution = values` in the place of `values`."""
    for row in range(count - 1, -1, -1):
        value = values[row]
        line, known = factor[row, row + 1 : count], values[row + 1 : count]
        for place in range(len(line)):
            value -= line[place] * known[place]
        values[row] = value / factor[row, row]
