"""The argmax of perturbed scores forward, the marginals' Jacobian backward."""

from typing import Optional

from torch import Tensor

from spigot_allennlp.config_checks import check_object
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.noise import GumbelNoise, Noise
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.estimators.straight_through_marginals import StraightThroughMarginals


@GradientEstimator.register("perturb_and_map")
class PerturbAndMAP(StraightThroughMarginals):
    """
    Adds noise to the scores and takes the best object
    ([Papandreou & Yuille, 2011](https://doi.org/10.1109/ICCV.2011.6126242)). The gradient flows
    through the marginals of the same perturbed scores. On `categorical` with Gumbel noise it is the
    straight-through Gumbel-softmax ([Jang et al., 2017](https://arxiv.org/abs/1611.01144), section
    2.2); on trees its value is not an exact sample. At test time there is no noise.

    Registered as a `GradientEstimator` with name "perturb_and_map". Needs `marginals` of its
    structure.

    # Parameters

    temperature : `float`, optional (default = `1.0`)
        The temperature of the marginals.
    noise : `Noise`, optional (default = `"gumbel"`)
    max_step_norm : `float`, optional (default = `None`)
        As in `SurrogateEstimator`, of the gradient that reaches the marginals.
    """

    def __init__(
        self,
        temperature: float = 1.0,
        noise: Optional[Noise] = None,
        max_step_norm: Optional[float] = None,
    ) -> None:
        super().__init__(temperature, max_step_norm)
        self._noise = GumbelNoise() if noise is None else noise
        check_object("noise", self._noise, Noise)

    def forward(self, problem: ArgmaxProblem) -> Tensor:
        return super().forward(problem.at(problem.scores + self._noise.sample(problem)))
