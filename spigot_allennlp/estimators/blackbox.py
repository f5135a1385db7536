"""The difference of two argmaxes: differentiation of blackbox solvers."""

from typing import Any, Optional

from torch import Tensor

from spigot_allennlp.config_checks import check_positive
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator, SurrogateEstimator
from spigot_allennlp.estimators.problem import ArgmaxProblem


@GradientEstimator.register("blackbox")
class Blackbox(SurrogateEstimator):
    """
    The slope of a piecewise affine interpolation of the loss
    ([Vlastelica et al., 2020](https://arxiv.org/abs/1912.02175), Algorithm 1, with our scores being
    their negated weights): `dL/ds = (z(s) - z(s - step_size * dL/dz)) / step_size`.

    Registered as a `GradientEstimator` with name "blackbox". Needs only the argmax of its
    structure, which it calls once more in the backward pass.

    # Parameters

    step_size : `float`, optional (default = `10.0`)
        The paper's lambda, per instance. With a small value the result follows the gradient closely
        but is mostly zero; with a large value it is informative but coarse.
    max_step_norm : `float`, optional (default = `None`)
        As in `SurrogateEstimator`.
    """

    def __init__(self, step_size: float = 10.0, max_step_norm: Optional[float] = None) -> None:
        super().__init__(max_step_norm)
        check_positive(step_size=step_size)
        self._step_size = step_size

    def pull_back(
        self, problem: ArgmaxProblem, value: Tensor, gradient: Tensor, state: Any
    ) -> Tensor:
        step = self.bounded(self._step_size * gradient)
        target = problem.at(problem.scores - step).argmax()
        return (value - target) / self._step_size
