"""Makes a hard decision in the middle of a network, with a structure and a gradient estimator."""

import inspect
from dataclasses import dataclass
from typing import Callable, Generic, List, Optional, Tuple, Type, TypeVar

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.config_checks import check_object
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.problem import ArgmaxProblem, Downstream
from spigot_allennlp.nn.tensor_checks import (
    FLOATS,
    PARTS,
    TRUTH_VALUES,
    Argument,
    Signature,
    check_scores,
)
from spigot_allennlp.nn.transforms import is_transformed, uncompiled
from spigot_allennlp.registrable import ConfigurationError, FromParams, Registrable
from spigot_allennlp.structures.structure import Structure

Output = TypeVar("Output")

_SCORES_AND_TOKENS = Signature(
    Argument("scores", FLOATS, ("batch_size", "...")),
    Argument("mask", TRUTH_VALUES, ("batch_size", "...")),
)
_ALLOWED = Signature(
    Argument("parts", TRUTH_VALUES, ("...",)), Argument("allowed", TRUTH_VALUES, ("...",))
)


@dataclass(frozen=True)
class Latent:
    """
    The result of the layer: `value`, for use downstream, which must not change it in place, and the
    `problem` that it solves.

    Gradients should reach `value` only through `losses`. The weight of any other gradient (from a
    second loss, a penalty on the value itself, or a downstream that the model calls directly) is
    unknown. It is taken to have the weight of the losses or, without `losses`, that of a mean over
    the batch; the step sizes and norm caps of surrogate gradients then mean something else. Put
    everything that depends on the value into `downstream`.
    """

    value: Tensor
    problem: ArgmaxProblem

    def losses(self) -> Tensor:
        """
        Returns `downstream(value)`, shape `(batch_size,)`. Because the losses are computed here,
        not by the model itself, the backward pass knows how much each of them weighs. So a step
        size keeps its meaning under any reduction, gradient accumulation and loss scaling, and
        estimators that run `downstream` again repeat its dropout.

        # Raises

        `ConfigurationError` if the layer was called without `downstream`; `TypeError` or
        `ValueError` if that returns something else.
        """
        if self.problem.downstream is None:
            raise ConfigurationError(
                "There are no losses, since the layer was called without downstream, the rest of "
                "the model from the value to the loss of each instance. Pass it to the layer, or "
                "compute the loss from `value`."
            )
        return self.problem.losses(self.value)


class StructuredArgmaxLayer(torch.nn.Module, FromParams):
    """
    Chooses an object in the middle of a network, and passes gradients through the choice.

    In training the estimator computes the value. At test time the value is the argmax, unless the
    estimator is `relaxed`. Every model uses the layer in the same way:

        latent = self.argmax(scores, mask, downstream)
        losses = latent.losses()
        loss = losses.mean() + self.argmax.auxiliary_loss(latent, losses)

    # Parameters

    structure : `Structure`
    estimator : `GradientEstimator`
        Refused with a `ConfigurationError` if it needs an operation that `structure` does not
        provide. The error names the estimators that fit the structure.
    """

    def __init__(self, structure: Structure, estimator: GradientEstimator) -> None:
        super().__init__()
        check_object("structure", structure, Structure)
        check_object("estimator", estimator, GradientEstimator)
        try:
            estimator.check(structure)
        except ConfigurationError as error:
            names = ", ".join(f"'{name}'" for name in fitting_estimators(structure))
            raise ConfigurationError(f"{error} With default settings these fit: {names}.") from None
        self.structure = structure
        self.estimator = estimator

    def forward(
        self,
        scores: Tensor,
        mask: BoolTensor,
        downstream: Optional[Downstream] = None,
        allowed: Optional[BoolTensor] = None,
    ) -> Latent:
        """
        Chooses an object for each instance.

        # Parameters

        scores : `Tensor`
            Shape `(batch_size, *parts)`.
        mask : `BoolTensor`
            Shape `(batch_size, length)`: the tokens, the root included. It is copied, and may be
            changed afterwards.
        downstream : `Downstream`, optional
            The rest of the model, from a value to the loss of each instance.
        allowed : `BoolTensor`, optional
            Broadcastable to `scores`: False on parts that are legal in the structure but that this
            model never chooses (the unknown role, pruned arcs).

        # Raises

        `ConfigurationError` in training if the estimator `reevaluates` and `downstream` is missing.
        `TypeError` or `ValueError` if scores and masks do not fit; see `nn/tensor_checks.py`.
        `NotImplementedError` under transforms of `torch.func`, such as `vmap` and `grad`, and under
        `torch.export` and `torch.jit.trace`.
        """
        return self._choose(scores, mask, downstream, allowed)

    @uncompiled
    def _choose(
        self,
        scores: Tensor,
        mask: BoolTensor,
        downstream: Optional[Downstream],
        allowed: Optional[BoolTensor],
    ) -> Latent:
        if isinstance(scores, Tensor) and is_transformed(scores):
            raise NotImplementedError(
                "torch.func (vmap, grad, jvp, ...) cannot transform a StructuredArgmaxLayer, whose "
                "kernels it does not see. In place of vmap, put what is mapped into the batch, "
                "scores.flatten(0, 1); in place of grad, call torch.autograd.grad."
            )
        _SCORES_AND_TOKENS.check(scores, mask)
        # The caller may change its own, as a loop does that chooses one item after another, and may
        # have made it in inference mode, where autograd could not save it.
        part_mask = self.structure.part_mask(mask.clone(), scores.shape)
        if allowed is not None:
            part_mask = part_mask & _broadcast(allowed, part_mask)
        check_scores(PARTS, scores, part_mask)
        problem = ArgmaxProblem(self.structure, scores, part_mask, downstream)
        if self.training and self.estimator.reevaluates and downstream is None:
            raise ConfigurationError(
                f"{type(self.estimator).__name__} (so configured) runs the rest of the model again "
                "in its backward pass, but this model hands no downstream to the layer. Choose an "
                "estimator that needs none (num_steps: 1), or pass downstream."
            )
        if self.training or self.estimator.relaxed:
            # An estimator may compute in more bits than the model.
            return Latent(self.estimator(problem).to(scores.dtype), problem)
        return Latent(problem.argmax(), problem)

    def names(self) -> Tuple[str, str]:
        """Returns the registered names of the structure and of the estimator."""
        return _name_of(Structure, self.structure), _name_of(GradientEstimator, self.estimator)

    def check_dimensions(self, wanted: Tuple[str, ...], model: str) -> None:
        """
        Checks that the objects are of the kind needed by the model with the registered name
        `model`; see `Structure.check_dimensions`.
        """
        self.structure.check_dimensions(wanted, f"The argmax of '{model}'", "argmax.structure")

    def auxiliary_loss(self, latent: Latent, losses: Tensor) -> Tensor:
        """
        Returns a scalar that every model adds to its loss, whatever the estimator. It goes with the
        mean of the `losses`. With `losses.sum()`, multiply it by the batch size; with
        `-losses.mean()`, where the losses are rewards, multiply it by -1.
        """
        if not self.training:
            return losses.new_zeros(())
        return self.estimator.auxiliary_loss(latent.problem, latent.value, losses)


def _name_of(kind: Type[Registrable], part: Registrable) -> str:
    """
    Returns the name under which the class of `part` is registered, or else the class's own name.
    """
    classes = {name: kind.resolve_class_name(name)[0] for name in kind.list_available()}
    return next((name for name in classes if classes[name] is type(part)), type(part).__name__)


def _broadcast(allowed: BoolTensor, part_mask: BoolTensor) -> BoolTensor:
    """
    Returns `allowed` in the shape of `part_mask`.

    # Raises

    `TypeError`, `ValueError`
    """
    _ALLOWED.check(part_mask, allowed)
    try:
        return allowed.expand(part_mask.shape)
    except RuntimeError:
        raise ValueError(
            f"Expected allowed to be broadcastable to the shape of the scores, "
            f"{tuple(part_mask.shape)}, but found shape {tuple(allowed.shape)}."
        ) from None


class FirstOutput(Generic[Output]):
    """
    Keeps the outputs of a model for the first object with which its `downstream` function is
    called. An estimator may call it again with other objects, but their outputs are not the
    model's.

    Example:

        first = FirstOutput[Tensor]()

        def downstream(value: Tensor) -> Tensor:
            logits = classifier(value)
            first.keep(logits.detach)
            return cross_entropy(logits, label, reduction="none")
    """

    def __init__(self) -> None:
        self._outputs: List[Output] = []

    def keep(self, make_output: Callable[[], Output]) -> None:
        """Keeps what `make_output` returns the first time; later calls do nothing."""
        if not self._outputs:
            self._outputs.append(make_output())

    @property
    def output(self) -> Output:
        """Returns what was kept. Raises an `IndexError` if nothing was."""
        return self._outputs[0]


def fitting_estimators(structure: Structure) -> List[str]:
    """
    Returns the names of the estimators that, with default settings, need no more than `structure`
    provides. Estimators that need arguments are left out.
    """
    fitting = []
    for name in sorted(GradientEstimator.list_available()):
        estimator = GradientEstimator.by_name(name)
        if _has_required_parameters(estimator):
            continue
        try:
            estimator().check(structure)
        except ConfigurationError:
            continue
        fitting.append(name)
    return fitting


def _has_required_parameters(function: Callable) -> bool:
    return any(
        parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        for parameter in inspect.signature(function).parameters.values()
    )
