"""The argmax forward, the Jacobian of the marginals backward."""

from typing import Optional

from torch import Tensor

from spigot_allennlp.config_checks import check_positive
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.estimators.straight_through import StraightThrough
from spigot_allennlp.nn.instances import at_least_single


@GradientEstimator.register("straight_through_marginals")
class StraightThroughMarginals(StraightThrough):
    """
    The rest of the model receives the argmax, but its gradient flows back as if it had received the
    marginals: `dL/ds = J(s) dL/dz`, where `J` is the Jacobian of the marginals of
    `p(z) ∝ exp <s / temperature, z>` (STE-S in
    [Mihaylova, Niculae & Martins, 2020](https://arxiv.org/abs/2010.02357), section 3.2). On
    `categorical` it is the full Jacobian of the softmax; that paper's code has only its diagonal.

    Registered as a `GradientEstimator` with name "straight_through_marginals". Needs
    `marginals` of its structure.

    # Parameters

    temperature : `float`, optional (default = `1.0`)
    max_step_norm : `float`, optional (default = `None`)
        As in `SurrogateEstimator`, of the gradient that reaches the marginals.
    """

    requires = frozenset({"marginals"})

    def __init__(self, temperature: float = 1.0, max_step_norm: Optional[float] = None) -> None:
        super().__init__(max_step_norm)
        check_positive(temperature=temperature)
        self._temperature = temperature

    def forward(self, problem: ArgmaxProblem) -> Tensor:
        scores = at_least_single(problem.scores)  # small temperatures make large numbers
        marginals = problem.at(scores / self._temperature).marginals()
        return self.value_for(marginals, problem)
