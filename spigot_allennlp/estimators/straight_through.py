"""The straight-through estimator: the identity in place of the derivative of the argmax."""

from typing import Any

from torch import Tensor

from spigot_allennlp.estimators.gradient_estimator import GradientEstimator, SurrogateEstimator
from spigot_allennlp.estimators.problem import ArgmaxProblem


@GradientEstimator.register("straight_through")
class StraightThrough(SurrogateEstimator):
    """
    Passes the gradient through the argmax as if it were the identity: `dL/dscores = dL/dz`
    ([Bengio et al., 2013](https://arxiv.org/abs/1308.3432), section 4).

    Registered as a `GradientEstimator` with name "straight_through".

    # Parameters

    max_step_norm : `float`, optional (default = `None`)
        As in `SurrogateEstimator`. Without it the scores of a parser may grow until training
        diverges.
    """

    def pull_back(
        self, problem: ArgmaxProblem, value: Tensor, gradient: Tensor, state: Any
    ) -> Tensor:
        return self.bounded(gradient)
