"""A forward value for a structured argmax, and a gradient for its scores."""

from dataclasses import replace
from typing import Any, Callable, FrozenSet, Optional, Tuple

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from spigot_allennlp.config_checks import check_positive
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.nn.instances import at_least_single, clip_norm
from spigot_allennlp.nn.invalid_scores import (
    are_finite,
    invalid_instances,
    is_score,
    nan_for_invalid,
    without_invalid,
)
from spigot_allennlp.nn.transforms import is_graph_kept
from spigot_allennlp.registrable import ConfigurationError, Registrable
from spigot_allennlp.structures.structure import SUMS, Structure

# An error adds these: they say how to do without an operation.
_WAYS_OUT = {
    "marginals": "They are the gradient of log_partition. ",
    "projected_step": "Set projection: 'sparsemap', which needs the argmax alone. ",
}


class GradientEstimator(torch.nn.Module, Registrable):
    """
    A forward value for a structured argmax, and a gradient for its scores.

    An estimator never names a structure. `requires` names the optional operations of `Structure`
    that it calls. `relaxed` says that its value is not a vertex, and that the rest of the model
    receives this value at test time, too. `reevaluates` says that it runs the rest of the model
    again (`ArgmaxProblem.downstream_gradient` and `repeated_losses`); for others, the problem has
    no `downstream` in the backward pass.

    If a legal part of an instance scores NaN or plus infinity, value and gradient of that instance
    are NaN. Where no object is possible both are zero, and so is the gradient of a score of minus
    infinity. The other instances are unaffected.
    """

    requires: FrozenSet[str] = frozenset()
    relaxed: bool = False

    @property
    def requirements(self) -> FrozenSet[str]:
        """
        Returns `requires`, and what the components of this object require (a projection, say).
        """
        return self.requires

    @property
    def reevaluates(self) -> bool:
        """Returns False unless overridden (`Spigot`: True when `num_steps > 1`)."""
        return False

    def forward(self, problem: ArgmaxProblem) -> Tensor:
        """Returns the value that the rest of the model receives, in the shape of the scores."""
        raise NotImplementedError

    def auxiliary_loss(self, problem: ArgmaxProblem, value: Tensor, losses: Tensor) -> Tensor:
        """
        Returns a scalar that the model adds to its loss; zero except for score-function estimators.

        It goes with the mean of the `losses`: whatever multiplies the mean must multiply this, too.
        With their sum, multiply it by the batch size; with `-losses.mean()` of rewards, by -1.
        """
        return losses.new_zeros(())

    def check(self, structure: Structure) -> None:
        """
        Checks that `structure` provides all operations that this estimator calls.

        # Raises

        `ConfigurationError` if `structure` does not provide all `requirements`, e.g. "Spigot needs
        projected_step, which OracleOnly (so configured) does not provide. Choose another estimator,
        or implement projected_step in OracleOnly."
        """
        ours, theirs = type(self).__name__, type(structure).__name__
        for operation in sorted(self.requirements):
            if not structure.provides(operation):
                implemented = "log_partition" if operation == "marginals" else operation
                reason = structure.why_no_sums if operation in SUMS else ""
                advice = f"{reason} {_WAYS_OUT.get(operation, '')}".lstrip()
                raise ConfigurationError(
                    f"{ours} needs {operation}, which {theirs} (so configured) does not provide. "
                    f"{advice}Choose another estimator, or implement "
                    f"{implemented} in {theirs}."
                )


class SurrogateEstimator(GradientEstimator):
    """
    An estimator with a hand-written backward pass, which a subclass implements as `pull_back`.

    `pull_back` sees gradients *per instance*. The incoming gradient is divided by the absolute
    weight that the instance's loss has in what was differentiated
    (`ArgmaxProblem.instance_weights`), and the result is multiplied by it. So a step size means the
    same as in the papers, at every batch size, under gradient accumulation and under a loss scale.
    Where the weight is negative, `downstream` returned a reward, and "the loss" is its negative.
    Neither `solve` nor `pull_back` ever sees an instance with invalid scores or gradients.

    # Parameters

    max_step_norm : `float`, optional (default = `None`)
        A step of an instance that is longer than this, in Euclidean norm over all its parts, is
        scaled down to it. The step is the gradient of the instance's own loss, times the step size
        if the estimator has one, before any further computation.
    """

    def __init__(self, max_step_norm: Optional[float] = None) -> None:
        super().__init__()
        check_positive(max_step_norm=max_step_norm)
        self._max_step_norm = max_step_norm

    def bounded(self, step: Tensor) -> Tensor:
        """
        Returns `step`, shape `(batch_size, *parts)`, scaled down to norm `max_step_norm` at most.
        """
        step = at_least_single(step)
        return step if self._max_step_norm is None else clip_norm(step, self._max_step_norm)

    def forward(self, problem: ArgmaxProblem) -> Tensor:
        return self.value_for(problem.scores, problem)

    def value_for(self, scores: Tensor, problem: ArgmaxProblem) -> Tensor:
        """
        Returns the forward value of `problem`. Its surrogate gradient goes to `scores`: those of
        the problem, or a tensor computed from them.
        """
        return _Surrogate.apply(scores, self, problem.at(problem.scores.detach()))

    def solve(self, problem: ArgmaxProblem) -> Tuple[Tensor, Any]:
        """
        Returns the forward value, and a state of any type that is passed to `pull_back`; by default
        the argmax and `None`.
        """
        return problem.argmax(), None

    def pull_back(
        self, problem: ArgmaxProblem, value: Tensor, gradient: Tensor, state: Any
    ) -> Tensor:
        """Returns the surrogate of dL/dscores for `gradient` = dL/dvalue; the caller masks it."""
        raise NotImplementedError


class RunningNumbers(torch.nn.Module):
    """
    A module whose buffers stay in single precision at least when `half()`, `bfloat16()` or `to()`
    convert the model. They hold numbers that change in small steps, which half precision would
    round away.
    """

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "RunningNumbers":
        before = dict(self._buffers)
        super()._apply(fn, recurse)
        for name, buffer in self._buffers.items():
            old = before[name]
            if old is not None and buffer is not None and old.is_floating_point():
                dtype = torch.promote_types(buffer.dtype, torch.float32)
                if buffer.dtype != dtype:
                    self._buffers[name] = old.to(buffer.device, dtype)
        return self


class _Surrogate(torch.autograd.Function):
    """Calls `solve` in the forward pass and `pull_back` in the backward pass."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, scores: Tensor, estimator: SurrogateEstimator, problem: ArgmaxProblem
    ) -> Tensor:
        invalid = invalid_instances(problem.mask, is_score, problem.scores)
        if invalid is not None:
            problem = problem.at(without_invalid(problem.scores, invalid, problem.mask))
        value, state = estimator.solve(problem)
        # `downstream` may refer to tensors that depend on the value. The graph would then hold
        # itself and all tensors of the batch for ever: Python's collector does not look into it.
        kept = problem if estimator.reevaluates else replace(problem, downstream=None)
        ctx.estimator, ctx.problem, ctx.state = estimator, kept, state
        # The problem's tensors are saved, too: autograd then refuses a backward pass if the caller
        # has changed them in place (a mask that a loop updates, say).
        ctx.save_for_backward(scores, value, invalid, problem.scores, problem.mask)
        return value if invalid is None else nan_for_invalid(value, invalid, problem.mask)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> Tuple[Optional[Tensor], None, None]:
        scores, value, invalid, problem_scores, mask = ctx.saved_tensors
        problem = replace(ctx.problem, scores=problem_scores, mask=mask)
        with torch.no_grad():
            surrogate = _pulled_back(ctx, problem, gradient, value, invalid)
        if not is_graph_kept():
            del ctx.problem
        if torch.is_grad_enabled():  # for a second derivative
            surrogate = _Once.apply(surrogate, scores, type(ctx.estimator).__name__)
        return surrogate, None, None


def _pulled_back(
    ctx: Any, problem: ArgmaxProblem, gradient: Tensor, value: Tensor, invalid: Optional[Tensor]
) -> Tensor:
    """Returns the surrogate gradient of the scores, from the gradient of the value."""
    # A reward weighs less than zero; its negative is the loss of the instance.
    weights = problem.instance_weights().abs()
    # An instance of weight zero has gradient zero, not 0 / 0. In half precision the division would
    # lose the small gradients that a loss scale has saved.
    per_instance = torch.where(weights != 0, at_least_single(gradient) / weights, 0)
    per_instance = per_instance.masked_fill(~problem.possible, 0)
    without_gradient = invalid_instances(problem.mask, are_finite, per_instance)
    if without_gradient is not None:
        invalid = without_gradient if invalid is None else invalid | without_gradient
    if invalid is not None:
        per_instance = without_invalid(per_instance, invalid, problem.mask)
    surrogate = ctx.estimator.pull_back(problem, value, per_instance, ctx.state) * weights
    lost = problem.structure.lacks_objects(value, problem.mask).reshape(weights.shape)
    surrogate = surrogate.masked_fill(~problem.possible | lost, 0).to(gradient.dtype)
    if invalid is not None:
        surrogate = nan_for_invalid(surrogate, invalid, problem.mask)
    return surrogate


class _Once(torch.autograd.Function):
    """Returns a surrogate gradient, which refuses to be differentiated."""

    @staticmethod
    def forward(ctx: FunctionCtx, surrogate: Tensor, scores: Tensor, estimator: str) -> Tensor:
        ctx.estimator = estimator
        return surrogate.view_as(surrogate)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> None:
        raise NotImplementedError(
            f"The gradient of {ctx.estimator} is a surrogate, of no function, so that it cannot be "
            "differentiated once more. Detach the scores for what needs a second derivative (a "
            "gradient penalty, say), or choose an estimator that has one: docs/pytorch.md."
        )
