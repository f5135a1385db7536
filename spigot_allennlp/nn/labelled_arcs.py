"""
Sums over graphs with independent arcs: each is absent, with score zero, or has one label.

Scores are `(batch_size, dependent, head, label)`, in any memory order: a scorer that makes them
with the head last need not copy them.
"""

from typing import NamedTuple, Optional, Tuple

import torch
from torch import BoolTensor, LongTensor, Tensor
from torch.autograd.function import FunctionCtx

from spigot_allennlp.nn import closed_form_autograd
from spigot_allennlp.nn.devices import has_kernels
from spigot_allennlp.nn.instances import at_least_single, flatten_parts
from spigot_allennlp.nn.tensor_checks import (
    FLOATS,
    INTEGERS,
    LABELLED_ARCS,
    TRUTH_VALUES,
    Argument,
    Signature,
    check_scores,
)

_GOLD = Signature(
    Argument("scores", FLOATS, ("batch_size", "dependent", "head", "label")),
    Argument("arcs", TRUTH_VALUES, ("batch_size", "dependent", "head")),
    Argument("labels", TRUTH_VALUES, ("head", "label")),
    Argument("gold", INTEGERS, ("batch_size", "dependent", "head")),
)


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
        # what arrives off the mask is ignored, even if infinite
        weighted = (marginals * direction).masked_fill_(~mask, 0)
        weighted.sub_(marginals * weighted.sum(dim=-1, keepdim=True))
        return weighted.masked_fill_(~mask, 0).to(scores.dtype)


_INFERENCE = LabelledArcInference()


def log_partition(scores: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns the log-partition of each graph in nats, shape `(batch_size,)`, twice differentiable, in
    at least single precision.

    # Parameters

    scores : `Tensor`
        Shape `(batch_size, dependent, head, label)`. Minus infinity excludes a label.
    mask : `BoolTensor`
        The legal parts, of the same shape.
    """
    check_scores(LABELLED_ARCS, scores, mask)
    if scores.size(-1) == 0:
        return flatten_parts(at_least_single(scores)).sum(dim=-1)
    return closed_form_autograd.log_partition(scores, mask, _INFERENCE)


def log_partition_and_marginals(scores: Tensor, mask: BoolTensor) -> Tuple[Tensor, Tensor]:
    """
    Returns the log-partition as above and the marginals, in the shape of `scores`, differentiable
    once.
    """
    check_scores(LABELLED_ARCS, scores, mask)
    if scores.size(-1) == 0:
        return log_partition(scores, mask), torch.zeros_like(scores)
    return closed_form_autograd.log_partition_and_marginals(scores, mask, _INFERENCE)


class GraphLikelihood(NamedTuple):
    """
    The likelihood of a graph for each set of scores.

    # Parameters

    losses : `Tensor`
        Shape `(batch_size,)`: minus the logarithm of the probability, in nats. Infinite for a graph
        that has an arc with a score of minus infinity. Illegal parts are ignored.
    is_legal : `BoolTensor`
        Shape `(batch_size,)`: whether all arcs of the graph, and their labels, are legal.
    """

    losses: Tensor
    is_legal: BoolTensor


def graph_likelihood(
    scores: Tensor, arcs: BoolTensor, labels: BoolTensor, gold: LongTensor
) -> GraphLikelihood:
    """
    Combines `log_partition` and the scores of a graph in one pass over the scores, which also
    computes the gradient, in at least single precision. The losses are differentiable once. For
    tensors on the CPU.

    # Parameters

    scores : `Tensor`
        Shape `(batch_size, dependent, head, label)`.
    arcs : `BoolTensor`
        Shape `(batch_size, dependent, head)`: the legal arcs.
    labels : `BoolTensor`
        Shape `(head, label)`: the legal labels of arcs from a head.
    gold : `LongTensor`
        Shape `(batch_size, dependent, head)`: the label of each arc of the graph, negative for no
        arc.
    """
    _GOLD.check(scores, arcs, labels, gold)
    if not has_kernels(scores.device):
        raise ValueError(f"The scores are on {scores.device}, but this is computed on a CPU alone.")
    return GraphLikelihood(*_GraphLikelihood.apply(scores, arcs, labels, gold))


class _GraphLikelihood(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx, scores: Tensor, arcs: BoolTensor, labels: BoolTensor, gold: LongTensor
    ) -> Tuple[Tensor, BoolTensor]:
        # numba is slow to import
        from spigot_allennlp.nn.label_kernels import write_likelihood

        by_label = at_least_single(scores).transpose(2, 3).contiguous()
        gradient = torch.empty_like(by_label)
        losses = by_label.new_empty(len(scores))
        is_legal = arcs.new_empty(len(scores))
        write_likelihood(
            by_label.numpy(),
            arcs.contiguous().numpy(),
            labels.t().contiguous().numpy(),
            gold.contiguous().numpy(),
            losses.numpy(),
            is_legal.numpy(),
            gradient.numpy(),
        )
        ctx.save_for_backward(scores, gradient.transpose(2, 3))
        ctx.mark_non_differentiable(is_legal)
        return losses, is_legal

    @staticmethod
    def backward(
        ctx: FunctionCtx, of_losses: Tensor, _: Optional[Tensor]
    ) -> Tuple[Tensor, None, None, None]:
        return _ScaledGradient.apply(*ctx.saved_tensors, of_losses), None, None, None


class _ScaledGradient(torch.autograd.Function):
    """Multiplies the gradient of each loss. Its own derivative by the scores is not computed."""

    @staticmethod
    def forward(ctx: FunctionCtx, scores: Tensor, gradient: Tensor, of_losses: Tensor) -> Tensor:
        return (gradient * of_losses.view(-1, 1, 1, 1)).to(scores.dtype)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> None:
        raise NotImplementedError(
            "This likelihood can be differentiated once. For a second derivative use the "
            "log_partition of the structure."
        )
