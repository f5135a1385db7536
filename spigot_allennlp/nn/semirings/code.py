"""
The machine code of numbers (see `numbers.py`): sums, products and other operations on their
vectors.

The exponent of an *extended* number is an integer stored in floating point. Powers of two are
assembled from bits instead of computed, so nothing here is slow on any machine.
"""

import math
from dataclasses import dataclass
from typing import Callable, Optional

from llvmlite import ir
from llvmlite.ir import IRBuilder, Value

# The exponential of a smaller logarithm is exactly zero.
MIN_LOGARITHM = -1e12

# For a sum over objects in plain numbers, with factors up to one. If the sum is smaller, underflow
# may have mattered; if it is larger than the inverse, overflow may have.
MIN_TOTAL = 1e-150

# The exponent of an extended zero, below that of any sum or product that is combined with it.
_EXPONENT_OF_ZERO = -1e300
_BITS, _BIAS = 52, 1023
# Adding these to a small integer leaves it in the lowest bits.
_SIGNED_IN_BITS, _IN_BITS = 1.5 * 2.0**_BITS, 2.0**_BITS
_LOG_2_HIGH, _LOG_2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_TAYLOR = [1 / math.factorial(power) for power in range(13, -1, -1)]


@dataclass(frozen=True)
class Vectors:
    """
    The vectors of a number, one element for each lane.

    # Parameters

    value : `Value`
    tangent : `Value`, optional
        The derivative of the number along a direction, with the same exponent.
    exponent : `Value`, optional
        The power of two to multiply value and tangent by.
    """

    value: Value
    tangent: Optional[Value] = None
    exponent: Optional[Value] = None


def add(builder: IRBuilder, x: Vectors, y: Vectors) -> Vectors:
    """Returns `x + y`."""
    if x.exponent is not None:
        exponent = _maximum(builder, x.exponent, y.exponent)
        x, y = (_at_exponent(builder, number, exponent) for number in (x, y))
    tangent = None if x.tangent is None else _plus(builder, x.tangent, y.tangent)
    return Vectors(_plus(builder, x.value, y.value), tangent, x.exponent)


def multiply(builder: IRBuilder, x: Vectors, y: Vectors) -> Vectors:
    """Returns `x * y`."""
    tangent, exponent = None, None
    if x.tangent is not None:
        tangent = _plus(
            builder, _times(builder, x.value, y.tangent), _times(builder, x.tangent, y.value)
        )
    if x.exponent is not None:
        exponent = builder.fadd(x.exponent, y.exponent)
    return Vectors(_times(builder, x.value, y.value), tangent, exponent)


def divide(builder: IRBuilder, x: Vectors, y: Vectors) -> Vectors:
    """Returns `x / y`."""
    value, tangent, exponent = builder.fdiv(x.value, y.value), None, None
    if x.tangent is not None:
        excess = builder.fsub(x.tangent, builder.fmul(value, y.tangent))
        tangent = builder.fdiv(excess, y.value)
    if x.exponent is not None:
        exponent = builder.fsub(x.exponent, y.exponent)
    return Vectors(value, tangent, exponent)


def maximum(builder: IRBuilder, x: Vectors, y: Vectors) -> Vectors:
    """Returns the larger of two plain numbers; `x` if either is NaN."""
    return Vectors(_maximum(builder, y.value, x.value))


def add_values(builder: IRBuilder, x: Vectors, y: Vectors) -> Vectors:
    """Returns `x + y` for plain numbers, never fused with a product."""
    return Vectors(builder.fadd(x.value, y.value))


def subtract_values(builder: IRBuilder, x: Vectors, y: Vectors) -> Vectors:
    """Returns `x - y` for plain numbers."""
    return Vectors(builder.fsub(x.value, y.value))


def exponential(builder: IRBuilder, x: Value, is_extended: bool) -> Vectors:
    """
    Returns `e^x` as `2^k e^r` with integer `k` and `|r| <= log(2) / 2`, and `e^r` by its Taylor
    series. It is accurate to the last digits of a double. Unless it is extended, it underflows to
    zero, and `x` must not be large.
    """
    rounded = _plus(builder, _scale_by(builder, x, math.log2(math.e)), _fill(x, _SIGNED_IN_BITS))
    power = builder.fsub(rounded, _fill(x, _SIGNED_IN_BITS))
    remainder = _plus(builder, x, _scale_by(builder, power, -_LOG_2_HIGH))
    remainder = _plus(builder, remainder, _scale_by(builder, power, -_LOG_2_LOW))
    value = _fill(x, _TAYLOR[0])
    for coefficient in _TAYLOR[1:]:
        value = _plus(builder, _times(builder, value, remainder), _fill(x, coefficient))
    is_zero = builder.fcmp_ordered("<", x, _fill(x, MIN_LOGARITHM))
    value = builder.select(is_zero, _fill(x, 0.0), value)
    if is_extended:
        exponent = builder.select(is_zero, _fill(x, _EXPONENT_OF_ZERO), power)
        return Vectors(value, exponent=exponent)
    return Vectors(_times(builder, value, _power_of_two(builder, power)))


def logarithm(builder: IRBuilder, x: Vectors) -> Value:
    """Returns the natural logarithm; NaN for a plain number beyond `MIN_TOTAL` or its inverse."""
    vector = x.value.type
    name = f"llvm.log.v{vector.count}{vector.element.intrinsic_name}"
    natural = builder.module.declare_intrinsic(name, fnty=ir.FunctionType(vector, [vector]))
    result = builder.call(natural, [x.value])
    if x.exponent is not None:
        return builder.fadd(result, _scale_by(builder, x.exponent, math.log(2)))
    above = builder.fcmp_ordered(">", x.value, _fill(x.value, MIN_TOTAL))
    below = builder.fcmp_ordered("<", x.value, _fill(x.value, 1 / MIN_TOTAL))
    return builder.select(builder.and_(above, below), result, _fill(x.value, math.nan))


def normalize(builder: IRBuilder, x: Vectors) -> Vectors:
    """Returns an extended number with its value between one and two, or zero."""
    bits = builder.lshr(_as_integers(builder, x.value), _fill_integers(x.value, _BITS))
    bits = builder.or_(bits, _as_integers(builder, _fill(x.value, _IN_BITS)))
    power = builder.fsub(_as_floats(builder, bits, x.value), _fill(x.value, _IN_BITS + _BIAS))
    exponent = builder.fadd(x.exponent, power)
    positive = builder.fcmp_ordered(">", x.value, _fill(x.value, 0.0))
    exponent = builder.select(positive, exponent, _fill(x.value, _EXPONENT_OF_ZERO))
    return _scale(builder, x, builder.fsub(_fill(x.value, 0.0), power), exponent)


def without_exponent(builder: IRBuilder, x: Vectors) -> Vectors:
    """Returns an extended number as a plain one: zero if very small; it must not be large."""
    return _scale(builder, x, x.exponent, None)


def _at_exponent(builder: IRBuilder, x: Vectors, exponent: Value) -> Vectors:
    """Returns the same number with a larger exponent."""
    return _scale(builder, x, builder.fsub(x.exponent, exponent), exponent)


def _scale(builder: IRBuilder, x: Vectors, power: Value, exponent: Optional[Value]) -> Vectors:
    """Returns value and tangent times `2^power`, with the exponent `exponent`."""
    factor = _power_of_two(builder, power)
    tangent = None if x.tangent is None else _times(builder, x.tangent, factor)
    return Vectors(_times(builder, x.value, factor), tangent, exponent)


def _power_of_two(builder: IRBuilder, power: Value) -> Value:
    """Returns `2^power` for integers up to 1023; zero below the range of a double."""
    power = _maximum(builder, power, _fill(power, -_BIAS))
    bits = builder.fadd(power, _fill(power, _SIGNED_IN_BITS + _BIAS))
    shifted = builder.shl(_as_integers(builder, bits), _fill_integers(power, _BITS))
    return _as_floats(builder, shifted, power)


def _maximum(builder: IRBuilder, x: Value, y: Value) -> Value:
    """Returns the larger; `y` if either is NaN."""
    return builder.select(builder.fcmp_ordered(">", x, y), x, y)


def _contracting(name: str) -> Callable[[IRBuilder, Value, Value], Value]:
    """Returns an operation that may be fused with a neighbouring one."""
    return lambda builder, x, y: getattr(builder, name)(x, y, flags=("contract",))


_plus, _times = _contracting("fadd"), _contracting("fmul")


def _scale_by(builder: IRBuilder, x: Value, factor: float) -> Value:
    """Returns `x * factor`."""
    return _times(builder, x, _fill(x, factor))


def _fill(like: Value, value: float) -> Value:
    """Returns a vector with the type of `like` and `value` in all lanes."""
    return ir.Constant(like.type, [ir.Constant(like.type.element, float(value))] * like.type.count)


def _fill_integers(like: Value, value: int) -> Value:
    """Returns a vector of integers, one per lane of `like`, with `value` in all."""
    return ir.Constant(_integers(like), [ir.Constant(ir.IntType(64), value)] * like.type.count)


def _integers(like: Value) -> ir.VectorType:
    """Returns the type of a vector of integers, one per lane of `like`."""
    return ir.VectorType(ir.IntType(64), like.type.count)


def _as_integers(builder: IRBuilder, x: Value) -> Value:
    """Returns the bits of floating-point numbers as integers."""
    return builder.bitcast(x, _integers(x))


def _as_floats(builder: IRBuilder, x: Value, like: Value) -> Value:
    """Returns bits as floating-point numbers of the type of `like`."""
    return builder.bitcast(x, like.type)
