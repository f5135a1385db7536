"""
Numbers for kernels that process several sentences at once.

A *number* is a vector of 64 bytes, with a *lane* for each of 8 sentences in double precision, or of
16 in single. Its kind, a semiring, defines `+` and `*`, so that the same recurrence computes a sum
over all objects (`real`), that sum with its derivative along a direction (`dual`: a value and a
tangent), or the best object (`tropical`: `+` is the maximum, `*` the sum, `/` the difference).
`extended` and `extended_dual` are `real` and `dual` with a separate exponent, always in double
precision: they represent weights of any size at about three times the cost.

A number has its own type, so that its vectors stay in registers of any width. Numba would not
vectorise a loop over 8 lanes of an array.

Between computations, numbers are stored in arrays of shape `(rows, columns, parts, lanes)`. The
parts are value, tangent and exponent, if the kind has them.

Kernels that take `zero` and `one` compute with numbers of their kind; the two are the neutral
elements of `+` and `*`. Kernels that take `like` need any number of the kind, to load others.
"""

import operator
from dataclasses import replace
from typing import Any, Callable, List

import numpy
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

from spigot_allennlp.nn.semirings import code
from spigot_allennlp.nn.semirings.code import Vectors

BYTES = 64


class Number(types.Type):
    """
    Numba's type for a number: `dtype` is the type of a lane, `kind` is "real", "dual", "extended",
    "extended_dual" or "tropical".
    """

    def __init__(self, dtype: types.Type, kind: str) -> None:
        super().__init__(name=f"{kind}({dtype})")
        self.dtype, self.kind = dtype, kind
        self.is_dual, self.is_extended = kind.endswith("dual"), kind.startswith("extended")
        self.parts = 1 + self.is_dual + self.is_extended
        self.lanes = 8 * BYTES // dtype.bitwidth

    def unpack(self, builder: ir.IRBuilder, number: ir.Value) -> Vectors:
        """Returns the vectors that make up `number`."""
        vectors = [builder.extract_value(number, part) for part in range(self.parts)]
        tangent = vectors[1] if self.is_dual else None
        return Vectors(vectors[0], tangent, vectors[-1] if self.is_extended else None)

    def pack(self, context: Any, builder: ir.IRBuilder, vectors: Vectors) -> ir.Value:
        """Returns the number made of `vectors`."""
        result = ir.Constant(context.get_value_type(self), ir.Undefined)
        parts = [vectors.value, vectors.tangent, vectors.exponent]
        for index, vector in enumerate(part for part in parts if part is not None):
            result = builder.insert_value(result, vector, index)
        return result

    def constant(self, context: Any, builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
        """Returns the number with `value` in all lanes, and a tangent of zero."""
        zero = ir.Constant(context.get_value_type(self).element, None)
        vector = zero
        for lane in range(self.lanes):
            vector = builder.insert_element(vector, value, ir.Constant(ir.IntType(32), lane))
        tangent, exponent = zero if self.is_dual else None, zero if self.is_extended else None
        vectors = Vectors(vector, tangent, exponent)
        if self.is_extended:
            vectors = code.normalize(builder, vectors)
        return self.pack(context, builder, vectors)


@register_model(Number)
class _NumberModel(models.PrimitiveModel):
    """An array with one vector for each part of the number."""

    def __init__(self, manager: Any, number: Number) -> None:
        lane = manager.lookup(number.dtype).get_value_type()
        stored = ir.ArrayType(ir.VectorType(lane, number.lanes), number.parts)
        super().__init__(manager, number, stored)


def _constructor(kind: str) -> Callable:
    @intrinsic
    def constant(_, array, value):
        number = Number(array.dtype, kind)

        def generate(context, builder, signature, args):
            value = context.cast(builder, args[1], signature.args[1], number.dtype)
            return number.constant(context, builder, value)

        return number(array, value), generate

    return constant


# In a kernel, `real(array, value)` is the number with `value` in all lanes and a tangent of zero,
# in the precision of `array`.
real, dual, tropical = _constructor("real"), _constructor("dual"), _constructor("tropical")
extended, extended_dual = _constructor("extended"), _constructor("extended_dual")


def allocate(like: Any, rows: int, columns: int) -> numpy.ndarray:
    """
    In a kernel, returns an uninitialised array for numbers of the kind of `like`, aligned to a
    cache line.
    """
    raise NotImplementedError


@overload(allocate)
def _allocate(like, rows, columns):
    dtype, parts, lanes = numpy.dtype(like.dtype.name), like.parts, like.lanes

    def allocate(like, rows, columns):
        # An odd number of columns, so that the numbers of one column do not share few sets of a
        # cache.
        width = (columns | 1) * parts
        raw = numpy.empty((rows * width + 1) * lanes, dtype)
        start = -raw.ctypes.data % BYTES // raw.itemsize
        chart = raw[start : start + rows * width * lanes]
        return chart.reshape((rows, columns | 1, parts, lanes))

    return allocate


@intrinsic
def load(_, array, row, column, like):
    """
    `load(array, row, column, like)` returns the number at that row and column. An array does not
    store the kind of its numbers (a `real` and a `tropical` one have the same parts), so `like`
    provides it: any number of that kind.
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
    """`store(array, row, column, number)` writes `number` to that row and column."""

    def generate(context, builder, signature, args):
        stored = args[3]
        if number.is_extended:
            normalized = code.normalize(builder, number.unpack(builder, stored))
            stored = number.pack(context, builder, normalized)
        for part, pointer in enumerate(_pointers(context, builder, signature, args, number)):
            vector = builder.extract_value(stored, part)
            builder.store(vector, pointer, align=number.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, row, column, number), generate


def _pointers(context, builder, signature, args, number: Number) -> List[ir.Value]:
    """
    Returns the addresses of the parts of the number at `args[1], args[2]` of the array `args[0]`.
    The indices are not checked.
    """
    array_type, vector = signature.args[0], context.get_value_type(number).element
    array = context.make_array(array_type)(context, builder, args[0])
    row, column = (
        context.cast(builder, args[index], signature.args[index], types.intp) for index in (1, 2)
    )
    parts = [context.get_constant(types.intp, part) for part in range(number.parts)]
    # the vector of each part begins at lane 0
    indices = [[row, column, part, parts[0]] for part in parts]
    starts = [
        cgutils.get_item_pointer(context, builder, array_type, array, index) for index in indices
    ]
    return [builder.bitcast(start, vector.as_pointer()) for start in starts]


@intrinsic
def exponential(_, logarithm, slope, like):
    """
    `exponential(logarithm, slope, like)` raises `e` to the power of a tropical number, and returns
    a number of the kind of `like`: zero below `MIN_LOGARITHM`. Unless it is extended, the result
    must not be large. If it has a tangent, this is its value times `slope`, which is also tropical.
    """

    def generate(context, builder, signature, args):
        power, slope = (builder.extract_value(arg, 0) for arg in args[:2])
        result = code.exponential(builder, power, like.is_extended)
        if like.is_dual:
            result = replace(result, tangent=builder.fmul(result.value, slope))
        return like.pack(context, builder, result)

    return like(logarithm, slope, like), generate


@intrinsic
def logarithm(_, number):
    """
    `logarithm(number)` returns the logarithm as a tropical number. For a plain number, it is NaN if
    the number is so small or large that the sums behind it may have lost terms.
    """
    tropical_number = Number(number.dtype, "tropical")

    def generate(context, builder, signature, args):
        result = code.logarithm(builder, number.unpack(builder, args[0]))
        return tropical_number.pack(context, builder, Vectors(result))

    return tropical_number(number), generate


@intrinsic
def to_plain(_, number):
    """
    `to_plain(number)` returns an extended number without its exponent: zero if very small; it must
    not be large. Any other number is returned unchanged.
    """
    plain = Number(number.dtype, number.kind.replace("extended_", "").replace("extended", "real"))

    def generate(context, builder, signature, args):
        vectors = number.unpack(builder, args[0])
        if number.is_extended:
            vectors = code.without_exponent(builder, vectors)
        return plain.pack(context, builder, vectors)

    return plain(number), generate


def _define(function: Callable, emit: Callable, *kinds: str) -> None:
    """
    Defines `function` for two numbers of one of `kinds` by the result of `emit` for their vectors.
    """

    @intrinsic
    def apply(_, left, right):
        def generate(context, builder, signature, args):
            vectors = [left.unpack(builder, arg) for arg in args]
            return left.pack(context, builder, emit(builder, *vectors))

        return left(left, right), generate

    @overload(function)
    def choose(left, right):
        if isinstance(left, Number) and left == right and left.kind in kinds:
            return lambda left, right: apply(left, right)


_SUMS = "real", "dual", "extended", "extended_dual"
_define(operator.add, code.add, *_SUMS)
_define(operator.mul, code.multiply, *_SUMS)
_define(operator.truediv, code.divide, *_SUMS)
_define(operator.add, code.maximum, "tropical")
_define(operator.mul, code.add_values, "tropical")
_define(operator.truediv, code.subtract_values, "tropical")
