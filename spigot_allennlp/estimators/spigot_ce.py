"""A projected gradient step from the marginals."""

from typing import Tuple

from torch import Tensor

from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.estimators.spigot import Spigot


@GradientEstimator.register("spigot_ce")
class SpigotCE(Spigot):
    """
    SPIGOT with the cross-entropy as the intermediate loss
    ([Mihaylova, Niculae & Martins, 2020](https://arxiv.org/abs/2010.02357), section 3.3): the steps
    start from the marginals `mu`, and `dL/dscores = mu - P(mu - step_size * dL/dz(mu))`. The value
    is still the argmax.

    Registered as a `GradientEstimator` with name "spigot_ce". Needs `marginals` of its structure.
    The incoming gradient is not the gradient at the marginals, so the rest of the model runs once
    more for every step.

    # Parameters

    step_size, max_step_norm, num_steps, projection, two_sided
        As in `Spigot`.
    """

    requires = frozenset({"marginals"})
    starts_at_argmax = False

    def start(self, problem: ArgmaxProblem, value: Tensor) -> Tuple[ArgmaxProblem, Tensor]:
        # In double precision they lie on the polytope as exactly as a projection needs.
        return problem, problem.at(problem.scores.double()).marginals()
