"""The columns that the formats share: how a head is read, how a line is written."""

from typing import Optional, Sequence

from spigot_allennlp.data.blocks import Block
from spigot_allennlp.data.errors import Fault


def head_of(block: Block, index: int, cell: str, length: int) -> Optional[int]:
    """
    The head that `cell` names, `None` for `_`.

    # Parameters

    block : `Block`
        The sentence.
    index : `int`
        The zero-based row that the cell stands in.
    cell : `str`
    length : `int`
        The number of words, which is the highest head there can be.

    # Raises

    `MalformedInputError` if it is no number, or no token has it.
    """
    if cell == "_":
        return None
    # As a number is written, so it must be again: no sign, no leading zero.
    if not (cell.isascii() and cell.isdigit() and str(int(cell)) == cell):
        raise block.error(index, Fault.HEAD, f"the head is {cell!r}, not a number")
    if int(cell) > length:
        raise block.error(index, Fault.HEAD, f"the head is {cell}, of {length} tokens")
    return int(cell)


def join_cells(cells: Sequence[str]) -> str:
    """
    A line of these columns, without its end.

    # Raises

    `ValueError` if a cell is empty, or holds a tab or the end of a line.
    """
    for cell in cells:
        if not cell or "\t" in cell or "\n" in cell or "\r" in cell:
            raise ValueError(
                f"{cell!r} cannot be a column: it must not be empty, nor hold a tab or the end of "
                f"a line. The line was to be {list(cells)}."
            )
    return "\t".join(cells)
