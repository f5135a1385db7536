"""
The machine code of numbers in lanes (see `lanes.py`): what sums, products and the like do to
their vectors.

A *wide* number has an exponent of its own, a whole number that is kept in floating point; so powers
of two are made of bits rather than computed, and nothing here is slow on any processor.
"""

import math
from dataclasses import dataclass
from typing import Callable, Optional

from llvmlite import ir
from llvmlite.ir import IRBuilder, Value

# Below this logarithm nothing is left of a number: it is zero.
LEAST_LOGARITHM = -1e12

# Of a sum over objects in plain numbers, of factors up to one. Where it is smaller, what was too
# small for a double may have mattered; where it is larger than the inverse, what was too large.
LEAST_TOTAL = 1e-150

# The exponent of a wide zero: below that of any sum or product it meets.
_OF_ZERO = -1e300
_BITS, _BIAS = 52, 1023
# Added to a small whole number, these leave it in the lowest bits.
_SIGNED_IN_BITS, _IN_BITS = 1.5 * 2.0**_BITS, 2.0**_BITS
_LOG_2_HIGH, _LOG_2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_TAYLOR = [1 / math.factorial(power) for power in range(13, -1, -1)]


@dataclass(frozen=True)
class Vectors:
    """The vectors of a number: value, derivative along a direction, power of two to multiply by."""

    value: Value
    tangent: Optional[Value] = None
    exponent: Optional[Value] = None


def total(builder: IRBuilder, x: Vectors, y: Vectors) -> Vectors:
    """`x + y`."""
    if x.exponent is not None:
        exponent = _larger(builder, x.exponent, y.exponent)
        x, y = (_at_exponent(builder, each, exponent) for each in (x, y))
    tangent = None if x.tangent is None else _plus(builder, x.tangent, y.tangent)
    return Vectors(_plus(builder, x.value, y.value), tangent, x.exponent)


def product(builder: IRBuilder, x: Vectors, y: Vectors) -> Vectors:
    """`x * y`."""
    tangent, exponent = None, None
    if x.tangent is not None:
        one, other = _times(builder, x.value, y.tangent), _times(builder, x.tangent, y.value)
        tangent = _plus(builder, one, other)
    if x.exponent is not None:
        exponent = builder.fadd(x.exponent, y.exponent)
    return Vectors(_times(builder, x.value, y.value), tangent, exponent)


def quotient(builder: IRBuilder, x: Vectors, y: Vectors) -> Vectors:
    """`x / y`."""
    value, tangent, exponent = builder.fdiv(x.value, y.value), None, None
    if x.tangent is not None:
        excess = builder.fsub(x.tangent, builder.fmul(value, y.tangent))
        tangent = builder.fdiv(excess, y.value)
    if x.exponent is not None:
        exponent = builder.fsub(x.exponent, y.exponent)
    return Vectors(value, tangent, exponent)


def larger(builder: IRBuilder, x: Vectors, y: Vectors) -> Vectors:
    """The larger of two plain numbers; `x` if either is none."""
    return Vectors(_larger(builder, y.value, x.value))


def sum_of_values(builder: IRBuilder, x: Vectors, y: Vectors) -> Vectors:
    """`x + y`, of plain numbers."""
    return Vectors(builder.fadd(x.value, y.value))


def difference(builder: IRBuilder, x: Vectors, y: Vectors) -> Vectors:
    """`x - y`, of plain numbers."""
    return Vectors(builder.fsub(x.value, y.value))


def exponential(builder: IRBuilder, x: Value, wide: bool) -> Vectors:
    """
    `e^x`: `2^k e^r` with `k` whole and `|r| <= log(2) / 2`, `e^r` by its Taylor series. Right to
    the last digits of a double; what is not wide underflows to zero, and must not be large.
    """
    near = _plus(builder, _by(builder, x, math.log2(math.e)), _all(x, _SIGNED_IN_BITS))
    power = builder.fsub(near, _all(x, _SIGNED_IN_BITS))
    rest = _plus(builder, x, _by(builder, power, -_LOG_2_HIGH))
    rest = _plus(builder, rest, _by(builder, power, -_LOG_2_LOW))
    value = _all(x, _TAYLOR[0])
    for coefficient in _TAYLOR[1:]:
        value = _plus(builder, _times(builder, value, rest), _all(x, coefficient))
    impossible = builder.fcmp_ordered("<", x, _all(x, LEAST_LOGARITHM))
    value = builder.select(impossible, _all(x, 0.0), value)
    if wide:
        return Vectors(value, exponent=builder.select(impossible, _all(x, _OF_ZERO), power))
    return Vectors(_times(builder, value, _power_of_two(builder, power)))


def logarithm(builder: IRBuilder, x: Vectors) -> Value:
    """The natural logarithm; none of a plain number beyond `LEAST_TOTAL` or its inverse."""
    vector = x.value.type
    name = f"llvm.log.v{vector.count}{vector.element.intrinsic_name}"
    natural = builder.module.declare_intrinsic(name, fnty=ir.FunctionType(vector, [vector]))
    found = builder.call(natural, [x.value])
    if x.exponent is not None:
        return builder.fadd(found, _by(builder, x.exponent, math.log(2)))
    safe = builder.fcmp_ordered(">", x.value, _all(x.value, LEAST_TOTAL))
    bounded = builder.fcmp_ordered("<", x.value, _all(x.value, 1 / LEAST_TOTAL))
    return builder.select(builder.and_(safe, bounded), found, _all(x.value, math.nan))


def normal(builder: IRBuilder, x: Vectors) -> Vectors:
    """A wide number with its value between one and two, or zero."""
    bits = builder.lshr(_as_integers(builder, x.value), _all_integers(x.value, _BITS))
    bits = builder.or_(bits, _as_integers(builder, _all(x.value, _IN_BITS)))
    power = builder.fsub(_as_floats(builder, bits, x.value), _all(x.value, _IN_BITS + _BIAS))
    exponent = builder.fadd(x.exponent, power)
    positive = builder.fcmp_ordered(">", x.value, _all(x.value, 0.0))
    exponent = builder.select(positive, exponent, _all(x.value, _OF_ZERO))
    return _scaled(builder, x, builder.fsub(_all(x.value, 0.0), power), exponent)


def narrow(builder: IRBuilder, x: Vectors) -> Vectors:
    """A wide number without its exponent; zero if it is very small, and it must not be large."""
    return _scaled(builder, x, x.exponent, None)


def _at_exponent(builder: IRBuilder, x: Vectors, exponent: Value) -> Vectors:
    """The same number with a larger exponent."""
    return _scaled(builder, x, builder.fsub(x.exponent, exponent), exponent)


def _scaled(builder: IRBuilder, x: Vectors, power: Value, exponent: Optional[Value]) -> Vectors:
    factor = _power_of_two(builder, power)
    tangent = None if x.tangent is None else _times(builder, x.tangent, factor)
    return Vectors(_times(builder, x.value, factor), tangent, exponent)


def _power_of_two(builder: IRBuilder, power: Value) -> Value:
    """`2^power`, of whole numbers not above 1023; zero below the range of a double."""
    power = _larger(builder, power, _all(power, -_BIAS))
    bits = builder.fadd(power, _all(power, _SIGNED_IN_BITS + _BIAS))
    shifted = builder.shl(_as_integers(builder, bits), _all_integers(power, _BITS))
    return _as_floats(builder, shifted, power)


def _larger(builder: IRBuilder, x: Value, y: Value) -> Value:
    """The larger; `y` if either is no number."""
    return builder.select(builder.fcmp_ordered(">", x, y), x, y)


def _contracting(name: str) -> Callable[[IRBuilder, Value, Value], Value]:
    """An operation that may become one instruction with a neighbouring one."""
    return lambda builder, x, y: getattr(builder, name)(x, y, flags=("contract",))


_plus, _times = _contracting("fadd"), _contracting("fmul")


def _by(builder: IRBuilder, x: Value, factor: float) -> Value:
    return _times(builder, x, _all(x, factor))


def _all(like: Value, value: float) -> Value:
    """A vector, of the type of `like`, with `value` in all lanes."""
    return ir.Constant(like.type, [ir.Constant(like.type.element, float(value))] * like.type.count)


def _integers(like: Value) -> ir.VectorType:
    return ir.VectorType(ir.IntType(64), like.type.count)


def _all_integers(like: Value, value: int) -> Value:
    return ir.Constant(_integers(like), [ir.Constant(ir.IntType(64), value)] * like.type.count)


def _as_integers(builder: IRBuilder, x: Value) -> Value:
    return builder.bitcast(x, _integers(x))


def _as_floats(builder: IRBuilder, x: Value, like: Value) -> Value:
    return builder.bitcast(x, like.type)
