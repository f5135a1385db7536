"""Marginals instead of the argmax."""

from torch import Tensor

from spigot_allennlp.config_checks import check_positive
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.problem import ArgmaxProblem


@GradientEstimator.register("structured_attention")
class StructuredAttention(GradientEstimator):
    """
    The mean object under `p(z) ∝ exp <scores / temperature, z>`, and its exact gradient
    ([Kim et al., 2017](https://arxiv.org/abs/1702.00887), section 3). The rest of the model
    never sees a discrete object, at test time neither.

    Registered as a `GradientEstimator` with name "structured_attention".

    # Parameters

    temperature : `float`, optional (default = `1.0`)
        Towards zero the marginals become the argmax, and their gradient vanishes.
    """

    requires = frozenset({"marginals"})
    relaxed = True

    def __init__(self, temperature: float = 1.0) -> None:
        super().__init__()
        check_positive(temperature=temperature)
        self._temperature = temperature

    def forward(self, problem: ArgmaxProblem) -> Tensor:
        return problem.at(problem.scores / self._temperature).marginals()
