import numpy
import pytest

from spigot_allennlp.nn.compilation import kernel
from spigot_allennlp.nn.semirings.numbers import (
    BYTES,
    allocate,
    dual,
    exponential,
    extended,
    extended_dual,
    load,
    logarithm,
    real,
    store,
    to_plain,
    tropical,
)


@kernel
def combine(operands, like, results):
    """Sum, product and their composition of the first two of `operands`."""
    x, y = load(operands, 0, 0, like), load(operands, 0, 1, like)
    store(results, 0, 0, x + y)
    store(results, 0, 1, x * y)
    store(results, 0, 2, x * y + like)


@kernel
def divide(operands, like, results):
    store(results, 0, 0, load(operands, 0, 0, like) / load(operands, 0, 1, like))


@kernel
def combine_reals(operands, results):
    combine(operands, real(operands, 3), results)
    divide(operands, real(operands, 3), results[1:])


@kernel
def combine_duals(operands, results):
    combine(operands, dual(operands, 3), results)
    divide(operands, dual(operands, 3), results[1:])


@kernel
def combine_tropicals(operands, results):
    combine(operands, tropical(operands, 3), results)


def operands_and_results(parts, dtype):
    lanes = BYTES // numpy.dtype(dtype).itemsize
    generator = numpy.random.default_rng(0)
    operands = generator.uniform(1, 5, size=(1, 2, parts, lanes)).astype(dtype)
    return operands, numpy.zeros((2, 3, parts, lanes), dtype=dtype)


@pytest.mark.parametrize("dtype, lanes", [("float64", 8), ("float32", 16)])
def test_reals_add_multiply_and_divide_lane_by_lane(dtype, lanes):
    operands, results = operands_and_results(1, dtype)
    combine_reals(operands, results)
    x, y = operands[0, :, 0]
    assert x.shape == (lanes,)
    expected = [x + y, x * y, x * y + 3, x / y]
    numpy.testing.assert_allclose([*results[0, :, 0], results[1, 0, 0]], expected, rtol=1e-6)


def test_duals_carry_the_derivative_along():
    operands, results = operands_and_results(2, "float64")
    combine_duals(operands, results)
    (x, dx), (y, dy) = operands[0]
    values = [x + y, x * y, x * y + 3, x / y]
    tangents = [dx + dy, x * dy + dx * y, x * dy + dx * y, (dx * y - x * dy) / y**2]
    numpy.testing.assert_allclose([*results[0, :, 0], results[1, 0, 0]], values)
    numpy.testing.assert_allclose([*results[0, :, 1], results[1, 0, 1]], tangents)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_tropicals_take_maximum_and_sum(dtype):
    operands, results = operands_and_results(1, dtype)
    operands[0, 0, 0, 0] = -numpy.inf
    combine_tropicals(operands, results)
    x, y = operands[0, :, 0]
    expected = [numpy.maximum(x, y), x + y, numpy.maximum(x + y, 3)]
    numpy.testing.assert_array_equal(results[0, :, 0], expected)


def test_tropicals_pass_over_what_is_not_a_number():
    operands, results = operands_and_results(1, "float64")
    operands[0, 1, 0, 2] = numpy.nan
    combine_tropicals(operands, results)
    assert results[0, 0, 0, 2] == operands[0, 0, 0, 2]


@kernel
def exponentials(logs, slopes, zero, results):
    """Of `logs`, as they are found after they were stored as numbers of the kind of `zero`."""
    kept = allocate(zero, 1, logs.shape[1])
    for column in range(logs.shape[1]):
        log = load(logs, 0, column, tropical(logs, 0))
        store(kept, 0, column, exponential(log, load(slopes, 0, column, log), zero))
        store(results, 0, column, to_plain(load(kept, 0, column, zero)))


@kernel
def real_exponentials(logs, slopes, results):
    exponentials(logs, slopes, real(logs, 0), results)


@kernel
def extended_exponentials(logs, slopes, results):
    exponentials(logs, slopes, extended(logs, 0), results)


@kernel
def extended_dual_exponentials(logs, slopes, results):
    exponentials(logs, slopes, extended_dual(logs, 0), results)


LOGS = [0.0, -1e-300, -1e-9, -0.3, -1.0, -17.5, -345.6, -700.0, -800.0, -1e5, -1e13, -numpy.inf]


def in_all_lanes(values):
    return numpy.repeat(values, 8).reshape(1, len(values), 1, 8)


@pytest.mark.parametrize("exponentials", [real_exponentials, extended_exponentials])
def test_exponentials_are_right_to_the_last_digits(exponentials):
    values = numpy.concatenate([LOGS, numpy.random.default_rng(1).uniform(-700, 0, 500)])
    logs = in_all_lanes(values)
    results = numpy.empty_like(logs)
    exponentials(logs, logs, results)
    numpy.testing.assert_allclose(results, numpy.exp(logs), rtol=5e-16, atol=1e-300)


def test_exponentials_move_with_their_logarithms():
    logs, slopes = in_all_lanes([-1.0, -650.0, -1e5]), in_all_lanes([2.0, -3.0, 1e3])
    results = numpy.empty((1, 3, 2, 8))
    extended_dual_exponentials(logs, slopes, results)
    expected = numpy.concatenate([numpy.exp(logs), slopes * numpy.exp(logs)], axis=2)
    numpy.testing.assert_allclose(results, expected, rtol=1e-15)


@kernel
def extended_logarithms(logs, results):
    """Of sum, product and quotient of the exponentials of the first two of `logs`, kept between."""
    none = tropical(logs, 0)
    zero, kept = extended(logs, 0), allocate(extended(logs, 0), 1, 3)
    x = exponential(load(logs, 0, 0, none), none, zero)
    y = exponential(load(logs, 0, 1, none), none, zero)
    store(kept, 0, 0, zero + x + y)
    store(kept, 0, 1, x * y)
    store(kept, 0, 2, x / y)
    for column in range(3):
        store(results, 0, column, logarithm(load(kept, 0, column, zero)))


@pytest.mark.parametrize(
    "x, y", [(0.0, 0.0), (1.0, -2.0), (-5000.0, -5001.0), (3e4, -3e4), (1e9, -1e9), (2.0, -1e13)]
)
def test_extended_numbers_are_of_any_size(x, y):
    results = numpy.empty((1, 3, 1, 8))
    extended_logarithms(in_all_lanes([x, y]), results)
    if y < -1e12:  # as good as impossible
        assert results[0, 0, 0, 0] == x and results[0, 1, 0, 0] == -numpy.inf
        return
    expected = [numpy.logaddexp(x, y), x + y, x - y]
    numpy.testing.assert_allclose(results[0, :, 0, 0], expected, rtol=1e-15, atol=1e-15 * abs(x))


@kernel
def extended_product(left, right, results):
    like = extended_dual(results, 0)
    x, y = load(left, 0, 0, like), load(right, 0, 0, like)
    store(results, 0, 0, x * y + x)
    store(results, 0, 1, x / y)


def test_tangents_share_the_exponent_of_their_value():
    left, right, results = (
        numpy.empty((1, 1, 3, 8)),
        numpy.empty((1, 1, 3, 8)),
        numpy.empty((1, 2, 3, 8)),
    )
    left[0, 0], right[0, 0] = [[1.5], [-0.5], [2000.0]], [[1.25], [3.0], [0.0]]
    extended_product(left, right, results)
    value, tangent, exponent = results[0, :, :, 0].T
    assert (1 <= value).all() and (value < 2).all()
    x, dx, y, dy = 1.5, -0.5, 1.25, 3.0
    numpy.testing.assert_allclose(value * 2 ** (exponent - 2000), [x * y + x, x / y])
    derivatives = [dx * y + x * dy + dx, (dx * y - x * dy) / y**2]
    numpy.testing.assert_allclose(tangent * 2 ** (exponent - 2000), derivatives)


@kernel
def real_logarithms(values, results):
    for column in range(values.shape[1]):
        store(results, 0, column, logarithm(load(values, 0, column, real(values, 0))))


def test_a_plain_number_near_the_ends_of_its_range_has_no_logarithm():
    values = in_all_lanes([1.0, 1e-140, 1e140, 1e-160, 1e160, 0.0, numpy.inf, numpy.nan])
    results = numpy.empty_like(values)
    real_logarithms(values, results)
    expected = [0.0, numpy.log(1e-140), numpy.log(1e140), *[numpy.nan] * 5]
    numpy.testing.assert_allclose(results[0, :, 0, 3], expected, rtol=1e-15)


@kernel
def places(like, rows, columns):
    chart = allocate(real(like, 0), rows, columns)
    return chart.ctypes.data, chart.shape


@pytest.mark.parametrize("dtype, lanes", [("float64", 8), ("float32", 16)])
def test_numbers_rest_on_whole_cache_lines(dtype, lanes):
    start, shape = places(numpy.zeros(1, dtype), 3, 4)
    assert start % BYTES == 0
    assert shape == (3, 5, 1, lanes)  # and rows are of odd length
