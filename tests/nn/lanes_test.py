import numpy
import pytest

from spigot_allennlp.nn.compilation import kernel
from spigot_allennlp.nn.lanes import BYTES, dual, load, real, store, tropical


@kernel
def combine(numbers, like, results):
    """Sum, product and their composition of the first two of `numbers`."""
    x, y = load(numbers, 0, 0, like), load(numbers, 0, 1, like)
    store(results, 0, 0, x + y)
    store(results, 0, 1, x * y)
    store(results, 0, 2, x * y + like)


@kernel
def divide(numbers, like, results):
    store(results, 0, 0, load(numbers, 0, 0, like) / load(numbers, 0, 1, like))


@kernel
def combine_reals(numbers, results):
    combine(numbers, real(numbers, 3), results)
    divide(numbers, real(numbers, 3), results[1:])


@kernel
def combine_duals(numbers, results):
    combine(numbers, dual(numbers, 3), results)
    divide(numbers, dual(numbers, 3), results[1:])


@kernel
def combine_tropicals(numbers, results):
    combine(numbers, tropical(numbers, 3), results)


def numbers_and_results(parts, dtype):
    lanes = BYTES // numpy.dtype(dtype).itemsize
    generator = numpy.random.default_rng(0)
    numbers = generator.uniform(1, 5, size=(1, 2, parts, lanes)).astype(dtype)
    return numbers, numpy.zeros((2, 3, parts, lanes), dtype=dtype)


@pytest.mark.parametrize("dtype, lanes", [("float64", 8), ("float32", 16)])
def test_reals_add_multiply_and_divide_lane_by_lane(dtype, lanes):
    numbers, results = numbers_and_results(1, dtype)
    combine_reals(numbers, results)
    x, y = numbers[0, :, 0]
    assert x.shape == (lanes,)
    expected = [x + y, x * y, x * y + 3, x / y]
    numpy.testing.assert_allclose([*results[0, :, 0], results[1, 0, 0]], expected, rtol=1e-6)


def test_duals_carry_the_derivative_along():
    numbers, results = numbers_and_results(2, "float64")
    combine_duals(numbers, results)
    (x, dx), (y, dy) = numbers[0]
    values = [x + y, x * y, x * y + 3, x / y]
    tangents = [dx + dy, x * dy + dx * y, x * dy + dx * y, (dx * y - x * dy) / y**2]
    numpy.testing.assert_allclose([*results[0, :, 0], results[1, 0, 0]], values)
    numpy.testing.assert_allclose([*results[0, :, 1], results[1, 0, 1]], tangents)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_tropicals_take_maximum_and_sum(dtype):
    numbers, results = numbers_and_results(1, dtype)
    numbers[0, 0, 0, 0] = -numpy.inf
    combine_tropicals(numbers, results)
    x, y = numbers[0, :, 0]
    expected = [numpy.maximum(x, y), x + y, numpy.maximum(x + y, 3)]
    numpy.testing.assert_array_equal(results[0, :, 0], expected)


def test_tropicals_pass_over_what_is_not_a_number():
    numbers, results = numbers_and_results(1, "float64")
    numbers[0, 1, 0, 2] = numpy.nan
    combine_tropicals(numbers, results)
    assert results[0, 0, 0, 2] == numbers[0, 0, 0, 2]
