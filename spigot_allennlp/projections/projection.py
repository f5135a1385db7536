"""How a point that left the polytope of a structure comes back."""

from typing import FrozenSet

from allennlp.common import Registrable
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.tensor_checks import PARTS, check_pair
from spigot_allennlp.structures.structure import Structure


class Projection(Registrable):
    """
    Takes a point near the polytope of a structure back onto it, or onto a relaxation of it. The
    default implementation is "local".

    `requires` names the optional operations of `Structure` that it calls.
    """

    requires: FrozenSet[str] = frozenset()
    default_implementation = "local"

    def projected_step(
        self, structure: Structure, origin: Tensor, step: Tensor, mask: BoolTensor
    ) -> Tensor:
        """
        `origin - P(origin - step)`: the way from `origin` to the projection of `origin - step`,
        reversed. Of the shape of `origin`, zero off `mask`; never differentiable.
        """
        raise NotImplementedError


@Projection.register("local")
class LocalProjection(Projection):
    """
    The structure's own relaxation, cheap and in closed form: for trees one head per token, for
    graphs one label per arc. This is the projection of Peng et al. (2018).

    Registered as a `Projection` with name "local".
    """

    requires = frozenset({"projected_step"})

    def projected_step(
        self, structure: Structure, origin: Tensor, step: Tensor, mask: BoolTensor
    ) -> Tensor:
        return structure.projected_step(origin, step, mask)


@Projection.register("identity")
class IdentityProjection(Projection):
    """
    No projection: SPIGOT with it is the straight-through estimator, times the step size.

    Registered as a `Projection` with name "identity".
    """

    def projected_step(
        self, structure: Structure, origin: Tensor, step: Tensor, mask: BoolTensor
    ) -> Tensor:
        check_pair(("origin", "step"), PARTS, origin, step, mask)
        return step.masked_fill(~mask, 0)
