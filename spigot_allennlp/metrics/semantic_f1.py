"""Scores semantic graphs by precision, recall, F1 and exact match, as the SDP shared tasks do."""

from itertools import product
from typing import Dict, List

import torch
from allennlp.training.metrics import Metric
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.metrics.counting_metric import CountingMetric, ratio

# For one kind in one variant: arcs predicted, in gold, in common; exact matches.
_COUNTS_PER_KIND = 4
_KINDS = ("labelled", "unlabelled")
_VARIANTS = ("", "_without_tops")


@Metric.register("semantic_f1")
class SemanticF1(CountingMetric):
    """
    LP, LR, LF, LM, UP, UR, UF and UM of the official scorer of SemEval 2014 task 8 and 2015 task 18
    (class `Scorer` of the `sdp` toolkit): micro-averaged over all arcs of the data set.

    * A top counts as an additional arc from the root, whose label always matches. The metrics with
      the suffix `_without_tops` leave it out ("excluding virtual dependencies to top nodes").
    * Precision and recall of the unlabelled kind compare (predicate, argument) pairs.
    * A sentence is an exact match if the two sets of arcs are the same, even if both are empty.
    * Punctuation counts like any other token.

    The scorer prints NaN for a ratio without a denominator; here it is 0.

    `get_metric` returns `{labelled,unlabelled}_{precision,recall,f1,exact_match}`, each also with
    the suffix `_without_tops`.

    Registered as a `Metric` with name "semantic_f1".

    # Parameters

    unknown_label : `int`, optional (default = `1`)
        A label that never matches, not even itself: the out-of-vocabulary index, which may stand
        for any number of different roles in gold graphs.
    """

    def __init__(self, unknown_label: int = 1) -> None:
        super().__init__(len(_VARIANTS) * len(_KINDS) * _COUNTS_PER_KIND + 1)
        self._unknown_label = unknown_label

    def __call__(  # type: ignore[override]
        self, predicted: LongTensor, gold: LongTensor, mask: BoolTensor
    ) -> None:
        """
        # Parameters

        predicted, gold : `LongTensor`
            Shape `(batch_size, dependent, head)`: the label of the arc from head to dependent, -1
            where there is none. Position 0 is the root, whose dependents are the tops, whatever
            their label. Row 0 is ignored.
        mask : `BoolTensor`
            Shape `(batch_size, length)`, the root included.
        """
        # The root has no head. (batch_size, dependent, head)
        inside = (mask.unsqueeze(2) & mask.unsqueeze(1))[:, 1:]
        in_predicted, in_gold = (predicted[:, 1:] >= 0) & inside, (gold[:, 1:] >= 0) & inside
        in_both = in_predicted & in_gold
        same_label = (predicted == gold)[:, 1:] & (gold[:, 1:] != self._unknown_label)
        same_label[:, :, 0] = True
        # (arc set, batch_size, head)
        sizes = torch.stack([in_predicted, in_gold, in_both & same_label, in_both]).sum(dim=2)
        # (variant, arc set, batch_size)
        sizes = torch.stack([sizes.sum(dim=-1), sizes[..., 1:].sum(dim=-1)])
        self.add(_counts(sizes, mask.any(dim=1)))

    def compute_metrics(self, counts: List[int]) -> Dict[str, float]:
        num_sentences = counts[-1]
        result = {}
        for number, (variant, kind) in enumerate(product(_VARIANTS, _KINDS)):
            start = number * _COUNTS_PER_KIND
            predicted, gold, common, exact = counts[start : start + _COUNTS_PER_KIND]
            result[f"{kind}_precision{variant}"] = ratio(common, predicted)
            result[f"{kind}_recall{variant}"] = ratio(common, gold)
            result[f"{kind}_f1{variant}"] = ratio(2 * common, predicted + gold)
            result[f"{kind}_exact_match{variant}"] = ratio(exact, num_sentences)
        return result


def _counts(sizes: Tensor, is_sentence: Tensor) -> Tensor:
    """
    Returns the counts of a batch: for each variant, for each kind, the arcs predicted, in gold and
    in common, and the exact matches; then the number of sentences.

    # Parameters

    sizes : `Tensor`
        Shape `(variant, 4, batch_size)`: the arcs predicted, in gold, in common labelled, in common
        unlabelled.
    is_sentence : `Tensor`
        Shape `(batch_size,)`; False for a row that is all padding.
    """
    # (variant, 1, batch_size) twice, then (variant, kind, batch_size)
    predicted, gold, common = sizes[:, :1], sizes[:, 1:2], sizes[:, 2:]
    exact = (common == predicted) & (common == gold) & is_sentence
    # (variant, kind, count, batch_size)
    per_sentence = torch.stack(
        [predicted.expand_as(common), gold.expand_as(common), common, exact.long()], dim=2
    )
    return torch.cat([per_sentence.sum(dim=-1).flatten(), is_sentence.sum().unsqueeze(0)])
