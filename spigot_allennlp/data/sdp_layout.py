"""Which columns an SDP file has, as its header or else its content says, and whether a sentence
keeps to them."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Counter as CounterType
from typing import List, Optional, Sequence, Tuple

from spigot_allennlp.data.blocks import Block
from spigot_allennlp.data.errors import Fault, MalformedInputError, quoted

SDP_HEADER = "#SDP 2015"

# So many predicates are named in a message.
SHOWN = 10

_HEADER = re.compile(r"#\s*SDP\s+(\S+)\s*", re.IGNORECASE)
_HAS_FRAMES = {"2014": False, "2015": True}


@dataclass(frozen=True)
class SdpLayout:
    """
    The columns that stand before the argument columns: `id form lemma pos`, perhaps
    `head deprel`, `top pred`, perhaps `frame`.

    # Parameters

    frames : `bool`, optional (default = `True`)
        Whether there is a `frame`: since 2015.
    syntax : `bool`, optional (default = `False`)
        Whether there are `head` and `deprel`: the augmented form.
    """

    frames: bool = True
    syntax: bool = False

    @property
    def columns(self) -> Tuple[str, ...]:
        """The names of the columns before the arguments."""
        syntax = ("head", "deprel") if self.syntax else ()
        frame = ("frame",) if self.frames else ()
        return ("id", "form", "lemma", "pos", *syntax, "top", "pred", *frame)

    @property
    def top(self) -> int:
        """The zero-based column of the top flag; the predicate flag is the next."""
        return 6 if self.syntax else 4

    @property
    def width(self) -> int:
        """How many columns stand before the arguments."""
        return self.top + (3 if self.frames else 2)

    def __str__(self) -> str:
        return f"SDP {2015 if self.frames else 2014}" + (" (augmented)" if self.syntax else "")


SDP_2015 = SdpLayout()
SDP_2014 = SdpLayout(frames=False)
SDP_AUGMENTED = SdpLayout(syntax=True)


def find_layout(blocks: Sequence[Block]) -> SdpLayout:
    """
    The layout that most of the sentences before the first header can only have, or, after one at
    the beginning, that most have of the two that agree with it. Where no sentence tells, `SDP_2015`
    or what the header says: the faults will show when they are read.

    # Raises

    `MalformedInputError` if as many sentences have one layout as have another.
    """
    votes: CounterType[SdpLayout] = Counter()
    stated: Optional[bool] = None
    for index, block in enumerate(blocks):
        frames = _stated_frames(block)
        if frames is not None:
            if index > 0:
                break
            stated = frames
        layout = _layout_of([row.split("\t") for row in block.rows], stated)
        if layout is not None:
            votes[layout] += 1
    if not votes:
        return SDP_2015 if stated is None else SdpLayout(frames=stated)
    (best, count), *others = votes.most_common()
    if others and others[0][1] == count:
        detail = f"{count} of the first sentences are in {best}, and as many in {others[0][0]}"
        raise MalformedInputError(blocks[0].path, 1, Fault.SDP_LAYOUT, detail)
    return best


def stated_layout(block: Block, layout: SdpLayout) -> SdpLayout:
    """
    The layout from this sentence on: that before it, unless there is a header among its comments.

    # Raises

    `MalformedInputError` for the file if it is the header of an unknown form.
    """
    frames = _stated_frames(block)
    return layout if frames is None else replace(layout, frames=frames)


def _stated_frames(block: Block) -> Optional[bool]:
    """Whether a header before the sentence says that there are frames; `None` without a header."""
    for comment in block.comments:
        header = _HEADER.fullmatch(comment)
        if header and header[1] not in _HAS_FRAMES:
            place = block.lines[0] if block.lines else None
            detail = f"the comment before this line is {quoted(comment)}"
            raise MalformedInputError(block.path, place, Fault.SDP_HEADER, detail)
        if header:
            return _HAS_FRAMES[header[1]]
    return None


def _layout_of(rows: List[List[str]], frames: Optional[bool]) -> Optional[SdpLayout]:
    """
    The one layout in which these rows make a sentence, or `None`. The flags tell where they stand
    themselves, since no head is + or -; and as there is a column for each predicate, one column
    more is the frame, unless it is known whether there are `frames`. Without one more, it can also
    be that a predicate has no column: so it is where the first column after the flags has an entry
    at every predicate, as frames do.
    """
    width = min((len(row) for row in rows), default=0)
    for layout in (SDP_2014, SdpLayout(frames=False, syntax=True)):
        flags = slice(layout.top, layout.width)
        if width >= layout.width and all({"+", "-"}.issuperset(row[flags]) for row in rows):
            if frames is not None:
                return replace(layout, frames=frames)
            predicates = [row for row in rows if row[layout.top + 1] == "+"]
            surplus = width - layout.width - len(predicates)
            if surplus not in (0, 1) or len({len(row) for row in rows}) > 1:
                return None
            if predicates and not surplus and all(row[layout.width] != "_" for row in predicates):
                return None
            return SdpLayout(frames=bool(surplus), syntax=layout.syntax)
    return None


def width_of(block: Block, layout: SdpLayout) -> int:
    """How many columns the rows of the block should have: one more for each predicate."""
    flags = [row.split("\t", layout.top + 2)[layout.top + 1 : layout.top + 2] for row in block.rows]
    return layout.width + flags.count(["+"])


def find_predicates(block: Block, rows: Sequence[Sequence[str]], layout: SdpLayout) -> List[int]:
    """
    The positions, from 1, of the predicates of a sentence.

    # Raises

    `MalformedInputError` if the `rows` of the `block` have not the columns of `layout`, or the
    predicates not one argument column each.
    """
    _check_columns(block, rows, layout)
    predicates = []
    for index, row in enumerate(rows):
        top, predicate = row[layout.top : layout.top + 2]
        if top not in ("+", "-") or predicate not in ("+", "-"):
            detail = f"top is {quoted(top)} and pred is {quoted(predicate)}"
            raise block.error(index, Fault.FLAG, detail)
        if predicate == "+":
            predicates.append(index + 1)
    num_columns = len(rows[0]) - layout.width
    if num_columns != len(predicates):
        kind = "an argument column has no predicate"
        if num_columns < len(predicates):
            kind = "a predicate has no argument column"
        shown = ", ".join(map(str, predicates[:SHOWN])) + (", ..." * (len(predicates) > SHOWN))
        detail = (
            f"{kind}: {num_columns} argument columns in the layout {layout}, and "
            f"{len(predicates)} tokens with + in the pred column [{shown}]"
        )
        raise block.error(0, Fault.ARGUMENT_COLUMNS, detail)
    return predicates


def _check_columns(block: Block, rows: Sequence[Sequence[str]], layout: SdpLayout) -> None:
    widths = [len(row) for row in rows]
    usual = max(widths, key=widths.count)
    for index, row in enumerate(rows):
        if row[0] != str(index + 1):
            detail = f"{quoted(row[0])} where {index + 1} is due"
            raise block.error(index, Fault.TOKEN_ID, detail)
        if len(row) < layout.width:
            names = " ".join(layout.columns)
            detail = f"{len(row)} columns, where {layout} has {names} before the arguments"
            raise block.error(index, Fault.COLUMN_COUNT, detail)
        if len(row) != usual:
            detail = f"{len(row)} columns, where other lines of the sentence have {usual}"
            raise block.error(index, Fault.COLUMN_COUNT, detail)
