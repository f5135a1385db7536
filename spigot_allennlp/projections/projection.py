"""Projections of points onto the polytope of a structure, or onto a relaxation of it."""

from functools import partial, wraps
from typing import Any, Callable, FrozenSet, Optional, Tuple

from torch import BoolTensor, Tensor

from spigot_allennlp.nn.active_set.active_set import ActiveSet, project_onto_hull
from spigot_allennlp.nn.invalid_scores import compute_valid, invalid_instances, is_step
from spigot_allennlp.nn.tensor_checks import PARTS, check_pair
from spigot_allennlp.registrable import ConfigurationError, Registrable
from spigot_allennlp.structures.structure import Structure


class Projection(Registrable):
    """
    Projects a point near the polytope of a structure onto it, or onto a relaxation of it. The
    default implementation is "local".

    `requires` names the optional operations of `Structure` that the projection calls.

    A step of plus infinity excludes a part. If any other step or origin of a legal part is not
    finite, the result of that instance is NaN on legal parts. Subclasses never see such an
    instance.
    """

    requires: FrozenSet[str] = frozenset()
    default_implementation = "local"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "projected_step" in vars(cls):
            cls.projected_step = _guard(cls.projected_step)  # type: ignore[method-assign]

    def check(self, structure: Structure) -> None:
        """Raises a `ConfigurationError` if this projection does not fit objects of `structure`."""

    def projected_step(
        self, structure: Structure, origin: Tensor, step: Tensor, mask: BoolTensor
    ) -> Tensor:
        """
        Returns the projected step `origin - P(origin - step)`, where P is the projection. It has
        the shape of `origin` and is zero outside `mask`; never differentiable.
        """
        raise NotImplementedError


def check_binary(name: str, structure: Structure) -> None:
    """
    Checks that objects of `structure` are zeros and ones, which `name` needs.

    # Raises

    `ConfigurationError` if they may be other numbers.
    """
    if not structure.binary:
        raise ConfigurationError(
            f"{name} needs objects of zeros and ones, but those of {type(structure).__name__} (so "
            "configured) may be others. Choose another, or pass binary=True if they are not."
        )


def nearest_in_hull(
    structure: Structure,
    point: Tensor,
    mask: BoolTensor,
    max_iterations: int = 1000,
    tolerance: float = 1e-9,
) -> Tuple[Tensor, Optional[ActiveSet]]:
    """
    Returns the nearest point of the convex hull of all objects, in the shape of `point`, and the
    few objects whose weighted mean it is. These are `None` if the structure has the projection in
    closed form, and with it `hull_jvp`. For the parameters see `project_onto_hull`.
    """
    if structure.provides("hull_jvp"):
        return structure.project(point, mask), None
    active_set = project_onto_hull(structure.argmax, point, mask, max_iterations, tolerance)
    return active_set.point, active_set


def _guard(projected_step: Callable[..., Tensor]) -> Callable[..., Tensor]:
    @wraps(projected_step)
    def guarded(
        self: Projection, structure: Structure, origin: Tensor, step: Tensor, mask: BoolTensor
    ) -> Tensor:
        invalid = invalid_instances(mask, is_step, origin, step)
        return compute_valid(partial(projected_step, self, structure), invalid, mask, origin, step)

    return guarded


@Projection.register("local")
class LocalProjection(Projection):
    """
    Projects onto the structure's own relaxation, cheaply and in closed form: one head per token for
    trees, one label per arc for graphs. This is the projection of Peng et al. (2018).

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
    Projects nothing: SPIGOT with this projection is the straight-through estimator, times the step
    size.

    Registered as a `Projection` with name "identity".
    """

    def projected_step(
        self, structure: Structure, origin: Tensor, step: Tensor, mask: BoolTensor
    ) -> Tensor:
        check_pair(("origin", "step"), PARTS, origin, step, mask)
        return step.masked_fill(~mask, 0)
