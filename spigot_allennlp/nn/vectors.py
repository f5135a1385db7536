"""
Vectors along the rows of matrices, for kernels that keep their sums in registers.

A loop that adds to an array loads and stores every sum in each iteration, since the compiler cannot
know that no other array overlaps it. A vector, which is a `real` number of `semirings/numbers.py`
with an element in each lane, is a value instead: `load_row` reads it from a row, `store_row` writes
it. Rows must be contiguous in memory. Indices are not checked.
"""

from typing import Any, Tuple

import numpy
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from spigot_allennlp.nn.compilation import kernel
from spigot_allennlp.nn.semirings.numbers import BYTES, real


@intrinsic
def load_row(_, matrix, row, column, like):
    """
    `load_row(matrix, row, column, like)` returns the elements of a row from a column on, one for
    each lane of the number `like`.
    """

    def generate(context, builder, signature, args):
        vector = builder.load(_pointer(context, builder, signature, args, like))
        vector.align = like.dtype.bitwidth // 8
        number = ir.Constant(context.get_value_type(like), ir.Undefined)
        return builder.insert_value(number, vector, 0)

    return like(matrix, row, column, like), generate


@intrinsic
def store_row(_, matrix, row, column, number):
    """`store_row(matrix, row, column, number)` writes `number` to a row, from a column on."""

    def generate(context, builder, signature, args):
        pointer = _pointer(context, builder, signature, args, number)
        vector = builder.extract_value(args[3], 0)
        builder.store(vector, pointer, align=number.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(matrix, row, column, number), generate


@intrinsic
def where_above(_, left, right, above, otherwise):
    """
    `where_above(left, right, above, otherwise)` has the lanes of the number `above` where `left` is
    above `right`, and those of `otherwise` elsewhere.
    """

    def generate(context, builder, signature, args):
        left, right, above, otherwise = (builder.extract_value(arg, 0) for arg in args)
        lanes = builder.select(builder.fcmp_ordered(">", left, right), above, otherwise)
        return builder.insert_value(args[2], lanes, 0)

    return above(left, right, above, otherwise), generate


@intrinsic
def store_above(_, matrix, row, column, left, right):
    """
    `store_above(matrix, row, column, left, right)` writes a byte for each lane to a row, from a
    column on: one where the number `left` is above `right`, otherwise zero.
    """

    def generate(context, builder, signature, args):
        above = builder.fcmp_ordered(">", *(builder.extract_value(arg, 0) for arg in args[3:]))
        vector = ir.VectorType(ir.IntType(8), left.lanes)
        pointer = builder.bitcast(
            _row_pointer(context, builder, signature, args), vector.as_pointer()
        )
        builder.store(builder.zext(above, vector), pointer, align=1)
        return context.get_dummy_value()

    return types.void(matrix, row, column, left, right), generate


def _pointer(context: Any, builder: Any, signature: Any, args: Tuple, number: Any) -> ir.Value:
    """Returns the address of the vector at `args[1], args[2]` of the matrix `args[0]`."""
    vector = context.get_value_type(number).element
    return builder.bitcast(_row_pointer(context, builder, signature, args), vector.as_pointer())


def _row_pointer(context: Any, builder: Any, signature: Any, args: Tuple) -> ir.Value:
    """Returns the address of the element at `args[1], args[2]` of the matrix `args[0]`."""
    matrix_type = signature.args[0]
    matrix = context.make_array(matrix_type)(context, builder, args[0])
    index = [context.cast(builder, args[part], signature.args[part], types.intp) for part in (1, 2)]
    return cgutils.get_item_pointer(context, builder, matrix_type, matrix, index)


@kernel
def add_rows(matrix, rows, first, last, result, row):
    """
    Adds some rows of a matrix, from column `first` to `last`, the latter excluded, to the same
    columns of a row of `result`. The columns must be whole vectors.
    """
    like, lanes, column = real(matrix, 0), BYTES // matrix.itemsize, first
    while column + 4 * lanes <= last:
        second, third, fourth = column + lanes, column + 2 * lanes, column + 3 * lanes
        a, b = load_row(result, row, column, like), load_row(result, row, second, like)
        c, d = load_row(result, row, third, like), load_row(result, row, fourth, like)
        for index in rows:
            a = a + load_row(matrix, index, column, like)
            b = b + load_row(matrix, index, second, like)
            c = c + load_row(matrix, index, third, like)
            d = d + load_row(matrix, index, fourth, like)
        store_row(result, row, column, a)
        store_row(result, row, second, b)
        store_row(result, row, third, c)
        store_row(result, row, fourth, d)
        column += 4 * lanes
    while column < last:
        total = load_row(result, row, column, like)
        for index in rows:
            total = total + load_row(matrix, index, column, like)
        store_row(result, row, column, total)
        column += lanes


@kernel
def with_whole_vectors(matrix):
    """Returns a matrix with whole vectors as rows, padded with columns of zeros if needed."""
    lanes = BYTES // matrix.itemsize
    width = (matrix.shape[1] + lanes - 1) // lanes * lanes
    if width == matrix.shape[1]:
        return matrix
    result = numpy.zeros((len(matrix), width), matrix.dtype)
    result[:, : matrix.shape[1]] = matrix
    return result


@kernel
def add_matrix_product(left, right, result):
    """
    Adds `left @ right` to `result`. The rows of `right` and `result` must be contiguous; `left` may
    have any layout.
    """
    lanes = BYTES // right.itemsize
    whole = right.shape[1] // lanes * lanes
    _add_blocks(left, right, result, whole)
    rest = right.shape[1] - whole
    if rest:  # the last columns, padded to a vector
        last_right = numpy.zeros((len(right), lanes), right.dtype)
        last_right[:, :rest] = right[:, whole:]
        total = numpy.zeros((len(left), lanes), right.dtype)
        _add_blocks(left, last_right, total, lanes)
        result[:, whole:] += total[:, :rest]


@kernel
def _add_blocks(left, right, result, width):
    """
    Adds the first `width` columns of a product, a multiple of the lanes, block by block: four rows
    of four vectors, as far as possible. A block one vector wide would read a column of `right`, and
    if the row length is a power of two, its numbers would evict each other from the fastest cache.
    """
    rows, lanes = len(left), BYTES // right.itemsize
    wide = width // (4 * lanes) * 4 * lanes
    for column in range(0, wide, 4 * lanes):
        for row in range(0, rows - 3, 4):
            _add_wide_block_of_four_rows(left, right, result, row, column)
        for row in range(rows // 4 * 4, rows):
            _add_wide_block(left, right, result, row, column)
    for column in range(wide, width, lanes):
        for row in range(0, rows - 3, 4):
            _add_block_of_four_rows(left, right, result, row, column)
        for row in range(rows // 4 * 4, rows):
            total = load_row(result, row, column, real(right, 0))
            for inner in range(len(right)):
                factor = real(right, left[row, inner])
                total = total + factor * load_row(right, inner, column, total)
            store_row(result, row, column, total)


@kernel
def _add_wide_block_of_four_rows(left, right, result, row, column):
    """Adds to four vectors of each of four rows."""
    like = real(right, 0)
    first, second = _load(result, row, column, like), _load(result, row + 1, column, like)
    third, fourth = _load(result, row + 2, column, like), _load(result, row + 3, column, like)
    for inner in range(len(right)):
        vectors = _load(right, inner, column, like)
        first = _add_product(first, real(right, left[row, inner]), vectors)
        second = _add_product(second, real(right, left[row + 1, inner]), vectors)
        third = _add_product(third, real(right, left[row + 2, inner]), vectors)
        fourth = _add_product(fourth, real(right, left[row + 3, inner]), vectors)
    _store(result, row, column, first)
    _store(result, row + 1, column, second)
    _store(result, row + 2, column, third)
    _store(result, row + 3, column, fourth)


@kernel
def _add_wide_block(left, right, result, row, column):
    """Adds to four vectors of a row."""
    total = _load(result, row, column, real(right, 0))
    for inner in range(len(right)):
        vectors = _load(right, inner, column, total[0])
        total = _add_product(total, real(right, left[row, inner]), vectors)
    _store(result, row, column, total)


@kernel
def _load(matrix, row, column, like):
    """Returns four vectors of a row, one after another."""
    lanes = BYTES // matrix.itemsize
    return (
        load_row(matrix, row, column, like),
        load_row(matrix, row, column + lanes, like),
        load_row(matrix, row, column + 2 * lanes, like),
        load_row(matrix, row, column + 3 * lanes, like),
    )


@kernel
def _store(matrix, row, column, vectors):
    """Writes four vectors to a row, one after another."""
    lanes = BYTES // matrix.itemsize
    store_row(matrix, row, column, vectors[0])
    store_row(matrix, row, column + lanes, vectors[1])
    store_row(matrix, row, column + 2 * lanes, vectors[2])
    store_row(matrix, row, column + 3 * lanes, vectors[3])


@kernel
def _add_product(totals, factor, vectors):
    """Returns four sums, each with the product of a factor and a vector added."""
    return (
        totals[0] + factor * vectors[0],
        totals[1] + factor * vectors[1],
        totals[2] + factor * vectors[2],
        totals[3] + factor * vectors[3],
    )


@kernel
def _add_block_of_four_rows(left, right, result, row, column):
    """Adds to a vector of each of four rows."""
    like = real(right, 0)
    first, second = load_row(result, row, column, like), load_row(result, row + 1, column, like)
    third, fourth = load_row(result, row + 2, column, like), load_row(result, row + 3, column, like)
    for inner in range(len(right)):
        vector = load_row(right, inner, column, like)
        first = first + real(right, left[row, inner]) * vector
        second = second + real(right, left[row + 1, inner]) * vector
        third = third + real(right, left[row + 2, inner]) * vector
        fourth = fourth + real(right, left[row + 3, inner]) * vector
    store_row(result, row, column, first)
    store_row(result, row + 1, column, second)
    store_row(result, row + 2, column, third)
    store_row(result, row + 3, column, fourth)
