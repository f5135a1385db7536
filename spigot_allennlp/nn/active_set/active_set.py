"""
Euclidean projection onto a polytope that is only known through its argmax: SparseMAP ([Niculae et
al., 2018](https://arxiv.org/abs/1802.04223)).

The nearest point of the convex hull of a family of objects is a weighted mean of a few of them. The
active set method keeps a set of vertices with their weights. Each iteration asks the argmax for the
vertex that is furthest from the mean in the direction of the target, adds it, moves the weights to
the best mean of the set, and removes vertices with vanishing weights on the way ([Wolfe,
1976](https://doi.org/10.1007/BF01580381); Niculae et al., algorithm 1). The distance shrinks in
every iteration, so no set occurs twice, and the method ends at the projection.

All of this is in double precision, whatever the type of the point. The result includes its
accuracy: half the squared distance can shrink by at most `gap`, and the true projection is no
further away than its square root. Every iteration calls the argmax once, for all instances that are
not done. The algebra of the small sets runs on the CPU, wherever the tensors are.
"""

from dataclasses import dataclass
from typing import Callable

import torch
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.nn.instances import flatten_parts
from spigot_allennlp.nn.tensor_checks import PARTS, check_pair, check_scores

# Maps scores and legal parts, `(batch_size, *parts)`, to the best objects, as zeros and ones.
Argmax = Callable[[Tensor, BoolTensor], Tensor]


@dataclass(frozen=True)
class ActiveSet:
    """
    The nearest points of a batch, as means of a few vertices, and their accuracy.

    # Parameters

    start : `Tensor`
        The vertices where the search started, shape `(batch_size, *parts)`.
    displacement : `Tensor`
        The nearest points minus `start`, of the same shape, in double precision. Even if it is
        small, it is not computed as a difference of larger numbers.
    parts : `LongTensor`
        Shape `(batch_size, max_vertices, max_parts)`: the indices of each vertex's parts in the
        flattened instance, padded with the number of all parts.
    weights : `Tensor`
        Shape `(batch_size, max_vertices)`: the positive weight of each vertex, in double precision;
        zero where an instance has fewer vertices.
    gap : `Tensor`
        Shape `(batch_size,)`: `max <target - point, z - point>` over the vertices z.
    iterations : `LongTensor`
        Shape `(batch_size,)`: the number of iterations of the search.
    """

    start: Tensor
    displacement: Tensor
    parts: LongTensor
    weights: Tensor
    gap: Tensor
    iterations: LongTensor

    @property
    def point(self) -> Tensor:
        """Returns the nearest point of the hull, in the shape and type of `start`."""
        return (self.start.double() + self.displacement).clamp(0, 1).to(self.start.dtype)

    @property
    def vertices(self) -> Tensor:
        """
        Returns the vertices as zeros and ones, shape `(batch_size, max_vertices, *parts)`, in the
        type of `start`; zero where an instance has fewer vertices.
        """
        num_parts = flatten_parts(self.start).size(1)
        ones = self.start.new_zeros(*self.weights.shape, num_parts + 1).scatter_(2, self.parts, 1)
        return ones[..., :num_parts].reshape(*self.weights.shape, *self.start.shape[1:])

    def jvp(self, tangent: Tensor) -> Tensor:
        """
        Returns the derivative of the nearest point as the target moves along `tangent`, both of
        shape `(batch_size, *parts)`: the component of `tangent` in the face spanned by the active
        vertices (Niculae et al., 2018, proposition 2). The Jacobian is symmetric, so this is also
        the vector-Jacobian product of the backward pass.
        """
        check_pair(("start", "tangent"), PARTS, self.start, tangent)
        in_use = (self.weights > 0).to(self.weights.dtype)
        # (batch_size, max_vertices, num_parts)
        vertices = self.vertices.to(in_use.dtype).flatten(2)
        flat = flatten_parts(tangent).to(in_use.dtype).unsqueeze(2)
        gram = vertices @ vertices.mT + in_use.unsqueeze(2) * in_use.unsqueeze(1)
        gram = gram + torch.diag_embed(1 - in_use)
        # (batch_size, max_vertices, 2)
        right_sides = torch.cat([vertices @ flat, in_use.unsqueeze(2)], dim=2)
        slopes, ones = torch.linalg.solve(gram, right_sides).unbind(dim=2)
        constant = slopes.sum(dim=1, keepdim=True) / ones.sum(dim=1, keepdim=True)
        weight_change = (slopes - constant * ones).unsqueeze(1)
        return (weight_change @ vertices).reshape(tangent.shape).to(tangent.dtype)


def project_onto_hull(
    argmax: Argmax,
    point: Tensor,
    mask: BoolTensor,
    max_iterations: int = 1000,
    tolerance: float = 1e-9,
) -> ActiveSet:
    """
    Computes `argmin ||z - point||` over the convex hull of the objects from which `argmax` chooses.

    # Parameters

    argmax : `Argmax`
        Its objects are zero off the mask. If there are no objects, it returns zeros, which are then
        the projection.
    point : `Tensor`
        Shape `(batch_size, *parts)`, less than infinity on the legal parts. No vertex has a part
        where the point is minus infinity.
    mask : `BoolTensor`
        The legal parts, of the same shape.
    max_iterations : `int`, optional (default = `1000`)
        After this many iterations, an instance stays at its current point of the hull, with its
        current gap.
    tolerance : `float`, optional (default = `1e-9`)
        The gap at which an instance is done. If the distance of the point from its nearest vertex
        is less than one, the tolerance is multiplied by the square of that distance, so that small
        problems are solved as accurately as large ones. It is never smaller than the rounding
        error.
    """
    check_scores(PARTS, point, mask, "point")
    excluded = mask & (point == -torch.inf)
    target = point.detach().double().masked_fill(~mask | excluded, 0)
    start = _nearest_vertex(argmax, target, mask, excluded)
    displacement = target - start
    start = start.to(point.dtype)
    return _find_active_set(argmax, start, displacement, mask, excluded, max_iterations, tolerance)


def hull_step(
    argmax: Argmax,
    origin: Tensor,
    step: Tensor,
    mask: BoolTensor,
    max_iterations: int = 1000,
    tolerance: float = 1e-9,
) -> Tensor:
    """
    Computes the projected step `origin - P(origin - step)` onto the convex hull, in the shape of
    `origin`.

    From a vertex, no step is too small: the search starts at the vertex nearest to `origin`, and
    only computes the displacement from there. From any other origin, a step is as accurate as
    double precision, and as the origin, which in single precision is about 1e-8 off the hull. A
    step of plus infinity excludes a part. Parameters as in `project_onto_hull`.
    """
    check_pair(("origin", "step"), PARTS, origin, step, mask)
    excluded = mask & (step == torch.inf)
    origin_point, step_taken = (
        tensor.detach().double().masked_fill(~mask, 0) for tensor in (origin, step)
    )
    start = _nearest_vertex(argmax, origin_point, mask, excluded)
    # zero if the origin is that vertex
    origin_displacement = origin_point - start
    target_displacement = (origin_displacement - step_taken).masked_fill(excluded, 0)
    dtype = torch.promote_types(origin.dtype, step.dtype)
    active_set = _find_active_set(
        argmax, start, target_displacement, mask, excluded, max_iterations, tolerance
    )
    return (origin_displacement - active_set.displacement).to(dtype)


def _nearest_vertex(
    argmax: Argmax, point: Tensor, mask: BoolTensor, excluded: BoolTensor
) -> Tensor:
    """Returns the vertices nearest to `point`, without excluded parts, in double precision."""
    # ||z - point||^2 is <1 - 2 point, z> plus a constant that does not depend on the vertex z
    return argmax((2 * point - 1).masked_fill(excluded, -torch.inf), mask).double()


def _find_active_set(
    argmax: Argmax,
    start: Tensor,
    target_displacement: Tensor,
    mask: BoolTensor,
    excluded: BoolTensor,
    max_iterations: int,
    tolerance: float,
) -> ActiveSet:
    """Projects `start + target_displacement`, where `start` are vertices without excluded parts."""
    from spigot_allennlp.nn.active_set import cpu  # numba is slow to import

    state = cpu.search(
        argmax, start.double(), target_displacement, mask, excluded, max_iterations, tolerance
    )
    vertices = cpu.active_vertices(state)
    return ActiveSet(
        start=start,
        displacement=torch.from_numpy(state.displacement).view(start.shape).to(start.device),
        parts=torch.from_numpy(vertices.parts).to(start.device),
        weights=torch.from_numpy(vertices.weights).to(start.device),
        gap=torch.from_numpy(state.gap).to(start.device),
        iterations=torch.from_numpy(state.iterations).to(start.device),
    )
