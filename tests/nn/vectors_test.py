import numpy
import pytest

from spigot_allennlp.nn.compilation import entry
from spigot_allennlp.nn.vectors import add_matrix_product


@entry
def add_product(left, right, result):
    add_matrix_product(left, right, result)


# rows that are, and are not, fours; columns that are blocks of four vectors, whole vectors, and a
# rest
@pytest.mark.parametrize(
    "rows, inner, columns",
    [(8, 3, 32), (7, 5, 83), (2, 1, 5), (3, 0, 16), (8, 4, 128), (5, 6, 64)],
)
@pytest.mark.parametrize("dtype", [numpy.float32, numpy.float64])
def test_products_are_added_whatever_their_shape(rows, inner, columns, dtype):
    generator = numpy.random.default_rng(1)
    left = generator.integers(-4, 5, (rows, inner)).astype(dtype)
    right = generator.integers(-4, 5, (inner, columns)).astype(dtype)
    start = generator.integers(-4, 5, (rows, columns + 3)).astype(dtype)
    result = start.copy()
    # a part of a wider matrix, and a matrix whose columns are contiguous
    add_product(numpy.asfortranarray(left), right, result[:, :columns])
    assert (result[:, :columns] == start[:, :columns] + left @ right).all()
    assert (result[:, columns:] == start[:, columns:]).all()
