"""The enhanced graph of CoNLL-U, as arcs between words."""

from typing import Dict, List, Optional, Tuple

from spigot_allennlp.data.annotated_sentence import Arc
from spigot_allennlp.data.conll_format import ConllSentence, ConllToken
from spigot_allennlp.data.errors import Fault, MalformedInputError, quoted

# Joins the labels of a path through empty nodes, and those of two arcs between the same words.
PATH_SIGN = ">"
BOTH_SIGN = "|"

# A path through more empty nodes than this is an error: its label would have no bound.
LONGEST_PATH = 20

Edges = Dict[str, List[Tuple[str, str]]]


def has_graph(sentence: ConllSentence) -> bool:
    """Whether DEPS is given for any node of the sentence."""
    return any(token.deps != "_" for token in sentence.tokens if "-" not in token.id)


def enhanced_graph(
    sentence: ConllSentence, may_be_empty: bool = False
) -> Tuple[List[Arc], List[int]]:
    """
    The arcs `(head, dependent, label)` and the tops of the enhanced graph, positions from 1.

    Empty nodes are no words: a path through them becomes one arc that bears all its labels, from
    the head on, as `conj>nsubj`, which is how the shared tasks on enhanced dependencies compare
    graphs ([Bouma et al., 2020](https://aclanthology.org/2020.iwpt-1.16)). Where empty nodes head
    each other there can be more paths than can be counted: so an empty node counts once for each
    word, as the end of its shortest path to it, of several as short that which DEPS names first.
    Two arcs between the same words become one, as `nsubj|obj`. A word whose head is the root, or is
    reached from it through empty nodes, is a top.

    # Parameters

    sentence : `ConllSentence`
    may_be_empty : `bool`, optional (default = `False`)
        Whether a sentence without DEPS has an empty graph, as in a file where others have graphs.

    # Raises

    `MalformedInputError` if DEPS is not given, unless the graph may be empty, or cannot be read, or
    names a node that is not there, or has a path through more than `LONGEST_PATH` empty nodes.
    """
    edges = _edges(sentence)
    if not may_be_empty and not any(edges.values()):
        raise MalformedInputError(
            sentence.path, sentence.lines[0], Fault.ENHANCED_GRAPH, "DEPS is _ for every token"
        )
    labels: Dict[Tuple[int, int], List[str]] = {}
    tops = []
    for word, line in zip(sentence.words, sentence.word_lines, strict=True):
        paths = _paths(edges, word.id)
        if paths is None:
            detail = f"more than {LONGEST_PATH} empty nodes on a path to the word {word.id}"
            raise MalformedInputError(sentence.path, line, Fault.ENHANCED_GRAPH, detail)
        for head, label in paths:
            if head == "0":
                tops.append(int(word.id))
            else:
                labels.setdefault((int(head), int(word.id)), []).append(label)
    arcs = [
        (head, word, BOTH_SIGN.join(sorted(set(both)))) for (head, word), both in labels.items()
    ]
    return sorted(arcs), sorted(set(tops))


def _edges(sentence: ConllSentence) -> Edges:
    """For each node the `(head, label)` pairs of its DEPS column."""
    nodes = {token.id for token in sentence.tokens if "-" not in token.id}
    edges = {}
    for token, line in zip(sentence.tokens, sentence.lines, strict=True):
        if token.id in nodes:
            edges[token.id] = _heads(token, nodes | {"0"}, sentence.path, line)
    return edges


def _heads(token: ConllToken, nodes: set, path: str, line: int) -> List[Tuple[str, str]]:
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


def _paths(edges: Edges, word: str) -> Optional[List[Tuple[str, str]]]:
    """
    The words (and the root) that reach `word` by empty nodes alone, with the labels between; `None`
    if too many empty nodes stand between.
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
