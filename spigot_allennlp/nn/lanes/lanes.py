"""
Numbers for kernels that work on several sentences at once.

A *number* is a vector of 64 bytes, with a *lane* for each of 8 sentences in double precision, or of
16 in single. Its kind says what `+` and `*` mean, so that a recurrence written once gives a sum
over all objects (`real`), that sum with its derivative along a direction (`dual`: a value and a
tangent), or the best object (`tropical`: `+` is the maximum, `*` the sum, `/` the difference).
`wide` and `wide_dual` are `real` and `dual` with an exponent of their own, always in double
precision: what is of any size beside what is of any other size, at some three times the price. As a
type of its own, the vector stays in registers, however wide those of the processor are; a loop over
8 lanes of an array numba would leave scalar.

Between computations numbers rest in arrays of shape `(rows, columns, parts, lanes)`, the parts
being value, tangent, exponent, as far as the kind has them.
"""

import operator
from dataclasses import replace
from typing import Any, Callable, List

import numpy
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from spigot_allennlp.nn.lanes import code
from spigot_allennlp.nn.lanes.code import Vectors
from spigot_allennlp.nn.lanes.types import BYTES, Number


def _constant(kind: str) -> Callable:
    @intrinsic
    def constant(_, array, value):
        number = Number(array.dtype, kind)

        def generate(context, builder, signature, args):
            value = context.cast(builder, args[1], signature.args[1], number.dtype)
            return number.put_together(context, builder, number.constant(context, builder, value))

        return number(array, value), generate

    return constant


# `real(array, value)`: `value` in all lanes, its tangent zero, in the precision of `array`.
real, dual, tropical = _constant("real"), _constant("dual"), _constant("tropical")
wide, wide_dual = _constant("wide"), _constant("wide_dual")


def numbers(like: Any, rows: int, columns: int) -> numpy.ndarray:
    """In a kernel: an array for numbers of the kind of `like`, not filled, on whole cache lines."""
    raise NotImplementedError


@overload(numbers)
def _numbers(like, rows, columns):
    dtype, parts, lanes = numpy.dtype(like.dtype.name), like.parts, like.lanes

    def allocate(like, rows, columns):
        # an odd number of columns, lest those of one column crowd into few places of a cache
        width = (columns | 1) * parts
        raw = numpy.empty((rows * width + 1) * lanes, dtype)
        start = -raw.ctypes.data % BYTES // raw.itemsize
        chart = raw[start : start + rows * width * lanes]
        return chart.reshape((rows, columns | 1, parts, lanes))

    return allocate


@intrinsic
def load(_, array, row, column, like):
    """
    `load(array, row, column, like)` is the number at that place, of the kind of the number `like`.
    """

    def generate(context, builder, signature, args):
        number = ir.Constant(context.get_value_type(like), ir.Undefined)
        for part, pointer in enumerate(_pointers(context, builder, signature, args, like)):
            vector = builder.load(pointer)
            vector.align = like.dtype.bitwidth // 8
            number = builder.insert_value(number, vector, part)
        return number

    return like(array, row, column, like), generate


@intrinsic
def store(_, array, row, column, number):
    """`store(array, row, column, number)` puts `number` there."""

    def generate(context, builder, signature, args):
        stored = args[3]
        if number.is_wide:
            normal = code.normal(builder, number.take_apart(builder, stored))
            stored = number.put_together(context, builder, normal)
        for part, pointer in enumerate(_pointers(context, builder, signature, args, number)):
            vector = builder.extract_value(stored, part)
            builder.store(vector, pointer, align=number.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, row, column, number), generate


def _pointers(context, builder, signature, args, number: Number) -> List[ir.Value]:
    """
    Where each part of the number at `args[1], args[2]` of the array `args[0]` begins; unchecked.
    """
    array_type, vector = signature.args[0], context.get_value_type(number).element
    array = context.make_array(array_type)(context, builder, args[0])
    row, column = (
        context.cast(builder, args[place], signature.args[place], types.intp) for place in (1, 2)
    )
    first, *_ = parts = [context.get_constant(types.intp, part) for part in range(number.parts)]
    places = [[row, column, part, first] for part in parts]
    starts = [
        cgutils.get_item_pointer(context, builder, array_type, array, place) for place in places
    ]
    return [builder.bitcast(start, vector.as_pointer()) for start in starts]


@intrinsic
def exponential(_, logarithm, slope, like):
    """
    `e` to the power of a tropical number, as a number of the kind of `like`: zero below
    `LEAST_LOGARITHM`, and unless it is wide it must not be large. If it has a tangent, that is what
    `logarithm` moving by `slope` (tropical, too) brings.
    """

    def generate(context, builder, signature, args):
        power, slope = (builder.extract_value(each, 0) for each in args[:2])
        found = code.exponential(builder, power, like.is_wide)
        if like.is_dual:
            found = replace(found, tangent=builder.fmul(found.value, slope))
        return like.put_together(context, builder, found)

    return like(logarithm, slope, like), generate


@intrinsic
def logarithm(_, number):
    """
    The logarithm of a number, as a tropical one. Of a plain one it is none ("not a number") if that
    is so small or large that in the sums which led to it something may have been lost.
    """
    tropical_number = Number(number.dtype, "tropical")

    def generate(context, builder, signature, args):
        found = code.logarithm(builder, number.take_apart(builder, args[0]))
        return tropical_number.put_together(context, builder, Vectors(found))

    return tropical_number(number), generate


@intrinsic
def narrow(_, number):
    """
    A wide number as a plain one: zero if it is very small, and it must not be large. A plain one
    as it is.
    """
    plain = Number(number.dtype, number.kind.replace("wide_", "").replace("wide", "real"))

    def generate(context, builder, signature, args):
        vectors = number.take_apart(builder, args[0])
        if number.is_wide:
            vectors = code.narrow(builder, vectors)
        return plain.put_together(context, builder, vectors)

    return plain(number), generate


def _define(function: Callable, emit: Callable, *kinds: str) -> None:
    """Registers that `function` of two numbers of one of `kinds` is what `emit` makes of them."""

    @intrinsic
    def apply(_, left, right):
        def generate(context, builder, signature, args):
            vectors = [left.take_apart(builder, each) for each in args]
            return left.put_together(context, builder, emit(builder, *vectors))

        return left(left, right), generate

    @overload(function)
    def choose(left, right):
        if isinstance(left, Number) and left == right and left.kind in kinds:
            return lambda left, right: apply(left, right)


_SUMS = "real", "dual", "wide", "wide_dual"
_define(operator.add, code.total, *_SUMS)
_define(operator.mul, code.product, *_SUMS)
_define(operator.truediv, code.quotient, *_SUMS)
_define(operator.add, code.larger, "tropical")
_define(operator.mul, code.sum_of_values, "tropical")
_define(operator.truediv, code.difference, "tropical")
