"""The mean of the best objects under noise: perturbed optimisers."""

from typing import List, Optional, Tuple

import torch
from torch import Tensor

from spigot_allennlp.estimators.gradient_estimator import (
    GradientEstimator,
    SurrogateEstimator,
    check_positive,
)
from spigot_allennlp.estimators.noise import Noise, NormalNoise
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.nn.masking import per_instance

# The perturbations that were drawn, with the object that each led to.
Draws = List[Tuple[Tensor, Tensor]]


@GradientEstimator.register("perturbed")
class Perturbed(SurrogateEstimator):
    """
    The mean of the best objects under noise, `E z(s + noise)`, estimated from `num_samples` draws,
    and an unbiased estimate of its gradient
    ([Berthet et al., 2020](https://arxiv.org/abs/2002.08676), proposition 3.1):
    `dL/ds = mean_i <z_i - z(s), dL/dz> * slope(noise_i)`, with the derivative `slope` of minus the
    log-density.

    Registered as a `GradientEstimator` with name "perturbed". Asks nothing of its structure but the
    argmax, `num_samples` times. With several samples its value is no object, at test time neither,
    and is random; with one it is an object, and the argmax at test time.

    # Parameters

    num_samples : `int`, optional (default = `10`)
    noise : `Noise`, optional (default = `{"type": "normal", "scale": 1.0}`)
        One whose density has a slope: "normal" or "gumbel". The variance of the gradient grows as
        the scale shrinks.
    control_variate : `bool`, optional (default = `True`)
        Whether `z(s)` is subtracted. It changes nothing in the mean, as that of the slope is zero,
        and reduces the variance, most where the noise rarely changes the object.
    """

    def __init__(
        self, num_samples: int = 10, noise: Optional[Noise] = None, control_variate: bool = True
    ) -> None:
        super().__init__()
        check_positive("num_samples", num_samples)
        self._noise = noise or NormalNoise()
        self._noise.check_slope(type(self).__name__)
        self._num_samples = num_samples
        self._control_variate = control_variate

    @property
    def relaxed(self) -> bool:  # type: ignore[override]
        return self._num_samples > 1

    def solve(self, problem: ArgmaxProblem) -> Tuple[Tensor, Draws]:
        noises = [self._noise.draw(problem) for _ in range(self._num_samples)]
        draws = [(noise, problem.at(problem.scores + noise).argmax()) for noise in noises]
        return torch.stack([vertex for _, vertex in draws]).mean(dim=0), draws

    def pull_back(
        self, problem: ArgmaxProblem, value: Tensor, gradient: Tensor, state: Draws
    ) -> Tensor:
        usual = problem.argmax() if self._control_variate else torch.zeros_like(value)
        total = torch.zeros_like(state[0][0])
        for noise, vertex in state:
            # How the loss changes, to first order, from the usual object to this one: (batch_size,)
            change = problem.structure.score(gradient, vertex - usual)
            total += per_instance(change, noise) * self._noise.slope(noise)
        return total / len(state)
