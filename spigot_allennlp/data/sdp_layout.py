"""Which columns an SDP file has, found from its content, and whether a sentence keeps to them."""

from collections import Counter
from dataclasses import dataclass
from typing import Counter as CounterType
from typing import List, Optional, Sequence, Tuple

from spigot_allennlp.data.blocks import Block
from spigot_allennlp.data.errors import Fault

SDP_HEADER = "#SDP 2015"


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
    The layout that most of the sentences can only have. A header `#SDP 2015` decides a tie. Where
    no sentence is sound, `SDP_2015`: the faults will show when they are read.
    """
    votes: CounterType[SdpLayout] = Counter()
    for block in blocks:
        layout = _layout_of([row.split("\t") for row in block.rows])
        if layout is not None:
            votes[layout] += 1
    with_frames = bool(blocks) and SDP_HEADER in blocks[0].comments
    if not votes:
        return SDP_2015
    return max(votes, key=lambda layout: (votes[layout], with_frames and layout.frames))


def _layout_of(rows: List[List[str]]) -> Optional[SdpLayout]:
    """
    The one layout in which these rows make a sentence, or `None`. The flags tell where they stand
    themselves, since no head is + or -; and as there is a column for each predicate, one column
    more is the frame.
    """
    width = min((len(row) for row in rows), default=0)
    for layout in (SDP_2014, SdpLayout(frames=False, syntax=True)):
        flags = slice(layout.top, layout.width)
        if width >= layout.width and all({"+", "-"}.issuperset(row[flags]) for row in rows):
            surplus = width - layout.width - sum(row[layout.top + 1] == "+" for row in rows)
            if surplus in (0, 1) and len({len(row) for row in rows}) == 1:
                return SdpLayout(frames=bool(surplus), syntax=layout.syntax)
    return None


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
            raise block.error(index, Fault.FLAG, f"top is {top!r} and pred is {predicate!r}")
        if predicate == "+":
            predicates.append(index + 1)
    given = len(rows[0]) - layout.width
    if given != len(predicates):
        kind = "an argument column has no predicate"
        if given < len(predicates):
            kind = "a predicate has no argument column"
        detail = (
            f"{kind}: {given} argument columns in the layout {layout}, and {len(predicates)} "
            f"tokens with + in the pred column {predicates}"
        )
        raise block.error(0, Fault.ARGUMENT_COLUMNS, detail)
    return predicates


def _check_columns(block: Block, rows: Sequence[Sequence[str]], layout: SdpLayout) -> None:
    widths = [len(row) for row in rows]
    usual = max(widths, key=widths.count)
    for index, row in enumerate(rows):
        if row[0] != str(index + 1):
            raise block.error(index, Fault.TOKEN_ID, f"{row[0]!r} where {index + 1} is due")
        if len(row) < layout.width:
            names = " ".join(layout.columns)
            detail = f"{len(row)} columns, where {layout} has {names} before the arguments"
            raise block.error(index, Fault.COLUMN_COUNT, detail)
        if len(row) != usual:
            detail = f"{len(row)} columns, where other lines of the sentence have {usual}"
            raise block.error(index, Fault.COLUMN_COUNT, detail)
