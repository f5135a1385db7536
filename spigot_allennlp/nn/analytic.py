"""
Log-partitions whose derivatives are known in closed form.

The gradient of a log-partition is the marginals, and the derivative of the marginals, being its
Hessian, is symmetric: what the backward pass of marginals needs, a product with that matrix, is a
derivative along one direction. Kernels compute both faster than autograd can, and without a graph
over their charts. Autograd cannot see into a kernel, so it is told here. (Backward passes are
written by hand for the surrogate gradients of `estimators`, too, and in `nn/attentive/windows.py`.)
"""

from typing import Callable, Optional, Protocol, Tuple

import torch
from torch import BoolTensor, Tensor
from torch.autograd.function import FunctionCtx

from spigot_allennlp.nn.masking import per_instance
from spigot_allennlp.nn.tensor_checks import FLOATS, Argument, Signature

_POINT = Signature(Argument("point", FLOATS, ("...",)))


class Inference(Protocol):
    """
    What has to be known; none of it differentiable. Scores and mask have the shape
    `(batch_size, *parts)`.
    """

    def expectations(self, scores: Tensor, mask: BoolTensor) -> Tuple[Tensor, Tensor]:
        """The log-partition, shape `(batch_size,)`, and the marginals, of the shape of `scores`."""

    def derivative(self, scores: Tensor, mask: BoolTensor, direction: Tensor) -> Tensor:
        """
        The derivative of the marginals as the scores move along `direction`, of the shape of
        `scores`.
        """


def log_partition(scores: Tensor, mask: BoolTensor, inference: Inference) -> Tensor:
    """
    The log-partition of each instance, differentiable twice with respect to `scores`; shape
    `(batch_size,)`.
    """
    total, _ = _Expectations.apply(scores, mask, inference)
    return total


def log_partition_and_marginals(
    scores: Tensor, mask: BoolTensor, inference: Inference
) -> Tuple[Tensor, Tensor]:
    """
    The same and the marginals, of the shape of `scores`: these differentiable once, with nothing
    else computed on the way forward, as they would be if autograd differentiated the first.
    """
    return _Expectations.apply(scores, mask, inference)


def value_and_gradient(
    function: Callable[[Tensor], Tensor], point: Tensor
) -> Tuple[Tensor, Tensor]:
    """
    The values, one for each instance, of a function of independent instances, and their gradients
    at `point`, by autograd; both differentiable where gradients are enabled and `point` requires
    them.
    """
    _POINT.check(point)
    differentiable = torch.is_grad_enabled() and point.requires_grad
    with torch.enable_grad():
        leaf = point if differentiable else point.detach().requires_grad_()
        values = function(leaf)
        (gradient,) = torch.autograd.grad(values.sum(), leaf, create_graph=differentiable)
    return (values if differentiable else values.detach()), gradient


class _Expectations(torch.autograd.Function):
    """
    Log-partition and marginals. The latter are an output so that a gradient made of them leads back
    here.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx, scores: Tensor, mask: BoolTensor, inference: Inference
    ) -> Tuple[Tensor, Tensor]:
        total, marginals = inference.expectations(scores, mask)
        ctx.inference = inference
        ctx.save_for_backward(scores, mask, marginals)
        ctx.set_materialize_grads(False)
        return total, marginals

    @staticmethod
    def backward(
        ctx: FunctionCtx, of_total: Optional[Tensor], of_marginals: Optional[Tensor]
    ) -> Tuple[Optional[Tensor], None, None]:
        scores, mask, marginals = ctx.saved_tensors
        gradient = None
        if of_total is not None:
            # zero off the mask, even where what arrives is not finite
            gradient = (marginals * per_instance(of_total, marginals)).masked_fill(~mask, 0)
        if of_marginals is not None:
            curvature = _Curvature.apply(scores, mask, of_marginals, ctx.inference)
            gradient = curvature if gradient is None else gradient + curvature
        return gradient, None, None


class _Curvature(torch.autograd.Function):
    """
    The derivative of the marginals along a direction. Here it ends: it cannot be differentiated
    again.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx, scores: Tensor, mask: BoolTensor, direction: Tensor, inference: Inference
    ) -> Tensor:
        return inference.derivative(scores, mask, direction)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> None:
        raise NotImplementedError(
            "A log-partition can be differentiated twice, but not a third time."
        )
