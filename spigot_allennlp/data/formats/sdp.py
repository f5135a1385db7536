"""
SDP, a text format for broad-coverage semantic dependency graphs.

There is one token per line and an empty line after each sentence. For the `k`-th predicate of a
sentence, a `k`-th argument column holds the role of each token for it, or `_`. The format of
[SemEval 2014, Task 8](https://aclanthology.org/S14-2008) has the columns
`id form lemma pos top pred` before the arguments. That of [SemEval 2015, Task
18](https://aclanthology.org/S15-2153) adds `frame`. The augmented form of TurboSemanticParser has
`head deprel` after `pos`.

Reading and writing a file gives the same bytes, if one empty line ends the last sentence.
"""

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, islice
from typing import Counter as CounterType
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

from spigot_allennlp.data.annotated_sentence import AnnotatedSentence, Arc
from spigot_allennlp.data.errors import MalformedInputError, quoted
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.blocks import (
    Block,
    head_of,
    identifier_of,
    join_columns,
    join_lines,
    parse_blocks,
    read_blocks,
)
from spigot_allennlp.data.formats.source import PathOrSource, as_source

SDP_HEADER = "#SDP 2015"

# The number of sentences that are examined to find the layout of a file.
SAMPLE_SIZE = 50
# The number of predicates named in a message.
SHOWN = 10

_HEADER = re.compile(r"#\s*SDP\s+(\S+)\s*", re.IGNORECASE)
_HAS_FRAMES = {"2014": False, "2015": True}


@dataclass(frozen=True)
class SdpLayout:
    """
    The columns before the argument columns: `id form lemma pos`, perhaps `head deprel`, `top pred`,
    perhaps `frame`.

    # Parameters

    frames : `bool`, optional (default = `True`)
        Whether there is a `frame`, as since 2015.
    syntax : `bool`, optional (default = `False`)
        Whether there are `head` and `deprel`, as in the augmented form.
    """

    frames: bool = True
    syntax: bool = False

    @property
    def columns(self) -> List[str]:
        """Returns the names of the columns before the arguments."""
        syntax = ["head", "deprel"] if self.syntax else []
        frame = ["frame"] if self.frames else []
        return ["id", "form", "lemma", "pos", *syntax, "top", "pred", *frame]

    @property
    def top(self) -> int:
        """Returns the zero-based column of the top flag. The predicate flag is the next one."""
        return 6 if self.syntax else 4

    @property
    def width(self) -> int:
        """Returns the number of columns before the arguments."""
        return self.top + (3 if self.frames else 2)

    def __str__(self) -> str:
        return f"SDP {2015 if self.frames else 2014}" + (" (augmented)" if self.syntax else "")


SDP_2015 = SdpLayout()
SDP_2014 = SdpLayout(frames=False)
SDP_AUGMENTED = SdpLayout(syntax=True)


class SdpToken(NamedTuple):
    """
    A token. `frame` is the sense of a predicate; `head` (0 is the root) and `relation` are its
    place in the syntactic tree of the augmented form. If not given, they are `_` and `None`.
    """

    form: str
    lemma: str = "_"
    pos: str = "_"
    top: bool = False
    predicate: bool = False
    frame: str = "_"
    head: Optional[int] = None
    relation: str = "_"


@dataclass(frozen=True)
class SdpSentence:
    """
    A sentence and its graph.

    # Parameters

    tokens : `Tuple[SdpToken, ...]`
    arcs : `Tuple[Arc, ...]`, optional
        The graph, positions from 1.
    comments : `Tuple[str, ...]`, optional
        The lines before the first token, unchanged. The file header is among those of the first
        sentence.
    layout : `SdpLayout`, optional (default = `SDP_2015`)
        The columns in which it was read, and will be written.
    path : `str`, optional
        The file that it was read from.
    line_numbers : `Tuple[int, ...]`, optional
        The line of each token in that file.
    """

    tokens: Tuple[SdpToken, ...]
    arcs: Tuple[Arc, ...] = ()
    comments: Tuple[str, ...] = ()
    layout: SdpLayout = SDP_2015
    path: str = field(default="", compare=False)
    line_numbers: Tuple[int, ...] = field(default=(), compare=False)

    @property
    def identifier(self) -> Optional[str]:
        """Returns the name that the comments give to the sentence."""
        return identifier_of(self.comments)

    @property
    def tops(self) -> List[int]:
        """Returns the positions, from 1, of the tops."""
        return [position for position, token in enumerate(self.tokens, 1) if token.top]


def scan_sdp(source: PathOrSource) -> Iterator[Union[SdpSentence, MalformedInputError]]:
    """
    Yields the sentences of a text, with an error in place of each that cannot be read. A header
    determines the layout of the sentences after it. Before any header, their columns do.

    # Raises

    `MalformedInputError` if neither determines the layout.
    """
    source = as_source(source)
    blocks = read_blocks(source)
    sample = list(islice(blocks, SAMPLE_SIZE))
    layout = find_layout(sample)

    def parse(block: Block) -> SdpSentence:
        nonlocal layout
        layout = _stated_layout(block, layout)
        return parse_sdp(block, layout)

    yield from parse_blocks(source.name, chain(sample, blocks), parse)


def parse_sdp(block: Block, layout: SdpLayout) -> SdpSentence:
    """
    Returns the sentence of a block.

    # Raises

    `MalformedInputError` if it is not valid in this `layout`.
    """
    rows = block.columns(partial(_width_of, block, layout))
    predicates = _find_predicates(block, rows, layout)
    place_of_top, width, length = layout.top, layout.width, len(rows)
    tokens, arcs = [], []
    for index, row in enumerate(rows):
        # The columns of `SdpLayout.columns` come first, then the arguments.
        _, form, lemma, pos = row[:4]
        head, relation = None, "_"
        if layout.syntax:
            head, relation = head_of(block, index, row[4], length), row[5]
        top, predicate = row[place_of_top] == "+", row[place_of_top + 1] == "+"
        frame = row[width - 1] if layout.frames else "_"
        tokens.append(SdpToken(form, lemma, pos, top, predicate, frame, head, relation))
        roles = zip(predicates, row[width:], strict=True)
        arcs += [Arc(source, index + 1, role) for source, role in roles if role != "_"]
    return SdpSentence(
        tuple(tokens), tuple(sorted(arcs)), block.comments, layout, block.path, block.line_numbers
    )


def format_sdp(sentence: SdpSentence) -> str:
    """
    Returns the text of a sentence, with the empty line that ends it. A file of the 2015 layout
    opens with `SDP_HEADER`: unless it is among the sentence's comments, write it first.

    # Raises

    `ValueError` if the predicate of an arc is not marked as one, if an arc has the role `_` or is
    not the only one between its words, or if a line could not be read back.
    """
    layout = sentence.layout
    predicates = [i for i, token in enumerate(sentence.tokens, 1) if token.predicate]
    column = {predicate: place for place, predicate in enumerate(predicates)}
    roles = [["_"] * len(predicates) for _ in sentence.tokens]
    for predicate, argument, role in sentence.arcs:
        if predicate not in column:
            raise ValueError(
                f"The arc ({predicate}, {argument}, {quoted(role)}) starts at a token that is not "
                "marked as a predicate. Set `predicate=True` in its `SdpToken`."
            )
        place = column[predicate]
        if role == "_" or roles[argument - 1][place] != "_":
            what = "has no role but _" if role == "_" else "is not the only one between these words"
            raise ValueError(
                f"The arc ({predicate}, {argument}, {quoted(role)}) {what}: an argument column "
                "holds one role, and _ where there is no arc."
            )
        roles[argument - 1][place] = role
    lines = []
    for position, token in enumerate(sentence.tokens, 1):
        columns = [str(position), token.form, token.lemma, token.pos]
        if layout.syntax:
            columns += ["_" if token.head is None else str(token.head), token.relation]
        columns += ["+" if flag else "-" for flag in (token.top, token.predicate)]
        columns += [token.frame] if layout.frames else []
        lines.append(join_columns(columns + roles[position - 1]))
    return join_lines(sentence.comments, lines)


def annotation_to_sdp(sentence: AnnotatedSentence, layout: SdpLayout = SDP_2015) -> SdpSentence:
    """
    Returns an annotated sentence as an SDP sentence, with its graph. A token is a predicate if an
    arc starts at it. If there are heads, they are included, and `layout` becomes its augmented
    form.
    """
    length = len(sentence.words)
    arcs = tuple(sorted(sentence.arcs or ()))
    tops, predicates = set(sentence.tops or ()), {predicate for predicate, _, _ in arcs}
    heads: Sequence[Optional[int]] = sentence.heads or [None] * length
    rows = zip(
        sentence.words,
        sentence.lemmas or ["_"] * length,
        sentence.pos or sentence.tags or ["_"] * length,
        heads,
        sentence.relations or ["_"] * length,
        strict=True,
    )
    tokens = tuple(
        SdpToken(form, lemma, pos, i in tops, i in predicates, head=head, relation=relation)
        for i, (form, lemma, pos, head, relation) in enumerate(rows, start=1)
    )
    comments = (name_line(sentence.identifier),) if sentence.identifier else ()
    layout = replace(layout, syntax=layout.syntax or sentence.heads is not None)
    return SdpSentence(tokens, arcs, comments, layout)


def name_line(identifier: str) -> str:
    """
    Returns the comment that names a sentence: `#20001001` or, if that would be read as something
    else, for example because of white space, `# sent_id = doc 1`.
    """
    line = f"#{identifier}"
    return line if identifier_of((line,)) == identifier else f"# sent_id = {identifier}"


def find_layout(blocks: Sequence[Block]) -> SdpLayout:
    """
    Returns the layout that fits most of the sentences before the first header or, if a header
    begins the text, the better of the two that agree with it. If no sentence decides, it is
    `SDP_2015`, or the layout in the header: faults will show when the sentences are parsed.

    # Raises

    `MalformedInputError` if two layouts fit equally many sentences.
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


def _stated_layout(block: Block, layout: SdpLayout) -> SdpLayout:
    """
    Returns the layout from this sentence on: the previous `layout`, unless there is a header among
    its comments.

    # Raises

    `MalformedInputError` for the file if the header names an unknown form.
    """
    frames = _stated_frames(block)
    return layout if frames is None else replace(layout, frames=frames)


def _stated_frames(block: Block) -> Optional[bool]:
    """
    Returns whether the header before a sentence says that there are frames; `None` without a
    header.
    """
    for comment in block.comments:
        header = _HEADER.fullmatch(comment)
        if header and header[1] not in _HAS_FRAMES:
            place = block.line_numbers[0] if block.line_numbers else None
            detail = f"the comment before this line is {quoted(comment)}"
            raise MalformedInputError(block.path, place, Fault.SDP_HEADER, detail)
        if header:
            return _HAS_FRAMES[header[1]]
    return None


def _layout_of(rows: List[List[str]], frames: Optional[bool]) -> Optional[SdpLayout]:
    """
    Returns the layout in which these rows make a sentence; `None` if there is none, or if it is
    ambiguous.

    The position of the flags (`top pred`) shows whether there is a tree before them, since no head
    is + or -. The number of columns shows whether a frame follows them, unless a header has
    determined `frames`: after the flags there is one column per predicate, so one more means a
    frame. With exactly one column per predicate, there is no frame. But if the first of these has
    an entry at every predicate, as frames do, it could also be the frame, with an argument column
    missing.
    """
    width = min((len(row) for row in rows), default=0)
    for layout in (SDP_2014, SdpLayout(frames=False, syntax=True)):
        flags = slice(layout.top, layout.width)
        if width >= layout.width and all({"+", "-"}.issuperset(row[flags]) for row in rows):
            if frames is not None:
                return replace(layout, frames=frames)
            predicates = [row for row in rows if row[layout.top + 1] == "+"]
            num_frames = width - layout.width - len(predicates)
            if num_frames not in (0, 1) or len({len(row) for row in rows}) > 1:
                return None
            looks_like_frames = all(row[layout.width] != "_" for row in predicates)
            if predicates and not num_frames and looks_like_frames:
                return None
            return SdpLayout(frames=bool(num_frames), syntax=layout.syntax)
    return None


def _width_of(block: Block, layout: SdpLayout) -> int:
    """Returns the expected number of columns: those of the layout, and one per predicate."""
    flags = [row.split("\t", layout.top + 2)[layout.top + 1 : layout.top + 2] for row in block.rows]
    return layout.width + flags.count(["+"])


def _find_predicates(block: Block, rows: Sequence[Sequence[str]], layout: SdpLayout) -> List[int]:
    """
    Returns the positions, from 1, of the predicates of a sentence.

    # Raises

    `MalformedInputError` if the `rows` of the `block` do not have the columns of `layout`, or if
    there is not one argument column per predicate.
    """
    _check_columns(block, rows, layout)
    predicates = []
    for index, row in enumerate(rows):
        top, predicate = row[layout.top : layout.top + 2]
        if top not in ("+", "-") or predicate not in ("+", "-"):
            detail = f"top is {quoted(top)} and pred is {quoted(predicate)}"
            raise block.error_at(index, Fault.FLAG, detail)
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
        raise block.error_at(0, Fault.ARGUMENT_COLUMNS, detail)
    return predicates


def _check_columns(block: Block, rows: Sequence[Sequence[str]], layout: SdpLayout) -> None:
    widths = [len(row) for row in rows]
    width = max(widths, key=widths.count)
    for index, row in enumerate(rows):
        if row[0] != str(index + 1):
            detail = f"{quoted(row[0])} where {index + 1} is due"
            raise block.error_at(index, Fault.TOKEN_ID, detail)
        if len(row) < layout.width:
            names = " ".join(layout.columns)
            detail = f"{len(row)} columns, where {layout} has {names} before the arguments"
            raise block.error_at(index, Fault.COLUMN_COUNT, detail)
        if len(row) != width:
            detail = f"{len(row)} columns, where other lines of the sentence have {width}"
            raise block.error_at(index, Fault.COLUMN_COUNT, detail)
