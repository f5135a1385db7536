"""The mean of the best objects under noise: perturbed optimisers."""

from typing import Optional, Tuple

import torch
from torch import Tensor

from spigot_allennlp.config_checks import check_counts, check_object
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator, SurrogateEstimator
from spigot_allennlp.estimators.noise import Noise, NoiseSamples, NormalNoise
from spigot_allennlp.estimators.problem import ArgmaxProblem


@GradientEstimator.register("perturbed")
class Perturbed(SurrogateEstimator):
    """
    Estimates the mean of the best objects under noise, `E z(s + noise)`, from `num_samples`
    samples. The estimate of its gradient is unbiased
    ([Berthet et al., 2020](https://arxiv.org/abs/2002.08676), proposition 3.1):
    `dL/ds = mean_i <z_i - z(s), dL/dz> * slope(noise_i)`, where `slope` is the derivative of minus
    the log-density.

    Registered as a `GradientEstimator` with name "perturbed". Needs only the argmax of its
    structure, `num_samples` times. With several samples its value is random and not an object, even
    at test time (unless `argmax_at_test` is set). With one sample it is an object in training, and
    the argmax at test time.

    # Parameters

    num_samples : `int`, optional (default = `10`)
    noise : `Noise`, optional (default = `{"type": "normal", "scale": 1.0}`)
        A noise whose density has a slope: "normal" or "gumbel". The variance of the gradient grows
        as the scale shrinks.
    control_variate : `bool`, optional (default = `True`)
        Whether to subtract `z(s)`. This leaves the mean unchanged, because the slope has mean zero.
        It reduces the variance, most where the noise rarely changes the object.
    max_step_norm : `float`, optional (default = `None`)
        As in `SurrogateEstimator`.
    argmax_at_test : `bool`, optional (default = `False`)
        Whether the value is the argmax at test time even with several samples.
    """

    def __init__(
        self,
        num_samples: int = 10,
        noise: Optional[Noise] = None,
        control_variate: bool = True,
        max_step_norm: Optional[float] = None,
        argmax_at_test: bool = False,
    ) -> None:
        super().__init__(max_step_norm)
        check_counts(num_samples=num_samples)
        self._noise = NormalNoise() if noise is None else noise
        check_object("noise", self._noise, Noise)
        self._noise.check_slope(type(self).__name__)
        self._num_samples = num_samples
        self._control_variate = control_variate
        self.relaxed = num_samples > 1 and not argmax_at_test

    def solve(self, problem: ArgmaxProblem) -> Tuple[Tensor, NoiseSamples]:
        return self._noise.sample_objects(problem, self._num_samples)

    def pull_back(
        self, problem: ArgmaxProblem, value: Tensor, gradient: Tensor, state: NoiseSamples
    ) -> Tensor:
        baseline = problem.argmax() if self._control_variate else torch.zeros_like(value)
        # The change of the loss, to first order, from the baseline to these objects:
        # (num_samples, batch_size, 1, ..., 1)
        change = ((state.vertices - baseline) * self.bounded(gradient)).flatten(2).sum(dim=-1)
        change = change.reshape(change.shape + (1,) * (value.dim() - 1))
        return (change * self._noise.slope(state.noise).masked_fill(~problem.mask, 0)).mean(dim=0)
