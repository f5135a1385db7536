"""The type of a number in lanes (see `lanes.py`), as numba knows it."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import models, register_model

from spigot_allennlp.nn.lanes import code
from spigot_allennlp.nn.lanes.code import Vectors

BYTES = 64


class Number(types.Type):
    """
    Numba's type of a number: `dtype` is that of a lane, `kind` is "real", "dual", "wide",
    "wide_dual" or "tropical".
    """

    def __init__(self, dtype: types.Type, kind: str) -> None:
        super().__init__(name=f"{kind}({dtype})")
        self.dtype, self.kind = dtype, kind
        self.is_dual, self.is_wide = kind.endswith("dual"), kind.startswith("wide")
        self.parts = 1 + self.is_dual + self.is_wide
        self.lanes = 8 * BYTES // dtype.bitwidth

    def take_apart(self, builder: ir.IRBuilder, number: ir.Value) -> Vectors:
        """The vectors of which the number is made."""
        vectors = [builder.extract_value(number, part) for part in range(self.parts)]
        tangent = vectors[1] if self.is_dual else None
        return Vectors(vectors[0], tangent, vectors[-1] if self.is_wide else None)

    def constant(self, context: Any, builder: ir.IRBuilder, value: ir.Value) -> Vectors:
        """The vectors of a number that has `value` in all lanes, and no tangent."""
        zero = ir.Constant(context.get_value_type(self).element, None)
        vector = zero
        for lane in range(self.lanes):
            vector = builder.insert_element(vector, value, ir.Constant(ir.IntType(32), lane))
        found = Vectors(vector, zero if self.is_dual else None, zero if self.is_wide else None)
        return code.normal(builder, found) if self.is_wide else found

    def put_together(self, context: Any, builder: ir.IRBuilder, vectors: Vectors) -> ir.Value:
        """The number that is made of these vectors."""
        result = ir.Constant(context.get_value_type(self), ir.Undefined)
        parts = [vectors.value, vectors.tangent, vectors.exponent]
        for part, vector in enumerate(each for each in parts if each is not None):
            result = builder.insert_value(result, vector, part)
        return result


@register_model(Number)
class _NumberModel(models.PrimitiveModel):
    """An array of as many vectors as the number has parts."""

    def __init__(self, manager: Any, number: Number) -> None:
        lane = manager.lookup(number.dtype).get_value_type()
        stored = ir.ArrayType(ir.VectorType(lane, number.lanes), number.parts)
        super().__init__(manager, number, stored)
