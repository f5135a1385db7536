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
    The sparse mean of objects that is nearest to the scores, `argmin ||mu - scores / temperature||`
    over the convex hull of all objects, and its exact gradient, through the objects in the mean
    ([Niculae et al., 2018](https://arxiv.org/abs/1802.04223), equation 5 and proposition 2). On
    `categorical` it is the sparsemax
    ([Martins & Astudillo, 2016](https://arxiv.org/abs/1602.02068)). The rest of the model sees a
    discrete object only if one object wins by a margin, or at test time with `argmax_at_test`.

    Registered as a `GradientEstimator` with name "sparsemap". Needs only the argmax of its
    structure. Where the structure has the projection in closed form (`categorical`, `subset`,
    `semantic_graph` without deterministic roles), it uses that.

    # Parameters

    temperature : `float`, optional (default = `1.0`)
        Towards zero the mean becomes the argmax, and its gradient vanishes.
    max_iterations : `int`, optional (default = `1000`)
        The search stops after this many steps, an argmax each.
    tolerance : `float`, optional (default = `1e-9`)
        By how much half the squared distance may exceed its minimum.
    max_step_norm : `float`, optional (default = `None`)
        As in `SurrogateEstimator`; a gradient that it shortens is no longer exact.
    argmax_at_test : `bool`, optional (default = `False`)
        Whether the value is the argmax, a discrete object, at test time.
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
