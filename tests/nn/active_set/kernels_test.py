import numpy
import pytest

from spigot_allennlp.nn.active_set.kernels import (
    append_row,
    remove_row,
    solve,
    solve_transposed,
)

SIZE = 7


@pytest.fixture
def matrix():
    vectors = numpy.random.default_rng(3).integers(-2, 3, (SIZE, 30))
    return (vectors @ vectors.T).astype(float)


def factor_of(matrix):
    """Returns the factor, appended row by row, with space for one more row."""
    factor = numpy.full((len(matrix) + 1, len(matrix) + 1), numpy.nan)
    for count in range(len(matrix)):
        assert append_row(factor, count, matrix[: count + 1, count].copy())
    return factor


def product_of(factor, count):
    upper = numpy.triu(factor[:count, :count])
    return upper.T @ upper


def test_the_factor_of_appended_rows_is_that_of_the_matrix(matrix):
    numpy.testing.assert_allclose(product_of(factor_of(matrix), SIZE), matrix)


@pytest.mark.parametrize("removed", range(SIZE))
def test_a_removed_row_is_gone_and_can_be_appended_again(matrix, removed):
    factor, others = factor_of(matrix), numpy.delete(numpy.arange(SIZE), removed)
    remove_row(factor, SIZE, removed)
    rest = matrix[numpy.ix_(others, others)]
    numpy.testing.assert_allclose(product_of(factor, SIZE - 1), rest)
    assert append_row(factor, SIZE - 1, matrix[[*others, removed], removed].copy())
    order = [*others, removed]
    numpy.testing.assert_allclose(product_of(factor, SIZE), matrix[numpy.ix_(order, order)])


def test_the_only_row_can_be_removed(matrix):
    factor = factor_of(matrix[:1, :1])
    remove_row(factor, 1, 0)
    assert append_row(factor, 0, matrix[1, 1:2].copy())
    numpy.testing.assert_allclose(factor[0, 0] ** 2, matrix[1, 1])


def test_both_halves_of_a_system_are_solved(matrix):
    factor, values = factor_of(matrix), numpy.arange(1.0, SIZE + 1)
    solution = values.copy()
    solve_transposed(factor, SIZE, solution)
    solve(factor, SIZE, solution)
    numpy.testing.assert_allclose(matrix @ solution, values)


def test_a_combination_of_the_other_rows_is_not_appended(matrix):
    factor = factor_of(matrix)
    before = product_of(factor, SIZE)
    weights = numpy.arange(SIZE) - 2.0
    combined = numpy.append(matrix @ weights, weights @ matrix @ weights)
    assert not append_row(factor, SIZE, combined)
    numpy.testing.assert_array_equal(product_of(factor, SIZE), before)


def test_many_changes_leave_the_factor_exact(matrix):
    generator, factor, order = numpy.random.default_rng(4), factor_of(matrix), list(range(SIZE))
    for _ in range(500):
        removed = generator.integers(SIZE)
        remove_row(factor, SIZE, removed)
        order.append(order.pop(removed))
        assert append_row(factor, SIZE - 1, matrix[order, order[-1]].copy())
    numpy.testing.assert_allclose(product_of(factor, SIZE), matrix[numpy.ix_(order, order)])
