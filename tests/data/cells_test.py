import pytest

from spigot_allennlp.data.blocks import Block
from spigot_allennlp.data.cells import head_of, join_cells
from spigot_allennlp.data.errors import MalformedInputError

BLOCK = Block("file", (), ("1\ta", "2\tb"), (4, 5))


@pytest.mark.parametrize("cell, head", [("_", None), ("0", 0), ("2", 2)])
def test_a_head_is_a_number_or_not_given(cell, head):
    assert head_of(BLOCK, 0, cell, length=2) == head


@pytest.mark.parametrize("cell", ["3", "-1", "+1", "02", "1.0", "x", "²", "٢"])
def test_no_other_text_is_a_head(cell):
    with pytest.raises(MalformedInputError, match="file:5: no such head"):
        head_of(BLOCK, 1, cell, length=2)


def test_cells_are_parted_by_tabs():
    assert join_cells(["1", "a b", "_"]) == "1\ta b\t_"


@pytest.mark.parametrize("cell", ["", "\t", "a\n", "\r"])
def test_a_cell_that_is_none_is_not_written(cell):
    with pytest.raises(ValueError, match="cannot be a column"):
        join_cells(["1", cell])
