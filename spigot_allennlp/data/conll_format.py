"""
CoNLL-X and CoNLL-U, the text formats of dependency trees.

One token a line, an empty line after each sentence, ten columns: `id form lemma upos xpos feats
head deprel deps misc` in [CoNLL-U](https://universaldependencies.org/format.html); in
[CoNLL-X](https://aclanthology.org/W06-2920) the fourth and fifth are called cpostag and postag, the
last two phead and pdeprel. CoNLL-U has, beside words, multiword tokens (`3-4`) and empty nodes
(`8.1`).

Why not the `conllu` library, which AllenNLP needs anyway: version 6.0.0 drops a comment that is no
`key = value` (such as `#20001001`) and all but the last of one key, takes lines of three columns,
and ids and heads that do not exist, and its errors tell no line. Reading and writing a file here
gives the same bytes, if one empty line ends the last sentence.
"""

from dataclasses import dataclass, field
from typing import Iterator, List, Optional, Tuple, Union

from spigot_allennlp.data.blocks import (
    Block,
    identifier_of,
    number_of,
    read_blocks,
    scan_blocks,
)
from spigot_allennlp.data.cells import head_of, join_cells
from spigot_allennlp.data.errors import Fault, MalformedInputError, quoted

COLUMN_NAMES = "ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC".split()
COLUMNS = len(COLUMN_NAMES)


@dataclass(frozen=True)
class ConllToken:
    """
    One line, under the column names of CoNLL-U. `id` is a number for a word, `3-4` for a multiword
    token, `8.1` for an empty node. `head` is `None` where none is given; 0 is the root.
    """

    id: str
    form: str
    lemma: str = "_"
    upos: str = "_"
    xpos: str = "_"
    feats: str = "_"
    head: Optional[int] = None
    relation: str = "_"
    deps: str = "_"
    misc: str = "_"

    @property
    def is_word(self) -> bool:
        """Whether it is a word of the tree: neither a multiword token nor an empty node."""
        return self.id.isdigit()


@dataclass(frozen=True)
class ConllSentence:
    """
    One sentence and its tree.

    # Parameters

    tokens : `Tuple[ConllToken, ...]`
        Words, multiword tokens and empty nodes, in their order.
    comments : `Tuple[str, ...]`, optional
        The lines before the first token, as they are.
    path : `str`, optional
        The file it was read from.
    lines : `Tuple[int, ...]`, optional
        The number of the line of each token in that file.
    """

    tokens: Tuple[ConllToken, ...]
    comments: Tuple[str, ...] = ()
    path: str = field(default="", compare=False)
    lines: Tuple[int, ...] = field(default=(), compare=False)

    @property
    def identifier(self) -> Optional[str]:
        """The name that the comments give to the sentence."""
        return identifier_of(self.comments)

    @property
    def words(self) -> List[ConllToken]:
        """The tokens of the tree."""
        return [token for token in self.tokens if token.is_word]

    @property
    def word_lines(self) -> List[int]:
        """The number of the line of each of `words`."""
        return [line for token, line in zip(self.tokens, self.lines, strict=True) if token.is_word]


def read_conll(path: str, layout: str = "conllu") -> Iterator[ConllSentence]:
    """
    The sentences of a file, one at a time. See `open_source` for both arguments.

    # Raises

    `MalformedInputError` at the first sentence that cannot be read.
    """
    for sentence in scan_conll(path, layout):
        if isinstance(sentence, MalformedInputError):
            raise sentence
        yield sentence


def scan_conll(
    path: str, layout: str = "conllu"
) -> Iterator[Union[ConllSentence, MalformedInputError]]:
    """The sentences of a file, with an error in the place of each that cannot be read."""
    return scan_blocks(path, read_blocks(path, layout), parse_conll)


def parse_conll(block: Block) -> ConllSentence:
    """
    The sentence of a block.

    # Raises

    `MalformedInputError` if it is not one. It concerns the whole file if a comment before the
    sentence, `# global.columns = ...` of CoNLL-U Plus, says that the columns are others.
    """
    _check_global_columns(block)
    rows = block.cells(lambda: COLUMNS)
    for index, row in enumerate(rows):
        if len(row) != COLUMNS:
            detail = f"{len(row)} columns, where CoNLL-X and CoNLL-U have {COLUMNS}"
            raise block.error(index, Fault.COLUMN_COUNT, detail)
    length = _count_words(block, [row[0] for row in rows])
    tokens = []
    for index, (name, form, lemma, upos, xpos, feats, cell, *rest) in enumerate(rows):
        head = head_of(block, index, cell, length)
        tokens.append(ConllToken(name, form, lemma, upos, xpos, feats, head, *rest))
    return ConllSentence(tuple(tokens), block.comments, block.path, block.lines)


def format_conll(sentence: ConllSentence) -> str:
    """
    The text of a sentence, with the empty line that ends it.

    # Raises

    `ValueError` if a column would hold a tab or a line feed, or nothing.
    """
    lines = list(sentence.comments)
    for token in sentence.tokens:
        head = "_" if token.head is None else str(token.head)
        before = [token.id, token.form, token.lemma, token.upos, token.xpos, token.feats]
        lines.append(join_cells([*before, head, token.relation, token.deps, token.misc]))
    return "\n".join([*lines, "", ""])


def _check_global_columns(block: Block) -> None:
    for comment in block.comments:
        name, _, value = comment[1:].partition("=")
        if name.strip() == "global.columns" and value.split() != COLUMN_NAMES:
            place = block.lines[0] if block.lines else None
            detail = f"the comment before this line is {quoted(comment)}"
            raise MalformedInputError(block.path, place, Fault.GLOBAL_COLUMNS, detail)


def _count_words(block: Block, ids: List[str]) -> int:
    """
    The number of words, if all ids are in order: words count 1, 2, 3, ...; a multiword token stands
    before its first word; the empty nodes after word 8 count 8.1, 8.2, ...
    """
    words, empty_nodes, range_end = 0, 0, 0
    for index, text in enumerate(ids):
        if text == str(words + 1):
            words, empty_nodes = words + 1, 0
        elif text == f"{words}.{empty_nodes + 1}":
            empty_nodes += 1
        else:
            first, _, last = text.partition("-")
            end = number_of(last)
            if first != str(words + 1) or end is None or end <= words or words < range_end:
                due = f"{quoted(text)} where {words + 1}, or what may stand before it, is due"
                raise block.error(index, Fault.TOKEN_ID, due)
            range_end = end
    if words < range_end or not words:
        detail = f"the sentence ends after {words} words"
        raise block.error(len(ids) - 1, Fault.TOKEN_ID, detail)
    return words
