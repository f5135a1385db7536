"""The marginals of perturbed scores: stochastic softmax tricks."""

from typing import Optional

from torch import Tensor

from spigot_allennlp.config_checks import check_object
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.noise import GumbelNoise, Noise
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.estimators.structured_attention import StructuredAttention


@GradientEstimator.register("stochastic_softmax")
class StochasticSoftmax(StructuredAttention):
    """
    A relaxed random object: the marginals of perturbed scores at a temperature, that is
    `argmax_{mu in P} <s + noise, mu> + temperature * H(mu)`, where `H` is the entropy in the
    structure's own exponential family ([Paulus et al., 2020](https://arxiv.org/abs/2006.08063),
    section 4), and its exact gradient. On `categorical` with Gumbel noise it is the Gumbel-softmax
    ([Jang et al., 2017](https://arxiv.org/abs/1611.01144)). At test time the value is the argmax
    without noise. For a discrete value also in training, see "perturb_and_map".

    Registered as a `GradientEstimator` with name "stochastic_softmax". Needs `marginals` of its
    structure.

    # Parameters

    temperature : `float`, optional (default = `1.0`)
        Towards zero the value becomes discrete, and its gradient more variable.
    noise : `Noise`, optional (default = `"gumbel"`)
    """

    def __init__(self, temperature: float = 1.0, noise: Optional[Noise] = None) -> None:
        super().__init__(temperature, argmax_at_test=True)
        self._noise = GumbelNoise() if noise is None else noise
        check_object("noise", self._noise, Noise)

    def forward(self, problem: ArgmaxProblem) -> Tensor:
        return super().forward(problem.at(problem.scores + self._noise.sample(problem)))
