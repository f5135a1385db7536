"""
Log-partitions with derivatives in closed form.

The gradient of a log-partition is the marginals. The derivative of the marginals is its Hessian,
which is symmetric: the backward pass of marginals needs a product with that matrix, which is a
derivative along one direction (a Jacobian-vector product, "jvp"). Kernels compute both faster than
autograd can, and without a graph over their charts. Autograd cannot see into a kernel, so the
functions below provide both.
"""

from typing import Callable, Optional, Protocol, Tuple

import torch
from torch import BoolTensor, Tensor
from torch.autograd.function import FunctionCtx

from spigot_allennlp.nn.instances import per_instance
from spigot_allennlp.nn.tensor_checks import PARTS, check_scores
from spigot_allennlp.nn.transforms import check_untransformed, has_tangent, uncompiled


class Inference(Protocol):
    """
    Computes the sums over a family of objects, without gradients. Scores, mask and direction have
    the shape `(batch_size, *parts)`.
    """

    def log_partition_and_marginals(
        self, scores: Tensor, mask: BoolTensor
    ) -> Tuple[Tensor, Tensor]:
        """
        Returns the log-partition in nats, shape `(batch_size,)`, and the marginals, in the shape of
        `scores`.
        """

    def marginals_jvp(self, scores: Tensor, mask: BoolTensor, direction: Tensor) -> Tensor:
        """
        Returns the derivative of the marginals as the scores move along `direction`, in the shape
        of `scores`.
        """


def log_partition(scores: Tensor, mask: BoolTensor, inference: Inference) -> Tensor:
    """
    Returns the log-partition of each instance, shape `(batch_size,)`, twice differentiable with
    respect to `scores`.
    """
    return log_partition_and_marginals(scores, mask, inference)[0]


def log_partition_and_marginals(
    scores: Tensor, mask: BoolTensor, inference: Inference
) -> Tuple[Tensor, Tensor]:
    """
    Returns the log-partition as above, and the marginals, in the shape of `scores`. The latter are
    differentiable once, as if autograd had differentiated the log-partition, but computed by
    `inference` alone.

    # Raises

    `NotImplementedError` under transforms of `torch.func`, and in forward-mode differentiation.
    """
    check_untransformed("a structure", scores)
    _check_no_tangent(scores)
    return _LogPartitionAndMarginals.apply(scores, mask, inference)


@uncompiled
def value_and_gradient(
    function: Callable[[Tensor, BoolTensor], Tensor], point: Tensor, mask: BoolTensor
) -> Tuple[Tensor, Tensor]:
    """
    Returns the values of a `function` of independent instances, shape `(batch_size,)`, and their
    gradients at `point`, in its shape, by autograd. Both are differentiable if gradients are
    enabled and `point` requires them. The function gets the point and the mask of its legal parts.

    # Raises

    `NotImplementedError` in forward-mode differentiation.
    """
    check_scores(PARTS, point, mask, "point")
    _check_no_tangent(point)
    differentiable = torch.is_grad_enabled() and point.requires_grad
    # There is no autograd in inference mode, or for tensors that were made in it.
    with torch.inference_mode(False), torch.enable_grad():
        if point.is_inference():
            point = point.clone()
        if mask.is_inference():
            mask = mask.clone()
        leaf = point if differentiable else point.detach().requires_grad_()
        values = function(leaf, mask)
        (gradient,) = torch.autograd.grad(values.sum(), leaf, create_graph=differentiable)
    return (values if differentiable else values.detach()), gradient


def _check_no_tangent(scores: Tensor) -> None:
    if has_tangent(scores):
        raise NotImplementedError(
            "Forward-mode differentiation (torch.autograd.forward_ad, torch.func.jvp) does not see "
            "the derivative of sums over a structure. Call torch.autograd.grad."
        )


class _LogPartitionAndMarginals(torch.autograd.Function):
    """
    Computes log-partition and marginals. The latter are an output, so that autograd can
    differentiate a gradient made from them.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx, scores: Tensor, mask: BoolTensor, inference: Inference
    ) -> Tuple[Tensor, Tensor]:
        total, marginals = inference.log_partition_and_marginals(scores, mask)
        ctx.inference = inference
        ctx.save_for_backward(scores, mask, marginals)
        ctx.set_materialize_grads(False)
        return total, marginals

    @staticmethod
    def backward(
        ctx: FunctionCtx, total_gradient: Optional[Tensor], marginals_gradient: Optional[Tensor]
    ) -> Tuple[Optional[Tensor], None, None]:
        scores, mask, marginals = ctx.saved_tensors
        gradient = None
        if total_gradient is not None:
            # zero off the mask, even if the incoming values are not finite
            gradient = (marginals * per_instance(total_gradient, marginals)).masked_fill(~mask, 0)
        if marginals_gradient is not None:
            second = _MarginalsJvp.apply(scores, mask, marginals_gradient, ctx.inference)
            gradient = second if gradient is None else gradient + second
        return gradient, None, None


class _MarginalsJvp(torch.autograd.Function):
    """Computes the derivative of the marginals along a direction; not differentiable itself."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, scores: Tensor, mask: BoolTensor, direction: Tensor, inference: Inference
    ) -> Tensor:
        return inference.marginals_jvp(scores, mask, direction)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> None:
        raise NotImplementedError(
            "A log-partition can be differentiated twice, but not a third time."
        )
