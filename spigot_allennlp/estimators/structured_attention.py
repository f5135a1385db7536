"""Marginals instead of the argmax."""

from torch import Tensor

from spigot_allennlp.config_checks import check_positive
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.nn.instances import at_least_single


@GradientEstimator.register("structured_attention")
class StructuredAttention(GradientEstimator):
    """
    The mean object under `p(z) ∝ exp <scores / temperature, z>`, and its exact gradient
    ([Kim et al., 2017](https://arxiv.org/abs/1702.00887), section 3). The rest of the model never
    sees a discrete object, except at test time with `argmax_at_test`.

    Registered as a `GradientEstimator` with name "structured_attention".

    # Parameters

    temperature : `float`, optional (default = `1.0`)
        Towards zero the marginals become the argmax, and their gradient vanishes.
    backpropagate : `bool`, optional (default = `True`)
        If False, no gradient goes through the marginals, as in a pipeline. This is a control: it
        separates the effect of the gradient from that of using a mean object instead of a decision.
    argmax_at_test : `bool`, optional (default = `False`)
        Whether the value is the argmax, a discrete decision, at test time.
    """

    requires = frozenset({"marginals"})
    relaxed = True

    def __init__(
        self, temperature: float = 1.0, backpropagate: bool = True, argmax_at_test: bool = False
    ) -> None:
        super().__init__()
        check_positive(temperature=temperature)
        self._temperature = temperature
        self._backpropagate = backpropagate
        self.relaxed = not argmax_at_test

    def forward(self, problem: ArgmaxProblem) -> Tensor:
        scores = at_least_single(problem.scores)  # small temperatures make large numbers
        marginals = problem.at(scores / self._temperature).marginals()
        return marginals if self._backpropagate else marginals.detach()
