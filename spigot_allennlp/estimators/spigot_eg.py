"""A step of exponentiated gradient from the marginals."""

from typing import Tuple

from torch import Tensor

from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.estimators.pulled_back_estimator import PulledBackEstimator


@GradientEstimator.register("spigot_eg")
class SpigotEG(PulledBackEstimator):
    """
    SPIGOT with exponentiated gradient in place of the projection
    ([Mihaylova, Niculae & Martins, 2020](https://arxiv.org/abs/2010.02357), section 3.3): a step of
    mirror descent leads from the marginals `mu(s)` to those of moved scores:
    `dL/ds = mu(s) - mu(s - step_size * dL/dz(mu))`. The value is still the argmax.

    Registered as a `GradientEstimator` with name "spigot_eg". Needs `marginals` of its structure,
    and no projection: marginals never leave the polytope. For small steps the result is `step_size`
    times the gradient of structured attention. The rest of the model runs once more for every step.

    # Parameters

    step_size, max_step_norm, num_steps
        As in `Spigot`.
    """

    requires = frozenset({"marginals"})
    starts_at_argmax = False

    def start(self, problem: ArgmaxProblem, value: Tensor) -> Tuple[ArgmaxProblem, Tensor]:
        # In double precision, as `advance` subtracts marginals that may differ by little.
        exact = problem.at(problem.scores.double())
        return exact, exact.marginals()

    def advance(
        self, problem: ArgmaxProblem, point: Tensor, step: Tensor
    ) -> Tuple[ArgmaxProblem, Tensor]:
        moved = problem.at(problem.scores - step)
        return moved, point - moved.marginals()
