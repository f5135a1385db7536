"""
SDP, the text format of broad-coverage semantic dependency graphs.

One token a line, an empty line after each sentence, and for the `k`-th predicate of a sentence a
`k`-th argument column that holds the role of each token towards it, or `_`. The format of
[SemEval 2014, Task 8](https://aclanthology.org/S14-2008) has the columns `id form lemma pos top
pred` before the arguments; that of [SemEval 2015, Task 18](https://aclanthology.org/S15-2153) adds
`frame`; the augmented form of TurboSemanticParser has `head deprel` after `pos`.

Reading and writing a file gives the same bytes, if one empty line ends the last sentence.
"""

from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from typing import Iterator, List, Optional, Tuple, Union

from spigot_allennlp.data.annotated_sentence import Arc
from spigot_allennlp.data.blocks import Block, identifier_of, read_blocks, scan_blocks
from spigot_allennlp.data.cells import head_of, join_cells
from spigot_allennlp.data.errors import MalformedInputError, quoted
from spigot_allennlp.data.sdp_layout import (
    SDP_2015,
    SdpLayout,
    find_layout,
    find_predicates,
    stated_layout,
    width_of,
)

# So many sentences are looked at to find the layout of a file.
SAMPLE_SIZE = 50


@dataclass(frozen=True)
class SdpToken:
    """
    One token. `frame` is the sense of a predicate, `head` (0 is the root) and `relation` its place
    in the syntactic tree of the augmented form; where they are not given, `_` and `None`.
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
    One sentence and its graph.

    # Parameters

    tokens : `Tuple[SdpToken, ...]`
    arcs : `Tuple[Arc, ...]`, optional
        `(predicate, argument, role)`, positions from 1.
    comments : `Tuple[str, ...]`, optional
        The lines before the first token, as they are. The file's header is among those of the first
        sentence.
    layout : `SdpLayout`, optional (default = `SDP_2015`)
        The columns in which it was, and will be, written.
    path : `str`, optional
        The file it was read from.
    lines : `Tuple[int, ...]`, optional
        The number of the line of each token in that file.
    """

    tokens: Tuple[SdpToken, ...]
    arcs: Tuple[Arc, ...] = ()
    comments: Tuple[str, ...] = ()
    layout: SdpLayout = SDP_2015
    path: str = field(default="", compare=False)
    lines: Tuple[int, ...] = field(default=(), compare=False)

    @property
    def identifier(self) -> Optional[str]:
        """The name that the comments give to the sentence."""
        return identifier_of(self.comments)

    @property
    def tops(self) -> List[int]:
        """The positions, from 1, of the tops."""
        return [position for position, token in enumerate(self.tokens, 1) if token.top]


def read_sdp(path: str, layout: str = "sdp") -> Iterator[SdpSentence]:
    """
    The sentences of a file, one at a time. See `open_source` for both arguments.

    # Raises

    `MalformedInputError` at the first sentence that cannot be read.
    """
    for sentence in scan_sdp(path, layout):
        if isinstance(sentence, MalformedInputError):
            raise sentence
        yield sentence


def scan_sdp(path: str, layout: str = "sdp") -> Iterator[Union[SdpSentence, MalformedInputError]]:
    """
    The sentences of a file, with an error in the place of each that cannot be read. A header says
    in which form the sentences after it are; before a header, their columns do.

    # Raises

    `MalformedInputError` if neither can tell the form of the file.
    """
    blocks = read_blocks(path, layout)
    sample = list(islice(blocks, SAMPLE_SIZE))
    form = find_layout(sample)

    def parse(block: Block) -> SdpSentence:
        nonlocal form
        form = stated_layout(block, form)
        return parse_sdp(block, form)

    yield from scan_blocks(path, chain(sample, blocks), parse)


def parse_sdp(block: Block, layout: SdpLayout) -> SdpSentence:
    """
    The sentence of a block.

    # Raises

    `MalformedInputError` if it is not one in this `layout`.
    """
    rows = block.cells(partial(width_of, block, layout))
    predicates = find_predicates(block, rows, layout)
    top, width, length = layout.top, layout.width, len(rows)
    tokens, arcs = [], []
    for index, row in enumerate(rows):
        head, relation = None, "_"
        if layout.syntax:
            head, relation = head_of(block, index, row[4], length), row[5]
        frame = row[width - 1] if layout.frames else "_"
        flags = row[top] == "+", row[top + 1] == "+"
        tokens.append(SdpToken(row[1], row[2], row[3], *flags, frame, head, relation))
        for predicate, role in zip(predicates, row[width:], strict=True):
            if role != "_":
                arcs.append((predicate, index + 1, role))
    return SdpSentence(
        tuple(tokens), tuple(sorted(arcs)), block.comments, layout, block.path, block.lines
    )


def format_sdp(sentence: SdpSentence) -> str:
    """
    The text of a sentence, with the empty line that ends it. A file of the 2015 layout opens with
    `SDP_HEADER`: unless it is among the sentence's comments, write it first.

    # Raises

    `ValueError` if an arc has a token for its predicate that is not marked as one, or a column
    would hold a tab or a line feed, or nothing.
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
        roles[argument - 1][column[predicate]] = role
    lines = list(sentence.comments)
    for position, token in enumerate(sentence.tokens, 1):
        cells = [str(position), token.form, token.lemma, token.pos]
        if layout.syntax:
            cells += ["_" if token.head is None else str(token.head), token.relation]
        cells += ["+" if flag else "-" for flag in (token.top, token.predicate)]
        cells += [token.frame] if layout.frames else []
        lines.append(join_cells(cells + roles[position - 1]))
    return "\n".join([*lines, "", ""])
