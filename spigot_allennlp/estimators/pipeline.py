"""No gradient: the baseline."""

from torch import Tensor

from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.problem import ArgmaxProblem


@GradientEstimator.register("pipeline")
class Pipeline(GradientEstimator):
    """
    Returns the argmax, and passes no gradient through it: `dL/dscores = 0`. What computes the
    scores learns from its own loss alone, as in a pipeline of separately trained models.

    Registered as a `GradientEstimator` with name "pipeline".
    """

    def forward(self, problem: ArgmaxProblem) -> Tensor:
        return problem.argmax()
