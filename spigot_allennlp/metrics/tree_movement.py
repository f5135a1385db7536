"""
How the trees of a parser change when it is trained differently: towards the gold trees, or towards
the arcs of a semantic graph. And how the graphs change that are parsed with these trees.

This is the analysis of Peng et al. (2018), section 7, in numbers.
"""

from collections import defaultdict
from typing import Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from spigot_allennlp.metrics.counting_metric import ratio
from spigot_allennlp.metrics.parse_scores import ScoredArc

#: Sentences whose tree is unchanged, and sentences whose tree differs.
SPLITS = ("same tree", "different tree")


class Annotation(NamedTuple):
    """
    The tree and the graph of a sentence. Positions count from 1; 0 is the root.

    # Parameters

    heads : `Sequence[int]`
        The head of each token.
    arcs : `Sequence[ScoredArc]`
        The arcs of the graph, from predicates to arguments, labelled by the role.
    tops : `Sequence[int]`
        The tops of the graph.
    """

    heads: Sequence[int]
    arcs: Sequence[ScoredArc]
    tops: Sequence[int]

    @property
    def labelled_arcs(self) -> Set[ScoredArc]:
        """Returns the arcs, with one from the root to each top."""
        arcs = {ScoredArc(*arc) for arc in self.arcs}  # lists in JSON, which sets cannot hold
        return arcs | {ScoredArc(0, top, "") for top in self.tops}

    @property
    def neighbours(self) -> Set[Tuple[int, int]]:
        """Returns the pairs of positions between which there is an arc, in both orders."""
        pairs = {(predicate, argument) for predicate, argument, _ in self.labelled_arcs}
        return pairs | {(argument, predicate) for predicate, argument in pairs}


class _Sentence(NamedTuple):
    """The parses of a sentence by two parsers, and its gold annotation."""

    before: Annotation
    after: Annotation
    gold: Annotation


class Movement(NamedTuple):
    """
    Counts tokens whose head has changed.

    # Parameters

    tokens : `int`
        All tokens.
    changed : `int`
        Tokens with a different head.
    towards_gold, away_from_gold : `int`
        Tokens whose head was wrong and is now right; was right and is now wrong. All other changed
        heads were wrong and are still wrong.
    towards_graph, away_from_graph : `int`
        Tokens that the gold graph connects, by an arc in either direction, with their new head but
        not with their old one; and the reverse. The root is the predicate of the tops.
    """

    tokens: int = 0
    changed: int = 0
    towards_gold: int = 0
    away_from_gold: int = 0
    towards_graph: int = 0
    away_from_graph: int = 0

    def plus(self, other: "Movement") -> "Movement":
        """Returns the sums of the counts."""
        return Movement(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class Accuracy(NamedTuple):
    """
    The accuracy of the parses of some sentences.

    # Parameters

    sentences : `int`
    attachment : `Optional[float]`
        The share of tokens with the gold head; `None` without sentences, rather than a zero that
        would look like a result.
    labelled_f1 : `Optional[float]`
        The labelled F1 of the graphs, including tops; `None` without sentences.
    """

    sentences: int
    attachment: Optional[float] = None
    labelled_f1: Optional[float] = None


class TreeMovement(NamedTuple):
    """
    Compares two parsers on the same sentences.

    # Parameters

    all : `Movement`
    by_relation : `Dict[str, Movement]`
        The movement by the gold relation of the token, most frequent first.
    before, after : `Dict[str, Accuracy]`
        The accuracy of each parser, by `SPLITS`.
    """

    all: Movement
    by_relation: Dict[str, Movement]
    before: Dict[str, Accuracy]
    after: Dict[str, Accuracy]


def compare_trees(
    before: Sequence[Annotation],
    after: Sequence[Annotation],
    gold: Sequence[Annotation],
    relations: Sequence[Sequence[str]],
) -> TreeMovement:
    """
    Returns how the trees of `after` differ from those of `before`.

    # Parameters

    before, after, gold : `Sequence[Annotation]`
        The same sentences, in the same order.
    relations : `Sequence[Sequence[str]]`
        The gold relation of each token.

    # Raises

    `ValueError` if they are not of the same length.
    """
    by_relation: Dict[str, Movement] = defaultdict(Movement)
    splits: Dict[str, List[_Sentence]] = {split: [] for split in SPLITS}
    for first, second, right, names in zip(before, after, gold, relations, strict=True):
        splits[SPLITS[list(first.heads) != list(second.heads)]].append(
            _Sentence(first, second, right)
        )
        neighbours = right.neighbours
        heads = zip(first.heads, second.heads, right.heads, names, strict=True)
        for token, (old, new, head, name) in enumerate(heads, start=1):
            was_in_graph, is_in_graph = (old, token) in neighbours, (new, token) in neighbours
            moved = Movement(
                1,
                old != new,
                old != head and new == head,
                old == head and new != head,
                is_in_graph and not was_in_graph,
                was_in_graph and not is_in_graph,
            )
            by_relation[name] = by_relation[name].plus(moved)
    total = Movement()
    for movement in by_relation.values():
        total = total.plus(movement)
    frequent = sorted(by_relation, key=lambda name: (-by_relation[name].tokens, name))
    return TreeMovement(
        total,
        {name: by_relation[name] for name in frequent},
        {
            split: _accuracy([(item.before, item.gold) for item in splits[split]])
            for split in SPLITS
        },
        {split: _accuracy([(item.after, item.gold) for item in splits[split]]) for split in SPLITS},
    )


def _accuracy(pairs: Sequence[Tuple[Annotation, Annotation]]) -> Accuracy:
    """Returns the accuracy of sentences, each with its gold annotation."""
    if not pairs:
        return Accuracy(0)
    right = sum(
        head == gold_head
        for parsed, gold in pairs
        for head, gold_head in zip(parsed.heads, gold.heads, strict=True)
    )
    tokens = sum(len(gold.heads) for _, gold in pairs)
    common = sum(len(parsed.labelled_arcs & gold.labelled_arcs) for parsed, gold in pairs)
    arcs = sum(len(parsed.labelled_arcs) + len(gold.labelled_arcs) for parsed, gold in pairs)
    return Accuracy(len(pairs), ratio(right, tokens), ratio(2 * common, arcs))
