"""
Numbers for kernels that work on several sentences at once.

A *number* is a vector of 64 bytes, with a *lane* for each of 8 sentences in double precision, or of
16 in single. Its kind says what `+` and `*` mean, so that a recurrence written once gives a sum
over all trees (`real`), that sum with its derivative along a direction (`dual`: a value and a
tangent), or the best tree (`tropical`: `+` is the maximum, `*` the sum). As a type of its own, the
vector stays in registers, however wide those of the processor are; a loop over 8 lanes of an array
numba would leave scalar.

Between computations numbers rest in arrays of shape `(rows, columns, parts, lanes)`, a dual number
having two parts.
"""

import operator
from typing import Any, Callable, List

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

BYTES = 64


class Number(types.Type):
    """
    Numba's type of a number: `dtype` is that of a lane, `kind` is "real", "dual" or "tropical".
    """

    def __init__(self, dtype: types.Type, kind: str) -> None:
        super().__init__(name=f"{kind}({dtype})")
        self.dtype, self.kind = dtype, kind
        self.parts = 2 if kind == "dual" else 1
        self.lanes = 8 * BYTES // dtype.bitwidth


@register_model(Number)
class _NumberModel(models.PrimitiveModel):
    """An array of as many vectors as the number has parts."""

    def __init__(self, manager: Any, number: Number) -> None:
        lane = manager.lookup(number.dtype).get_value_type()
        stored = ir.ArrayType(ir.VectorType(lane, number.lanes), number.parts)
        super().__init__(manager, number, stored)


def _constant(kind: str) -> Callable:
    @intrinsic
    def constant(_, array, value):
        number = Number(array.dtype, kind)

        def generate(context, builder, signature, args):
            value = context.cast(builder, args[1], signature.args[1], number.dtype)
            stored = context.get_value_type(number)
            vector = ir.Constant(stored.element, ir.Undefined)
            for lane in range(number.lanes):
                vector = builder.insert_element(vector, value, ir.Constant(ir.IntType(32), lane))
            return builder.insert_value(ir.Constant(stored, None), vector, 0)

        return number(array, value), generate

    return constant


# `real(array, value)`: `value` in all lanes, its tangent zero, in the precision of `array`.
real, dual, tropical = _constant("real"), _constant("dual"), _constant("tropical")


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
        for part, pointer in enumerate(_pointers(context, builder, signature, args, number)):
            vector = builder.extract_value(args[3], part)
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


def _define(function: Callable, *kinds: str) -> Callable:
    """
    Registers what `function` does to numbers of `kinds`; the decorated emits the machine code of
    it, part by part.
    """

    def decorate(emit: Callable) -> Callable:
        @intrinsic
        def apply(_, left, right):
            def generate(context, builder, signature, args):
                vectors = [
                    [builder.extract_value(each, part) for part in range(left.parts)]
                    for each in args
                ]
                result = ir.Constant(context.get_value_type(left), ir.Undefined)
                for part, vector in enumerate(emit(builder, *vectors)):
                    result = builder.insert_value(result, vector, part)
                return result

            return left(left, right), generate

        @overload(function)
        def choose(left, right):
            if isinstance(left, Number) and left == right and left.kind in kinds:
                return lambda left, right: apply(left, right)

        return emit

    return decorate


@_define(operator.add, "real", "dual")
def _sum(builder, left, right):
    return [builder.fadd(x, y, flags=("contract",)) for x, y in zip(left, right, strict=True)]


@_define(operator.mul, "real")
def _product(builder, left, right):
    return [builder.fmul(left[0], right[0], flags=("contract",))]


@_define(operator.mul, "dual")
def _product_rule(builder, left, right):
    def times(x, y):
        return builder.fmul(x, y, flags=("contract",))

    tangent = builder.fadd(times(left[0], right[1]), times(left[1], right[0]), flags=("contract",))
    return [times(left[0], right[0]), tangent]


@_define(operator.add, "tropical")
def _larger(builder, left, right):
    return [builder.select(builder.fcmp_ordered(">", right[0], left[0]), right[0], left[0])]


@_define(operator.mul, "tropical")
def _tropical_product(builder, left, right):
    return [builder.fadd(left[0], right[0])]


@_define(operator.truediv, "real")
def _quotient(builder, left, right):
    return [builder.fdiv(left[0], right[0])]


@_define(operator.truediv, "dual")
def _quotient_rule(builder, left, right):
    quotient = builder.fdiv(left[0], right[0])
    tangent = builder.fsub(left[1], builder.fmul(quotient, right[1]))
    return [quotient, builder.fdiv(tangent, right[0])]
