"""
Scores the parses of files against gold: each sentence adds to counts, and metrics follow from
these.

Graphs are scored by the definitions of the scorer of SemEval 2014 task 8 and 2015 task 18 (as
`SemanticF1` does in training), trees by attachment, enhanced graphs as in the shared task of
[Bouma et al. (2020)](https://aclanthology.org/2020.iwpt-1.16). All are functions of counts that add
up, so the metrics of any selection of sentences follow from their rows.
"""

from typing import Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy

#: Maps sums of counts, shape `(n, num_counts)`, to the metric of each, shape `(n,)`.
MetricOfCounts = Callable[[numpy.ndarray], numpy.ndarray]


class ScoredArc(NamedTuple):
    """An arc of a tree or graph, between words from 1; the head 0 is the root."""

    head: int
    dependent: int
    label: str


class FileScores(NamedTuple):
    """
    The data for computing metrics over any selection of sentences.

    # Parameters

    rows : `numpy.ndarray`
        What each sentence adds to the counts, shape `(num_sentences, num_counts)`.
    metrics : `Dict[str, MetricOfCounts]`
        By name: functions of sums of rows.
    """

    rows: numpy.ndarray
    metrics: Dict[str, MetricOfCounts]

    def all(self) -> Dict[str, float]:
        """Returns the metrics over all sentences."""
        totals = self.rows.sum(axis=0, keepdims=True)
        return {name: float(metric(totals)[0]) for name, metric in self.metrics.items()}


def graph_scores(
    gold: Sequence[Sequence[ScoredArc]], system: Sequence[Sequence[ScoredArc]]
) -> FileScores:
    """
    Returns precision, recall, F1 and exact match, labelled and unlabelled, with tops (arcs from the
    root, whose labels always match) and without.

    # Parameters

    gold, system : `Sequence[Sequence[ScoredArc]]`
        The arcs of each sentence, including those from the root to its tops.
    """
    rows = []
    for right, ours in zip(gold, system, strict=True):
        row: List[int] = []
        for with_tops in (True, False):
            sides = [_labelled(arcs, with_tops) for arcs in (right, ours)]
            row += _overlap(*sides)
            row += _overlap(*map(_unlabelled, sides))
        rows.append([*row, 1])
    metrics: Dict[str, MetricOfCounts] = {}
    for place, name in enumerate(
        ("labelled", "unlabelled", "labelled without tops", "unlabelled without tops")
    ):
        metrics.update(_overlap_metrics(name, 4 * place))
    return FileScores(_counts(rows, 17), metrics)


def tree_scores(
    gold: Sequence[Sequence[ScoredArc]], system: Sequence[Sequence[ScoredArc]]
) -> FileScores:
    """
    Returns the share of tokens with the right head (UAS), the share with the right head and label
    (LAS), and the share of sentences with the right tree. Punctuation counts like any other token.
    Labels are compared in full, as by the scorer of CoNLL-X (which leaves out punctuation by
    default). The scorer of CoNLL 2017 and 2018 compares only the part before a colon, so its LAS is
    higher.

    # Parameters

    gold, system : `Sequence[Sequence[ScoredArc]]`
        The arc to each token of each sentence, in the order of the tokens.
    """
    rows = []
    for right, ours in zip(gold, system, strict=True):
        pairs = list(zip(right, ours, strict=True))
        heads = sum(gold_head == head for (gold_head, _, _), (head, _, _) in pairs)
        labels = sum(gold_arc == arc for gold_arc, arc in pairs)
        rows.append([len(pairs), heads, labels, int(labels == len(pairs)), 1])
    metrics = {"UAS": _share(1, 0), "LAS": _share(2, 0), "tree exact match": _share(3, 4)}
    return FileScores(_counts(rows, 5), metrics)


def enhanced_scores(
    gold: Sequence[Sequence[ScoredArc]], system: Sequence[Sequence[ScoredArc]]
) -> FileScores:
    """
    Returns precision, recall and F1 (ELAS) of enhanced dependencies; those from the root count like
    any other. `enhanced unlabelled` compares pairs of words.
    """
    rows = []
    for right, ours in zip(gold, system, strict=True):
        row = _overlap(set(right), set(ours))
        row += _overlap(_unlabelled(right), _unlabelled(ours))
        rows.append([*row, 1])
    labelled = _overlap_metrics("ELAS", 0)
    labelled["ELAS"] = labelled.pop("ELAS F1")
    metrics = {**labelled, **_overlap_metrics("enhanced unlabelled", 4)}
    return FileScores(_counts(rows, 9), metrics)


def _labelled(arcs: Sequence[ScoredArc], with_tops: bool) -> Set[ScoredArc]:
    return {
        ScoredArc(head, word, label if head else "")
        for head, word, label in arcs
        if head or with_tops
    }


def _unlabelled(arcs: Iterable[ScoredArc]) -> Set[Tuple[int, int]]:
    return {(head, word) for head, word, _ in arcs}


def _overlap(gold: Set, system: Set) -> List[int]:
    """Returns the sizes of two sets and of their intersection, and whether they are the same."""
    return [len(gold), len(system), len(gold & system), int(gold == system)]


def _overlap_metrics(name: str, start: int) -> Dict[str, MetricOfCounts]:
    """
    Returns the metrics of `_overlap`, whose counts begin at `start`; the last count is of
    sentences.
    """
    return {
        f"{name} precision": _share(start + 2, start + 1),
        f"{name} recall": _share(start + 2, start),
        f"{name} F1": _share(start + 2, start, start + 1),
        f"{name} exact match": _share(start + 3, -1),
    }


def _share(part: int, whole: int, other: Optional[int] = None) -> MetricOfCounts:
    """
    Returns the metric that divides one count by another or, with a third count, twice the first by
    the sum of the other two; 0 where the denominator is 0.
    """

    def metric(totals: numpy.ndarray) -> numpy.ndarray:
        parts, wholes = totals[:, part], totals[:, whole]
        if other is not None:
            parts, wholes = 2 * parts, wholes + totals[:, other]
        return numpy.divide(parts, wholes, out=numpy.zeros(len(totals)), where=wholes != 0)

    return metric


def _counts(rows: List[List[int]], width: int) -> numpy.ndarray:
    return numpy.array(rows, dtype=float).reshape(len(rows), width)
