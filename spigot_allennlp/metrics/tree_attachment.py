"""Scores dependency trees by unlabelled and labelled attachment, with and without punctuation."""

from typing import Dict, List, Optional

import torch
from allennlp.training.metrics import Metric
from torch import BoolTensor, LongTensor

from spigot_allennlp.metrics.counting_metric import CountingMetric, ratio


@Metric.register("tree_attachment")
class TreeAttachment(CountingMetric):
    """
    Computes the share of tokens with the right head (UAS), and with the right head and relation
    (LAS).

    AllenNLP's `attachment_scores` leaves out tokens by their gold relation, but punctuation is
    defined by a token's form. It also sums whole `(batch_size, length)` tensors over the workers of
    a distributed run, which fails as soon as two of them have batches of different length.

    `get_metric` returns `uas` and `uas_without_punctuation`, and, if `labelled`, `las` and
    `las_without_punctuation`.

    Registered as a `Metric` with name "tree_attachment".

    # Parameters

    labelled : `bool`, optional (default = `True`)
        Whether there are relations to score.
    unknown_label : `int`, optional (default = `1`)
        A relation that never matches, not even itself: the out-of-vocabulary index.
    """

    def __init__(self, labelled: bool = True, unknown_label: int = 1) -> None:
        super().__init__(6)
        self._labelled = labelled
        self._unknown_label = unknown_label

    def __call__(  # type: ignore[override]
        self,
        predicted_heads: LongTensor,
        gold_heads: LongTensor,
        mask: BoolTensor,
        punctuation: BoolTensor,
        predicted_relations: Optional[LongTensor] = None,
        gold_relations: Optional[LongTensor] = None,
    ) -> None:
        """
        Counts right heads and relations. Every argument has shape `(batch_size, length)`. The root
        may have a column, as long as the mask is False there.

        # Parameters

        predicted_heads, gold_heads : `LongTensor`
            The position of each token's head.
        mask : `BoolTensor`
            The tokens to score.
        punctuation : `BoolTensor`
            The tokens that `_without_punctuation` leaves out.
        predicted_relations, gold_relations : `LongTensor`, optional
            The relation of each token to its head. Both are needed if `labelled`; otherwise there
            must be no predicted ones.
        """
        assert self._labelled == (predicted_relations is not None), (
            "relations are scored if and only if labelled"
        )
        assert not self._labelled or gold_relations is not None, "labelled, but no gold_relations"
        right_head = predicted_heads == gold_heads
        right_relation = right_head
        if predicted_relations is not None and gold_relations is not None:
            known = gold_relations != self._unknown_label
            right_relation = right_head & (predicted_relations == gold_relations) & known
        # (count, batch_size, length)
        counted = torch.stack([mask, mask & right_head, mask & right_relation])
        self.add(torch.cat([counted.sum(dim=(1, 2)), (counted & ~punctuation).sum(dim=(1, 2))]))

    def compute_metrics(self, counts: List[int]) -> Dict[str, float]:
        result = {}
        for suffix, variant in (("", counts[:3]), ("_without_punctuation", counts[3:])):
            tokens, heads, relations = variant
            result[f"uas{suffix}"] = ratio(heads, tokens)
            if self._labelled:
                result[f"las{suffix}"] = ratio(relations, tokens)
        return result
