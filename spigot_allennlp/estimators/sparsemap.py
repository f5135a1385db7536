"""A sparse mean of objects instead of the argmax."""

from typing import Optional, Tuple

from torch import Tensor

from spigot_allennlp.config_checks import check_counts, check_positive
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator, SurrogateEstimator
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.nn.active_set.active_set import ActiveSet
from spigot_allennlp.nn.instances import at_least_single
from spigot_allennlp.projections.projection import check_binary, nearest_in_hull
from spigot_allennlp.structures.structure import Structure


@GradientEstimator.register("sparsemap")
class SparseMAP(SurrogateEstimator):
    """
    The mean of few objects that lies nearest to the scores,
    `argmin ||mu - scores / temperature||` over the convex hull of all objects, and its exact
    gradient, through the objects that are in use
    ([Niculae et al., 2018](https://arxiv.org/abs/1802.04223), equation 5 and proposition 2). On
    `categorical` it is the sparsemax
    ([Martins & Astudillo, 2016](https://arxiv.org/abs/1602.02068)). The rest of the model never
    sees a discrete object, unless one object wins by a margin; at test time neither, unless
    `argmax_at_test` is set.

    Registered as a `GradientEstimator` with name "sparsemap". Needs nothing of its structure but
    the argmax; where the structure knows the projection in closed form (`categorical`, `subset`,
    `semantic_graph` without deterministic roles), it is used.

    # Parameters

    temperature : `float`, optional (default = `1.0`)
        Towards zero the mean becomes the argmax, and its gradient vanishes.
    max_iterations : `int`, optional (default = `1000`)
        After as many steps, an argmax each, a mean is good enough.
    tolerance : `float`, optional (default = `1e-9`)
        By how much half the squared distance may exceed the least.
    max_step_norm : `float`, optional (default = `None`)
        As in `SurrogateEstimator`; with it the gradient is no longer exact where it is long.
    argmax_at_test : `bool`, optional (default = `False`)
        Whether the value is the argmax at test time, a decision after all.
    """

    relaxed = True

    def __init__(
        self,
        temperature: float = 1.0,
        max_iterations: int = 1000,
        tolerance: float = 1e-9,
        max_step_norm: Optional[float] = None,
        argmax_at_test: bool = False,
    ) -> None:
        super().__init__(max_step_norm)
        check_positive(temperature=temperature, tolerance=tolerance)
        check_counts(max_iterations=max_iterations)
        self._temperature = temperature
        self._max_iterations = max_iterations
        self._tolerance = tolerance
        self.relaxed = not argmax_at_test

    def check(self, structure: Structure) -> None:
        super().check(structure)
        check_binary(type(self).__name__, structure)

    def solve(self, problem: ArgmaxProblem) -> Tuple[Tensor, Optional[ActiveSet]]:
        point = at_least_single(problem.scores) / self._temperature
        return nearest_in_hull(
            problem.structure, point, problem.mask, self._max_iterations, self._tolerance
        )

    def pull_back(
        self, problem: ArgmaxProblem, value: Tensor, gradient: Tensor, state: Optional[ActiveSet]
    ) -> Tensor:
        gradient = self.bounded(gradient)
        if state is None:
            jvp = problem.structure.hull_jvp(value, gradient, problem.mask)
        else:
            jvp = state.jvp(gradient)
        return jvp / self._temperature
