"""The enhanced graph of CoNLL-U, as arcs between words."""

from typing import Dict, FrozenSet, List, Tuple

from spigot_allennlp.data.annotated_sentence import Arc
from spigot_allennlp.data.conll_format import ConllSentence, ConllToken
from spigot_allennlp.data.errors import Fault, MalformedInputError

# Joins the labels of a path through empty nodes, and those of two arcs between the same words.
PATH_SIGN = ">"
BOTH_SIGN = "|"

Edges = Dict[str, List[Tuple[str, str]]]


def enhanced_graph(sentence: ConllSentence) -> Tuple[List[Arc], List[int]]:
    """
    The arcs `(head, dependent, label)` and the tops of the enhanced graph, positions from 1.

    Empty nodes are no words: a path through them becomes one arc that bears all its labels, from
    the head on, as `conj>nsubj`, which is how the shared tasks on enhanced dependencies compare
    graphs ([Bouma et al., 2020](https://aclanthology.org/2020.iwpt-1.16)). Two arcs between the
    same words become one, as `nsubj|obj`. A word whose head is the root, or is reached from it
    through empty nodes, is a top.

    # Raises

    `MalformedInputError` if DEPS is not given, cannot be read, or names a node that is not there.
    """
    edges = _edges(sentence)
    labels: Dict[Tuple[int, int], List[str]] = {}
    tops = []
    for word in sentence.words:
        for head, label in _paths(edges, word.id, frozenset()):
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
    if not any(edges.values()):
        raise MalformedInputError(
            sentence.path, sentence.lines[0], Fault.ENHANCED_GRAPH, "DEPS is _ for every token"
        )
    return edges


def _heads(token: ConllToken, nodes: set, path: str, line: int) -> List[Tuple[str, str]]:
    pairs = []
    for part in token.deps.split("|") if token.deps != "_" else []:
        head, _, label = part.partition(":")
        if not label:
            detail = f"{part!r} in {token.deps!r} is not head:relation"
            raise MalformedInputError(path, line, Fault.ENHANCED_GRAPH, detail)
        if head not in nodes:
            raise MalformedInputError(path, line, Fault.HEAD, f"{head!r} in DEPS {token.deps!r}")
        pairs.append((head, label))
    return pairs


def _paths(edges: Edges, node: str, passed: FrozenSet[str]) -> List[Tuple[str, str]]:
    """The words (and the root) that reach `node` by empty nodes alone, with the labels between."""
    paths = []
    for head, label in edges[node]:
        if "." not in head:
            paths.append((head, label))
        elif head not in passed:
            paths += [
                (above, PATH_SIGN.join((labels, label)))
                for above, labels in _paths(edges, head, passed | {head})
            ]
    return paths
