"""A projected gradient step from the argmax."""

from typing import FrozenSet, Optional, Tuple

from torch import Tensor

from spigot_allennlp.config_checks import check_object
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.estimators.pulled_back_estimator import PulledBackEstimator
from spigot_allennlp.projections.projection import LocalProjection, Projection
from spigot_allennlp.registrable import ConfigurationError
from spigot_allennlp.structures.structure import Structure


@GradientEstimator.register("spigot")
class Spigot(PulledBackEstimator):
    """
    Structured projection of intermediate gradients
    ([Peng, Thomson & Smith, 2018](https://aclanthology.org/P18-1173), Algorithm 1): a gradient step
    from the object is projected back onto the polytope, and the displacement is the gradient of the
    scores, `dL/dscores = z - P(z - step_size * dL/dz)`.

    Registered as a `GradientEstimator` with name "spigot".

    # Parameters

    step_size : `float`, optional (default = `1.0`)
        Per instance: it multiplies the gradient of the instance's own loss, whatever the batch
        size. Once the step is long enough to reach a vertex, a longer one changes nothing.
    max_step_norm : `float`, optional (default = `None`)
        As in `SurrogateEstimator`, before the projection. The authors' code uses 1 for
        syntactic-then-semantic parsing and 5/32 for sentiment, both with `step_size` 1.
    num_steps : `int`, optional (default = `1`)
        The number of projected steps. Each step after the first uses the gradient at the point
        reached ([Mihaylova, Niculae & Martins, 2020](https://arxiv.org/abs/2010.02357), section 3),
        and the rest of the model runs again to compute it.
    projection : `Projection`, optional (default = `"local"`)
        Which polytope to project onto.
    two_sided : `bool`, optional (default = `False`)
        Whether to take the opposite step, too, and return half the difference of the two
        displacements: `dL/dscores = (P(z + step) - P(z - step)) / 2`. The published step from an
        object can only lower the parts that the object has and only raise the others, so noise in
        the gradient does not cancel out. The two-sided step changes sign with the gradient. This is
        our own addition, not from a paper. It takes a single step only, since the step may leave
        the polytope.

    # Raises

    `ConfigurationError` for a two-sided step with `num_steps` above one.
    """

    def __init__(
        self,
        step_size: float = 1.0,
        max_step_norm: Optional[float] = None,
        num_steps: int = 1,
        projection: Optional[Projection] = None,
        two_sided: bool = False,
    ) -> None:
        super().__init__(step_size, max_step_norm, num_steps)
        if two_sided and num_steps > 1:
            raise ConfigurationError(
                f"two_sided takes a single step, but num_steps is {num_steps}."
            )
        self._two_sided = two_sided
        self._projection = LocalProjection() if projection is None else projection
        check_object("projection", self._projection, Projection)

    @property
    def requirements(self) -> FrozenSet[str]:
        return self.requires | self._projection.requires

    def check(self, structure: Structure) -> None:
        super().check(structure)
        self._projection.check(structure)

    def advance(
        self, problem: ArgmaxProblem, point: Tensor, step: Tensor
    ) -> Tuple[ArgmaxProblem, Tensor]:
        project = self._projection.projected_step
        moved = project(problem.structure, point, step, problem.possible)
        if self._two_sided:
            along = project(problem.structure, point, -step, problem.possible)
            moved = (moved - along) / 2
        return problem, moved
