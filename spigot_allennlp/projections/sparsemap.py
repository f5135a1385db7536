"""Projects onto the exact polytope of any structure."""

from torch import BoolTensor, Tensor

from spigot_allennlp.config_checks import check_counts, check_least
from spigot_allennlp.nn.active_set.active_set import hull_step
from spigot_allennlp.projections.projection import Projection, check_binary
from spigot_allennlp.structures.structure import Structure


@Projection.register("sparsemap")
class SparseMAPProjection(Projection):
    """
    Projects onto the convex hull of all objects, `argmin ||z - point||`, by the active set method
    of [Niculae et al. (2018)](https://arxiv.org/abs/1802.04223): the polytope itself, not a
    relaxation of it as in "local". Mihaylova et al. (2020) use this projection in SPIGOT.

    Needs only the argmax of the structure, which it calls some tens of times (hundreds of times for
    small scores of a long sentence). Where "local" is exact (`categorical`, `subset`, and
    `semantic_graph` without deterministic roles), it gives the same result, but much more slowly.

    Registered as a `Projection` with name "sparsemap".

    # Parameters

    max_iterations : `int`, optional (default = `1000`)
        The search stops after this many steps, whatever the gap. The point is then in the polytope,
        but may not be its nearest point.
    tolerance : `float`, optional (default = `1e-9`)
        By how much half the squared distance of an instance may exceed its minimum. For steps
        shorter than one it is multiplied by their squared length. With 0 the result is as exact as
        double precision allows.
    """

    def __init__(self, max_iterations: int = 1000, tolerance: float = 1e-9) -> None:
        check_counts(max_iterations=max_iterations)
        check_least(0, tolerance=tolerance)
        self._max_iterations = max_iterations
        self._tolerance = tolerance

    def check(self, structure: Structure) -> None:
        super().check(structure)
        check_binary(type(self).__name__, structure)

    def projected_step(
        self, structure: Structure, origin: Tensor, step: Tensor, mask: BoolTensor
    ) -> Tensor:
        return hull_step(
            structure.argmax, origin, step, mask, self._max_iterations, self._tolerance
        )
