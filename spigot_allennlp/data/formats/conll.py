"""
CoNLL-X and CoNLL-U, text formats for dependency trees.

There is one token per line, an empty line after each sentence, and ten columns:
`id form lemma upos xpos feats head deprel deps misc` in
[CoNLL-U](https://universaldependencies.org/format.html). In
[CoNLL-X](https://aclanthology.org/W06-2920), the fourth and fifth are called cpostag and postag,
the last two phead and pdeprel. Besides words, CoNLL-U has multiword tokens (`3-4`) and empty nodes
(`8.1`).

This does not use the `conllu` library, which AllenNLP needs anyway: version 6.0.0 drops comments
other than `key = value` (such as `#20001001`) and all but the last with the same key, accepts lines
with three columns and nonexistent ids and heads, and its errors do not name the line. Here, reading
and writing a file gives the same bytes, if one empty line ends the last sentence.

`enhanced_graph` turns the enhanced dependencies of CoNLL-U into arcs between words.
"""

import re
from dataclasses import dataclass, field
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple, Union

from spigot_allennlp.data.annotated_sentence import AnnotatedSentence, Arc
from spigot_allennlp.data.errors import MalformedInputError, quoted
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.blocks import (
    Block,
    head_of,
    identifier_of,
    join_columns,
    join_lines,
    number_of,
    parse_blocks,
    read_blocks,
)
from spigot_allennlp.data.formats.source import PathOrSource, as_source

COLUMN_NAMES = "ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC".split()
NUM_COLUMNS = len(COLUMN_NAMES)

# Signs that join the labels of a path through empty nodes, and of two arcs between the same words.
PATH_SIGN = ">"
PARALLEL_SIGN = "|"
# The label of an arc from the root in DEPS.
ROOT_LABEL = "root"
# A path through more empty nodes is an error: otherwise labels would be unbounded.
LONGEST_PATH = 20

# For each node of an enhanced graph, the (head, label) pairs in its DEPS column.
_Edges = Dict[str, List[Tuple[str, str]]]


class ConllToken(NamedTuple):
    """
    One line, with the column names of CoNLL-U. `id` is a number for a word, `3-4` for a multiword
    token, `8.1` for an empty node. `head` is `None` if none is given; 0 is the root.
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
        """Returns whether it is a word of the tree, not a multiword token or an empty node."""
        return self.id.isdigit()


@dataclass(frozen=True)
class ConllSentence:
    """
    A sentence and its tree.

    # Parameters

    tokens : `Tuple[ConllToken, ...]`
        Words, multiword tokens and empty nodes, in order.
    comments : `Tuple[str, ...]`, optional
        The lines before the first token, unchanged.
    path : `str`, optional
        The file that it was read from.
    line_numbers : `Tuple[int, ...]`, optional
        The line of each token in that file.
    """

    tokens: Tuple[ConllToken, ...]
    comments: Tuple[str, ...] = ()
    path: str = field(default="", compare=False)
    line_numbers: Tuple[int, ...] = field(default=(), compare=False)

    @property
    def identifier(self) -> Optional[str]:
        """Returns the name that the comments give to the sentence."""
        return identifier_of(self.comments)

    @property
    def words(self) -> List[ConllToken]:
        """Returns the tokens of the tree."""
        return [token for token in self.tokens if token.is_word]

    @property
    def word_line_numbers(self) -> List[int]:
        """Returns the line of each of `words`."""
        pairs = zip(self.tokens, self.line_numbers, strict=True)
        return [number for token, number in pairs if token.is_word]


def scan_conll(source: PathOrSource) -> Iterator[Union[ConllSentence, MalformedInputError]]:
    """Yields the sentences of a text, with an error in place of each that cannot be read."""
    source = as_source(source)
    return parse_blocks(source.name, read_blocks(source), parse_conll)


def parse_conll(block: Block) -> ConllSentence:
    """
    Returns the sentence of a block.

    # Raises

    `MalformedInputError` if it is not valid. The error concerns the whole file if a comment before
    the sentence, `# global.columns = ...` of CoNLL-U Plus, declares other columns.
    """
    _check_global_columns(block)
    rows = block.columns(lambda: NUM_COLUMNS)
    for index, row in enumerate(rows):
        if len(row) != NUM_COLUMNS:
            detail = f"{len(row)} columns, where CoNLL-X and CoNLL-U have {NUM_COLUMNS}"
            raise block.error_at(index, Fault.COLUMN_COUNT, detail)
    length = _check_ids(block, [row[0] for row in rows])
    tokens = []
    for index, (name, form, lemma, upos, xpos, feats, head, *others) in enumerate(rows):
        position = head_of(block, index, head, length)
        tokens.append(ConllToken(name, form, lemma, upos, xpos, feats, position, *others))
    return ConllSentence(tuple(tokens), block.comments, block.path, block.line_numbers)


def format_conll(sentence: ConllSentence) -> str:
    """
    Returns the text of a sentence, with the empty line that ends it.

    # Raises

    `ValueError` if a line could not be read back, for example because a column contains a tab or is
    empty.
    """
    lines = []
    for token in sentence.tokens:
        head = "_" if token.head is None else str(token.head)
        before = [token.id, token.form, token.lemma, token.upos, token.xpos, token.feats]
        lines.append(join_columns([*before, head, token.relation, token.deps, token.misc]))
    return join_lines(sentence.comments, lines)


def annotation_to_conll(sentence: AnnotatedSentence) -> ConllSentence:
    """
    Returns an annotated sentence as a CoNLL-U sentence, with its tree, and with its graph in DEPS,
    where a top is `0:root`. An empty graph is `_`, the same as no graph.

    # Raises

    `ValueError` if a role is empty: DEPS cannot hold it.
    """
    length = len(sentence.words)
    deps: List[List[Tuple[int, str]]] = [[] for _ in range(length)]
    for top in sentence.tops or ():
        deps[top - 1].append((0, ROOT_LABEL))
    for predicate, argument, role in sentence.arcs or ():
        if not all(role.split(PARALLEL_SIGN)):
            raise ValueError(f"The role {quoted(role)} cannot stand in DEPS: a label is empty.")
        deps[argument - 1] += [(predicate, label) for label in role.split(PARALLEL_SIGN)]
    missing = ["_"] * length
    heads: Sequence[Optional[int]] = sentence.heads or [None] * length
    columns = zip(
        map(str, range(1, length + 1)),
        sentence.words,
        sentence.lemmas or missing,
        sentence.pos or missing,
        sentence.tags or missing,
        missing,
        heads,
        sentence.relations or missing,
        ["|".join(f"{head}:{label}" for head, label in sorted(pairs)) or "_" for pairs in deps],
        strict=True,
    )
    tokens = tuple(ConllToken(*row) for row in columns)
    comments = () if sentence.identifier is None else (f"# sent_id = {sentence.identifier}",)
    return ConllSentence(tokens, comments)


def _check_global_columns(block: Block) -> None:
    for comment in block.comments:
        name, _, value = comment[1:].partition("=")
        if name.strip() == "global.columns" and value.split() != COLUMN_NAMES:
            place = block.line_numbers[0] if block.line_numbers else None
            detail = f"the comment before this line is {quoted(comment)}"
            raise MalformedInputError(block.path, place, Fault.GLOBAL_COLUMNS, detail)


def _check_ids(block: Block, ids: List[str]) -> int:
    """
    Checks that all ids are in order, and returns the number of words. Words count 1, 2, 3, ...; a
    multiword token comes before its first word; the empty nodes after word 8 count 8.1, 8.2, ...
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
                raise block.error_at(index, Fault.TOKEN_ID, due)
            range_end = end
    if words < range_end or not words:
        detail = f"the sentence ends after {words} words"
        raise block.error_at(len(ids) - 1, Fault.TOKEN_ID, detail)
    return words


def has_graph(sentence: ConllSentence) -> bool:
    """Returns whether DEPS is given for any node of the sentence."""
    return any(token.deps != "_" for token in sentence.tokens if "-" not in token.id)


class EnhancedGraph(NamedTuple):
    """
    The enhanced dependencies of a sentence, as a graph over its words.

    # Parameters

    arcs : `List[Arc]`
        From head to dependent, with the label; positions from 1, sorted.
    tops : `List[int]`
        The words that are attached to the root, sorted.
    """

    arcs: List[Arc]
    tops: List[int]


def enhanced_graph(sentence: ConllSentence, may_be_empty: bool = False) -> EnhancedGraph:
    """
    Returns the enhanced graph of a sentence.

    Empty nodes are not words: a path through them becomes one arc with all its labels, starting
    from the head, such as `conj>nsubj`. The shared tasks on enhanced dependencies compare graphs in
    this way ([Bouma et al., 2020](https://aclanthology.org/2020.iwpt-1.16)). If empty nodes head
    each other, there can be too many paths to list. So each empty node counts once per word, with
    its shortest path to the word, or the first one in DEPS if several are equally short. Two arcs
    between the same words become one, such as `nsubj|obj`. A word is a top if its head is the root,
    directly or through empty nodes.

    # Parameters

    sentence : `ConllSentence`
    may_be_empty : `bool`, optional (default = `False`)
        Whether a sentence without DEPS has an empty graph, for files where others have graphs.

    # Raises

    `MalformedInputError` if DEPS is not given, unless the graph may be empty; if it cannot be read
    or names a missing node; or if it has a path through more than `LONGEST_PATH` empty nodes.
    """
    arcs = enhanced_arcs(sentence)
    if not may_be_empty and not arcs:
        place, detail = sentence.line_numbers[0], "DEPS is _ for every token"
        raise MalformedInputError(sentence.path, place, Fault.ENHANCED_GRAPH, detail)
    labels: Dict[Tuple[int, int], List[str]] = {}
    for head, word, label in arcs:
        if head:
            labels.setdefault((head, word), []).append(label)
    joined = [Arc(*ends, PARALLEL_SIGN.join(parallel)) for ends, parallel in labels.items()]
    return EnhancedGraph(sorted(joined), sorted({word for head, word, _ in arcs if not head}))


def without_lemmas(label: str) -> str:
    """
    Returns a label of `enhanced_graph` with only the relations, without the part after a colon: the
    lemma of a preposition or conjunction, or a subtype. `conj:and>nmod:of` becomes `conj>nmod`.
    Parallel arcs that differ in nothing else become one: `nmod:in|nmod:of` becomes `nmod`, since
    DEPS may hold a head with a relation only once.
    """
    relations = re.sub(f":[^{PATH_SIGN}{PARALLEL_SIGN}]*", "", label)
    return PARALLEL_SIGN.join(sorted(set(relations.split(PARALLEL_SIGN))))


def enhanced_arcs(sentence: ConllSentence) -> List[Arc]:
    """
    Returns the enhanced dependencies of a sentence, including those from the root (0), sorted and
    without duplicates. There may be several between two words. Paths through empty nodes are as in
    `enhanced_graph`.

    # Raises

    `MalformedInputError` if DEPS cannot be read, names a missing node, or has a path through more
    than `LONGEST_PATH` empty nodes.
    """
    edges = _edges(sentence)
    arcs: Set[Arc] = set()
    for word, line in zip(sentence.words, sentence.word_line_numbers, strict=True):
        paths = _paths(edges, word.id)
        if paths is None:
            detail = f"more than {LONGEST_PATH} empty nodes on a path to the word {word.id}"
            raise MalformedInputError(sentence.path, line, Fault.ENHANCED_GRAPH, detail)
        arcs.update(Arc(int(head), int(word.id), label) for head, label in paths)
    return sorted(arcs)


def _edges(sentence: ConllSentence) -> _Edges:
    """Returns the `(head, label)` pairs in the DEPS column of each node."""
    nodes = {token.id for token in sentence.tokens if "-" not in token.id}
    edges = {}
    for token, line in zip(sentence.tokens, sentence.line_numbers, strict=True):
        if token.id in nodes:
            edges[token.id] = _parse_deps(token, nodes | {"0"}, sentence.path, line)
    return edges


def _parse_deps(token: ConllToken, nodes: set, path: str, line: int) -> List[Tuple[str, str]]:
    """
    Returns the `(head, label)` pairs in the DEPS column of a token.

    # Raises

    `MalformedInputError` for `path` and `line` if the column holds anything else, or a head that is
    not among the `nodes`.
    """
    pairs = []
    for part in token.deps.split("|") if token.deps != "_" else []:
        head, _, label = part.partition(":")
        if not label:
            detail = f"{quoted(part)} in {quoted(token.deps)} is not head:relation"
            raise MalformedInputError(path, line, Fault.ENHANCED_GRAPH, detail)
        if head not in nodes:
            detail = f"{quoted(head)} in DEPS {quoted(token.deps)}"
            raise MalformedInputError(path, line, Fault.HEAD, detail)
        pairs.append((head, label))
    return pairs


def _paths(edges: _Edges, word: str) -> Optional[List[Tuple[str, str]]]:
    """
    Returns the words (and the root) that reach `word` directly or through empty nodes, with the
    labels of the paths; `None` if a path has too many empty nodes.
    """
    paths = []
    # Breadth first: the empty nodes that reach the word, each with the labels from it to the word.
    layer: List[Tuple[str, str]] = [(word, "")]
    reached = {word}
    for _ in range(LONGEST_PATH + 1):
        above = []
        for node, labels in layer:
            for head, label in edges[node]:
                path = label + labels
                if "." not in head:
                    paths.append((head, path))
                elif head not in reached:
                    reached.add(head)
                    above.append((head, PATH_SIGN + path))
        if not above:
            return paths
        layer = above
    return None
