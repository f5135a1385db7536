"""One batch of structured argmax problems: all that an estimator has access to."""

from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Callable, ContextManager, List, Optional

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.devices import autocast_as_now
from spigot_allennlp.nn.instances import per_instance
from spigot_allennlp.registrable import ConfigurationError
from spigot_allennlp.structures.structure import Structure

# Maps a (relaxed) object to the loss of each instance, of shape (batch_size,).
Downstream = Callable[[Tensor], Tensor]


class DownstreamTrace:
    """
    Records for the backward pass how `downstream` was evaluated. The state of the random generators
    before the call and the mode of mixed precision let it be repeated with the same dropout and the
    same types. The weights are those of each instance's loss in the number that was finally
    differentiated.

    The weights are measured, not assumed. They reflect a mean over the batch, a sum, the trainer's
    division by the number of accumulated batches, and the loss scale of mixed precision, so a step
    size means the same under each of them.
    """

    def __init__(self) -> None:
        self.weights: Optional[Tensor] = None
        self.generator_states: Optional[List[Tensor]] = None
        self.autocast: ContextManager = nullcontext()

    def evaluate(self, downstream: Downstream, value: Tensor) -> Tensor:
        """
        Returns `downstream(value)`, shape `(batch_size,)`, and records how it was evaluated.

        # Raises

        `TypeError`, `ValueError` if the result is not a tensor, or has another shape.
        """
        self.generator_states = _generator_states(value.device)
        self.autocast = autocast_as_now(value.device)
        losses = downstream(value)
        check_losses("downstream must return", losses, len(value))
        if losses.requires_grad:
            no_weights = torch.zeros_like(losses, requires_grad=False)

            def note_weights(gradient: Optional[Tensor]) -> None:
                # Autograd has no gradient of losses that a function downstream says not to need.
                self.weights = no_weights if gradient is None else gradient.detach()

            losses.register_hook(note_weights)
        return losses

    def repeat(self, downstream: Downstream, value: Tensor) -> Tensor:
        """
        Calls `downstream(value)` again, with the randomness and the types of the recorded
        evaluation.
        """
        before = _generator_states(value.device)
        _restore_generators(self.generator_states or before, value.device)
        try:
            with self.autocast:
                return downstream(value)
        finally:
            _restore_generators(before, value.device)


@dataclass(frozen=True)
class ArgmaxProblem:
    """
    One batch of structured argmax problems.

    # Parameters

    structure : `Structure`
    scores : `Tensor`
        Shape `(batch_size, *parts)`.
    mask : `BoolTensor`
        The legal parts, of the same shape.
    downstream : `Downstream`, optional
        The rest of the model, from an object to the loss of each instance. Must not have side
        effects (such as updating a metric): an estimator may call it more than once.
    trace : `DownstreamTrace`
        The record of the evaluation of `downstream`; created here, shared by `at`.
    """

    structure: Structure
    scores: Tensor
    mask: BoolTensor
    downstream: Optional[Downstream] = None
    trace: DownstreamTrace = field(default_factory=DownstreamTrace)

    @property
    def possible(self) -> BoolTensor:
        """Returns the legal parts that do not score minus infinity."""
        return self.mask & (self.scores != -torch.inf)

    def at(self, scores: Tensor) -> "ArgmaxProblem":
        """Returns the same problem with other scores (perturbed, or moved along a gradient)."""
        return replace(self, scores=scores)

    def argmax(self) -> Tensor:
        """Returns the best object, in the shape of the scores."""
        return self.structure.argmax(self.scores, self.mask)

    def argmaxes(self, scores: Tensor) -> Tensor:
        """
        Returns the best objects under several other scores for each instance, in one call. `scores`
        and the result have shape `(num_samples, batch_size, *parts)`.
        """
        mask = self.mask.expand(scores.shape).flatten(0, 1)
        return self.structure.argmax(scores.flatten(0, 1), mask).view(scores.shape)

    def marginals(self) -> Tensor:
        """Returns the mean object, in the shape of the scores."""
        return self.structure.marginals(self.scores, self.mask)

    def sample(self) -> Tensor:
        """Returns a sample from `p(z) ∝ exp <scores, z>`, in the shape of the scores."""
        return self.structure.sample(self.scores, self.mask)

    def log_prob(self, vertex: Tensor) -> Tensor:
        """Returns `log p(vertex)`, shape `(batch_size,)`, differentiable in the scores."""
        return self.structure.log_prob(self.scores, self.mask, vertex)

    def losses(self, value: Tensor) -> Tensor:
        """Returns the downstream loss of each instance, shape `(batch_size,)`."""
        assert self.downstream is not None, "a problem without downstream has no losses"
        return self.trace.evaluate(self.downstream, value)

    def repeated_losses(self, value: Tensor) -> Tensor:
        """
        Returns the downstream loss of each instance at another value, shape `(batch_size,)`, with
        the dropout of the first evaluation and without a gradient.
        """
        downstream = self._to_run_again()
        with torch.no_grad():
            return self.trace.repeat(downstream, value)

    def downstream_gradient(self, point: Tensor) -> Tensor:
        """
        Returns the gradient of each instance's downstream loss at `point`, in the shape of the
        scores, with respect to `point` alone. Runs the rest of the model again, with the dropout of
        the first evaluation. A negative weight means that `downstream` returned a reward; the loss
        is then its negative.
        """
        downstream = self._to_run_again()
        with torch.enable_grad():
            leaf = point.detach().requires_grad_()
            losses = self.trace.repeat(downstream, leaf)
            (gradient,) = torch.autograd.grad(losses.sum(), leaf, allow_unused=True)
        if gradient is None:
            return torch.zeros_like(point)
        gradient = gradient.masked_fill(~self.possible, 0)
        weights = self.instance_weights()
        return torch.where(weights < 0, -gradient, gradient)

    def _to_run_again(self) -> Downstream:
        """Returns the rest of the model, which only estimators that say so may run again."""
        if self.downstream is None:
            raise ConfigurationError(
                "This estimator runs the rest of the model again, but does not say so, and there "
                "is no downstream to run. Override its property reevaluates to return True."
            )
        return self.downstream

    def instance_weights(self) -> Tensor:
        """
        Returns the weight of each instance's loss in what was differentiated, shape
        `(batch_size, 1, ..., 1)`. It is one over the batch size if the model called `downstream`
        itself instead of evaluating `losses` here.
        """
        if self.trace.weights is None:
            weights = self.scores.new_full((self.scores.size(0),), 1 / max(self.scores.size(0), 1))
        else:
            weights = self.trace.weights
        return per_instance(weights, self.scores)


def check_losses(must: str, losses: Tensor, batch_size: int) -> None:
    """
    Checks that there is one loss per instance; `must` begins the sentence of the error.

    # Raises

    `TypeError`, `ValueError`
    """
    expected = f"{must} the loss of each instance, a tensor of shape ({batch_size},), but found"
    if not isinstance(losses, Tensor):
        raise TypeError(f"{expected} a {type(losses).__name__}.")
    if losses.shape != (batch_size,):
        raise ValueError(
            f"{expected} shape {tuple(losses.shape)}. Sum over all dimensions but the first "
            '(with reduction="none" in the losses of torch), and take the mean over the batch '
            "outside of downstream, of what losses() returns."
        )


def _generator_states(device: torch.device) -> List[Tensor]:
    """Returns the states of the CPU's generator and, if it has its own, of that of `device`."""
    states = [torch.get_rng_state()]
    module = getattr(torch, device.type, None)  # torch.cuda, torch.xpu, ...
    if hasattr(module, "get_rng_state"):
        states.append(module.get_rng_state(device))  # type: ignore[union-attr]
    return states


def _restore_generators(states: List[Tensor], device: torch.device) -> None:
    torch.set_rng_state(states[0])
    for state in states[1:]:
        getattr(torch, device.type).set_rng_state(state, device)
