"""The columns that the formats share: how a head is read, how a line is written."""

import re
from typing import Optional, Sequence

from spigot_allennlp.data.blocks import Block, number_of
from spigot_allennlp.data.errors import Fault, quoted

_NOT_IN_CELLS = re.compile("[\t\n\r\0\ud800-\udfff]|^ | $")


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
    head = number_of(cell)
    if head is None:
        raise block.error(index, Fault.HEAD, f"the head is {quoted(cell)}, not a number")
    if head > length:
        raise block.error(index, Fault.HEAD, f"the head is {cell}, of {length} tokens")
    return head


def join_cells(cells: Sequence[str]) -> str:
    """
    A line of these columns, without its end.

    # Raises

    `ValueError` if a cell is none that would be read again: it is empty, or holds a tab, the end of
    a line, a NUL, or half of a surrogate pair, which is not in UTF-8, or has a space at its edge.
    """
    for cell in cells:
        if not cell or _NOT_IN_CELLS.search(cell):
            raise ValueError(
                f"{quoted(cell)} cannot be a column: it must not be empty, nor hold a tab, the end "
                "of a line, a NUL or half of a surrogate pair, nor have a space at its edge. The "
                f"line was to be {', '.join(map(quoted, cells[:10]))}."
            )
    return "\t".join(cells)
