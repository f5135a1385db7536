"""Measures how much graphs differ from others, such as those of a parser before joint training."""

from typing import Dict, List

import torch
from allennlp.training.metrics import Metric
from torch import BoolTensor, LongTensor

from spigot_allennlp.metrics.counting_metric import CountingMetric, ratio


@Metric.register("graph_change")
class GraphDifference(CountingMetric):
    """
    The share of arcs that two sets of graphs of the same sentences do not have in common,

        |A symmetric-difference B| / |A union B|,

    where A and B hold all arcs of all sentences, as (sentence, predicate, argument, label). It is 0
    if the graphs are the same, 1 if no arc is in both, and 0 if there are no arcs at all. It is
    symmetric in A and B. An arc whose label changed counts as one arc removed and one added. Tops
    are arcs from the root. A tree is a graph in which every token has one arc; if k of its n tokens
    have a new head, the result is 2k / (n + k).

    `get_metric` returns `arcs_changed`, and `unlabelled_arcs_changed`, which ignores labels.

    Registered as a `Metric` with name "graph_change".
    """

    def __init__(self) -> None:
        super().__init__(5)

    def __call__(  # type: ignore[override]
        self, before: LongTensor, after: LongTensor, mask: BoolTensor
    ) -> None:
        """
        # Parameters

        before, after : `LongTensor`
            Shape `(batch_size, dependent, head)`: the label of the arc from head to dependent, -1
            where there is no arc; any constant for all arcs if there are no labels. Position 0 is
            the root. Row 0 is ignored.
        mask : `BoolTensor`
            Shape `(batch_size, length)`, the root included.
        """
        # The root has no head. (batch_size, dependent, head)
        inside = (mask.unsqueeze(2) & mask.unsqueeze(1))[:, 1:]
        in_before, in_after = (before[:, 1:] >= 0) & inside, (after[:, 1:] >= 0) & inside
        in_both = in_before & in_after
        same_label = in_both & (before == after)[:, 1:]
        # (arc set, batch_size, dependent, head)
        sets = torch.stack([in_before, in_after, same_label, in_both])
        # The number of sentences distinguishes graphs without arcs from no graphs.
        self.add(torch.cat([sets.sum(dim=(1, 2, 3)), mask.any(dim=1).sum().unsqueeze(0)]))

    def compute_metrics(self, counts: List[int]) -> Dict[str, float]:
        before, after, same_label, in_both, _ = counts
        return {
            "arcs_changed": _changed(before + after, same_label),
            "unlabelled_arcs_changed": _changed(before + after, in_both),
        }


def _changed(total: int, common: int) -> float:
    """Compares two sets whose sizes sum to `total`, with `common` elements in both."""
    return ratio(total - 2 * common, total - common)
