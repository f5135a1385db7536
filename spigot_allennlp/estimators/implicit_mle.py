"""The distance to a target distribution: implicit maximum likelihood."""

from typing import Any, Optional, Tuple

import torch
from torch import Tensor

from spigot_allennlp.config_checks import (
    check_counts,
    check_interval,
    check_object,
    check_positive,
)
from spigot_allennlp.estimators.gradient_estimator import (
    GradientEstimator,
    RunningNumbers,
    SurrogateEstimator,
)
from spigot_allennlp.estimators.noise import Noise, NoiseSamples, SumOfGammaNoise
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.nn.instances import at_least_single, flatten_parts, per_instance
from spigot_allennlp.registrable import FromParams


class AdaptiveStep(RunningNumbers, FromParams):
    """
    Increases a step size while the surrogate gradients are sparser than wanted, and decreases it
    otherwise ([Minervini, Franceschi & Niepert, 2023](https://arxiv.org/abs/2209.04862), section
    3.2).

    # Parameters

    rate : `float`, optional (default = `1e-3`)
        By how much the step size changes with every backward pass.
    wanted : `float`, optional (default = `1.0`)
        How many entries of an instance's surrogate gradient should differ from zero on average.
    decay : `float`, optional (default = `0.9`)
        The decay of the moving average of that number.
    """

    _found: Tensor  # moving average of nonzero entries; archives use this name

    def __init__(self, rate: float = 1e-3, wanted: float = 1.0, decay: float = 0.9) -> None:
        super().__init__()
        check_positive(rate=rate, wanted=wanted)
        check_interval("[0, 1)", decay=decay)
        self._rate = rate
        self._wanted = wanted
        self._decay = decay
        self.register_buffer("_found", torch.tensor(float(wanted)))

    def size(self, problem: ArgmaxProblem, gradient: Tensor, beta: Tensor) -> Tensor:
        """
        Returns `beta * ||scores|| / ||gradient||` over the possible parts, shape `(batch_size,)`;
        zero where either norm is.
        """
        scores = at_least_single(problem.scores).masked_fill(~problem.possible, 0)
        possible = flatten_parts(scores).norm(dim=-1)
        norm = flatten_parts(gradient).norm(dim=-1)
        return torch.where(norm > 0, beta * possible / norm, 0)

    def adapt(self, beta: Tensor, surrogate: Tensor) -> None:
        """Changes `beta`, in place, after a backward pass that computed `surrogate`."""
        if len(surrogate) == 0:
            return
        nonzero = flatten_parts(surrogate != 0).sum(dim=-1).to(self._found.dtype).mean()
        self._found.lerp_(nonzero, 1 - self._decay)
        beta += self._rate if self._found < self._wanted else -self._rate
        beta.clamp_(min=0)


@GradientEstimator.register("implicit_mle")
class ImplicitMLE(RunningNumbers, SurrogateEstimator):
    """
    The best object under noise. The gradient is that of maximum likelihood, fitting the
    distribution of this object to a target distribution whose scores are one step down the gradient
    of the loss ([Niepert, Minervini & Franceschi, 2021](https://arxiv.org/abs/2106.01798),
    Algorithm 1): `dL/ds = mean_i z(s + noise_i) - z(alpha * s - beta * dL/dz + noise_i)`, with the
    same noise in both. At test time there is no noise.

    With `adaptive`, `beta` is adapted in training
    ([Minervini, Franceschi & Niepert, 2023](https://arxiv.org/abs/2209.04862), sections 3.2 and
    3.3): the step of an instance is `b = beta * ||s|| / ||dL/dz||`, the difference is divided by
    it, and `beta` grows while too few entries of the difference are nonzero. With `symmetric`, the
    two objects are those one step behind and one step ahead of `alpha * s`, and the result is
    divided by two.

    Registered as a `GradientEstimator` with name "implicit_mle". Needs only the argmax of its
    structure.

    # Parameters

    beta : `float`, optional (default = `1.0`)
        The step size, per instance; with `adaptive`, its initial value.
    alpha : `float`, optional (default = `1.0`)
    num_samples : `int`, optional (default = `1`)
        With several samples, the value in training is the mean of their objects.
    noise : `Noise`, optional (default = `"sum_of_gamma"`)
    symmetric : `bool`, optional (default = `False`)
    adaptive : `AdaptiveStep`, optional (default = `None`)
        `{}` for its default settings.
    max_step_norm : `float`, optional (default = `None`)
        As in `SurrogateEstimator`; with `adaptive` the step is `b * dL/dz`.
    """

    _beta: Tensor

    def __init__(
        self,
        beta: float = 1.0,
        alpha: float = 1.0,
        num_samples: int = 1,
        noise: Optional[Noise] = None,
        symmetric: bool = False,
        adaptive: Optional[AdaptiveStep] = None,
        max_step_norm: Optional[float] = None,
    ) -> None:
        super().__init__(max_step_norm)
        check_positive(beta=beta)
        check_counts(num_samples=num_samples)
        check_interval("(-inf, inf)", alpha=alpha)
        self._initial_beta = float(beta)
        self._alpha = alpha
        self._num_samples = num_samples
        self._noise = SumOfGammaNoise() if noise is None else noise
        check_object("noise", self._noise, Noise)
        self._symmetric = symmetric
        if adaptive is not None:
            check_object("adaptive", adaptive, AdaptiveStep)
        self._adaptive = adaptive
        self.register_buffer("_beta", torch.tensor(self._initial_beta))

    def _load_from_state_dict(self, *arguments: Any) -> None:
        super()._load_from_state_dict(*arguments)
        if self._adaptive is None:  # an option, not a learned value
            self._beta = torch.full_like(self._beta, self._initial_beta)

    def solve(self, problem: ArgmaxProblem) -> Tuple[Tensor, NoiseSamples]:
        return self._noise.sample_objects(problem, self._num_samples)

    def pull_back(
        self, problem: ArgmaxProblem, value: Tensor, gradient: Tensor, state: NoiseSamples
    ) -> Tensor:
        size = self._beta
        if self._adaptive is not None:
            size = per_instance(self._adaptive.size(problem, gradient, self._beta), gradient)
        step = self.bounded(size * gradient)
        behind = state.vertices
        # Impossible parts remain impossible, whatever the sign of alpha.
        scores = at_least_single(problem.scores)
        start = torch.where(problem.possible, self._alpha * scores, scores)
        ahead = problem.argmaxes(start - step + state.noise)
        if self._symmetric:
            behind = problem.argmaxes(start + step + state.noise)
        difference = (behind - ahead).mean(dim=0) / (2 if self._symmetric else 1)
        if self._adaptive is None:
            return difference
        self._adaptive.adapt(self._beta, difference)
        return torch.where(size > 0, difference / size, 0)
