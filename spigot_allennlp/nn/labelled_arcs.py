"""
Sums over graphs whose arcs are independent: each is absent, at score zero, or has one label.

Scores are `(batch_size, dependent, head, label)`, in any order in memory: a scorer that makes them
with the head last is not made to copy them.
"""

from typing import Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn import closed_form_autograd
from spigot_allennlp.nn.instances import at_least_single, flatten_parts
from spigot_allennlp.nn.tensor_checks import LABELLED_ARCS, check_scores


class LabelledArcInference(closed_form_autograd.Inference):
    """Computes, for each arc, a softmax over its labels and "absent"."""

    def log_partition_and_marginals(
        self, scores: Tensor, mask: BoolTensor
    ) -> Tuple[Tensor, Tensor]:
        weights = at_least_single(scores).masked_fill(~mask, -torch.inf)
        # (batch_size, dependent, head, 1); absence scores zero
        largest = weights.amax(dim=-1, keepdim=True).clamp_(min=0)
        weights.sub_(largest).exp_()
        total = weights.sum(dim=-1, keepdim=True).add_(largest.neg().exp_())
        weights.div_(total)
        arc_sums = total.log_().add_(largest)
        return flatten_parts(arc_sums).sum(dim=-1), weights.to(scores.dtype)

    def marginals_jvp(self, scores: Tensor, mask: BoolTensor, direction: Tensor) -> Tensor:
        marginals = self.log_partition_and_marginals(at_least_single(scores), mask)[1]
        # what arrives off the mask counts nothing, be it infinite
        weighted = (marginals * direction).masked_fill_(~mask, 0)
        weighted.sub_(marginals * weighted.sum(dim=-1, keepdim=True))
        return weighted.masked_fill_(~mask, 0).to(scores.dtype)


_INFERENCE = LabelledArcInference()


def log_partition(scores: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns the log-partition of each graph in nats, shape `(batch_size,)`, differentiable twice; in
    single precision at least.

    # Parameters

    scores : `Tensor`
        Shape `(batch_size, dependent, head, label)`. Minus infinity is a label that no arc has.
    mask : `BoolTensor`
        The legal parts, of the same shape.
    """
    check_scores(LABELLED_ARCS, scores, mask)
    if scores.size(-1) == 0:
        return flatten_parts(at_least_single(scores)).sum(dim=-1)
    return closed_form_autograd.log_partition(scores, mask, _INFERENCE)


def log_partition_and_marginals(scores: Tensor, mask: BoolTensor) -> Tuple[Tensor, Tensor]:
    """
    Returns the log-partition as above and the marginals, of the shape of `scores`, differentiable
    once.
    """
    check_scores(LABELLED_ARCS, scores, mask)
    if scores.size(-1) == 0:
        return log_partition(scores, mask), torch.zeros_like(scores)
    return closed_form_autograd.log_partition_and_marginals(scores, mask, _INFERENCE)
