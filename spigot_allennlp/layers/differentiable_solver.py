"""Passes gradients through a solver of your own: any function from scores to the best object."""

import math
from typing import Any, Callable, List, Optional, Sequence, Tuple, Union

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.config_checks import check_choice, check_least
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.layers.solver_structure import SolverStructure
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.nn.instances import flatten_parts
from spigot_allennlp.registrable import ConfigurationError

Tensors = Union[Tensor, Tuple[Tensor, ...]]
Masks = Union[None, BoolTensor, Sequence[Optional[BoolTensor]]]


class DifferentiableSolver(torch.nn.Module):
    """
    Calls a solver in the forward pass, and a gradient estimator in the backward pass.

        matching = DifferentiableSolver(
            linear_sum_assignment, numpy=True, batched=False, indices=True, maximize=False
        )
        matched = matching(costs)  # (batch_size, n, n), from 0 to 1: a mean of ten matchings

    The solver is called without gradients and need not be differentiable. In training the estimator
    computes the value. After `eval()` the value is what the solver returns, without a gradient,
    unless the estimator is `relaxed` ("perturbed", "sparsemap", "structured_attention").

    Estimators take the gradient of each instance's loss. The gradient of a mean over the batch is
    therefore multiplied by the batch size before the estimator sees it, and divided by it
    afterwards; for a sum, pass `reduction="sum"`. Estimators that are linear in the gradient are
    unaffected. Other factors of the loss are not detected: for nonlinear estimators a loss scale
    (`torch.amp.GradScaler`) makes the step longer by its factor, and gradient accumulation makes it
    shorter by the number of accumulated batches.

    An estimator that has a loss of its own or runs the rest of the model again ("reinforce",
    "spigot_ce") does not work here. Use the attribute `layer`, a `StructuredArgmaxLayer` whose
    scores are maximised; use it also for a loss with other weights.

    # Parameters

    solver : `Callable`
        See `SolverStructure`.
    estimator : `Union[str, GradientEstimator]`, optional (default = `"perturbed"`)
        An estimator, or the registered name of one with its default settings.
    num_batch_dims : `int`, optional (default = `1`)
        How many leading dimensions of the scores index instances. With 0 there is one instance.
    reduction : `str`, optional (default = `"mean"`)
        "mean" or "sum": how the loss combines the losses of the instances.
    options : `Any`
        All other options are passed to `SolverStructure`. If the solver or a function among them is
        a `Module`, it becomes a submodule: its parameters are among those of this module.

    # Raises

    `ConfigurationError` if the estimator needs more than the solver; it names the estimators that
    do not.
    """

    def __init__(
        self,
        solver: Callable,
        estimator: Union[str, GradientEstimator] = "perturbed",
        *,
        num_batch_dims: int = 1,
        reduction: str = "mean",
        **options: Any,
    ) -> None:
        super().__init__()
        check_least(0, num_batch_dims=num_batch_dims)
        check_choice("reduction", reduction, ["mean", "sum"])
        self.structure = SolverStructure(solver, **options)
        functions = {"solver": solver, **options}
        self.functions = torch.nn.ModuleDict(
            {
                name: function
                for name, function in functions.items()
                if isinstance(function, torch.nn.Module)
            }
        )
        if isinstance(estimator, str):
            check_choice("estimator", estimator, GradientEstimator.list_available())
            estimator = GradientEstimator.by_name(estimator)()
        try:
            self.layer = StructuredArgmaxLayer(self.structure, estimator)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"{error} By keywords, {type(self).__name__} takes functions for what "
                f"{self.structure.name} has not (log_partition, marginals, sample, and project for "
                "projected_step), and fixed_size."
            ) from None
        self.num_batch_dims = num_batch_dims
        self._reduction = reduction

    def forward(self, *scores: Tensor, mask: Masks = None) -> Tensors:
        """
        # Parameters

        scores : `Tensor`
            Shape `(*batch, *parts)` with `num_batch_dims` dimensions `batch`, and at least one
            more; with `maximize=False` these are costs. Several tensors have the same `batch`; the
            solver gets them as several arguments, and an object is a tuple.
        mask : `Union[BoolTensor, Sequence[Optional[BoolTensor]]]`, optional
            True on the parts that may be chosen. It has the shape of the scores, or of their first
            dimensions; for several tensors, pass a sequence of as many masks. The solver gets minus
            infinity as the score of all other parts (plus infinity as their cost).

        # Returns

        `Union[Tensor, Tuple[Tensor, ...]]`
            The objects, with the shapes and types of the scores.

        # Raises

        `TypeError`, `ValueError` if scores and masks do not fit, or if the solver returns something
        that is not an object.
        """
        estimator = self.layer.estimator
        if self.training and _has_own_loss(estimator):
            raise RuntimeError(
                f"{type(estimator).__name__} sends its gradient through a loss of its own. Call "
                "`layer` and its `auxiliary_loss`, as StructuredArgmaxLayer shows."
            )
        flat, masks = self._instances(scores, mask)
        layer, joined, legal = self.layer, flat[0], masks[0]
        if len(flat) > 1:
            pieces = self.structure.of_pieces([tensor.shape[1:] for tensor in flat])
            layer = StructuredArgmaxLayer(pieces, estimator).train(self.training)
            joined = torch.cat([flatten_parts(tensor) for tensor in flat], dim=1)
            legal = torch.cat([flatten_parts(part_mask) for part_mask in masks], dim=1)
        latent = layer(joined if self.structure.maximize else -joined, legal)
        if self._reduction == "sum":
            latent.problem.trace.weights = joined.new_ones(len(joined))
        sizes = [math.prod(tensor.shape[1:]) for tensor in flat]
        split = latent.value.split(sizes, dim=1) if len(flat) > 1 else [latent.value]
        values = tuple(
            value.reshape(tensor.shape).to(tensor.dtype)
            for value, tensor in zip(split, scores, strict=True)
        )
        return values if len(values) > 1 else values[0]

    def _instances(
        self, scores: Tuple[Tensor, ...], masks: Masks
    ) -> Tuple[List[Tensor], List[BoolTensor]]:
        """
        Returns all scores as `(num_instances, *parts)`, and their legal parts in the same shapes.
        """
        for tensor in scores:
            if not isinstance(tensor, Tensor):
                raise TypeError(
                    f"Expected tensors of scores, but found a {type(tensor).__name__}. Several "
                    "tensors are several arguments."
                )
        number = self.num_batch_dims
        shapes = [tuple(tensor.shape) for tensor in scores]
        batch = shapes[0][:number] if shapes else ()
        if not shapes or any(len(shape) <= number or shape[:number] != batch for shape in shapes):
            raise ValueError(
                f"Expected scores of shape (*batch, *parts), with {number} dimensions that count "
                f"instances, the same for all, but found shapes {shapes}."
            )
        flat = [tensor.reshape(math.prod(batch), *tensor.shape[number:]) for tensor in scores]
        if masks is None:
            masks = [None] * len(flat)
        elif isinstance(masks, Tensor) and len(flat) == 1:
            masks = [masks]
        elif isinstance(masks, Tensor) or len(masks) != len(flat):
            number_or_shape = (
                f"a single tensor of shape {tuple(masks.shape)}"
                if isinstance(masks, Tensor)
                else len(masks)
            )
            raise ValueError(
                f"Expected a sequence of {len(flat)} masks, for each tensor of scores its own or "
                f"None, but found {number_or_shape}."
            )
        legal = []
        for tensor, shape, mask in zip(flat, shapes, masks, strict=True):
            if mask is None:
                legal.append(torch.ones_like(tensor, dtype=torch.bool))
            elif not isinstance(mask, Tensor) or mask.dtype != torch.bool:
                kind = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
                raise TypeError(f"Expected masks that are tensors of bool, but found {kind}.")
            elif mask.shape != shape[: mask.dim()] or mask.dim() < number:
                raise ValueError(
                    f"Expected a mask of the scores, {shape}, or of their first dimensions, but "
                    f"found shape {tuple(mask.shape)}."
                )
            else:
                instances = mask.reshape(math.prod(batch), *mask.shape[number:])
                legal.append(self.structure.part_mask(instances, tensor.shape))
        return flat, legal


def _has_own_loss(estimator: GradientEstimator) -> bool:
    return type(estimator).auxiliary_loss is not GradientEstimator.auxiliary_loss
