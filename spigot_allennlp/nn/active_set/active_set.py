"""
Euclidean projection onto a polytope that is known only by its argmax: SparseMAP
([Niculae et al., 2018](https://arxiv.org/abs/1802.04223)).

The nearest point of the convex hull of a family of objects is a mean of few of them. The active set
method keeps such a set of vertices with their weights: it asks the argmax for the vertex that lies
furthest from the mean in the direction of the point, lets it enter, moves the weights to the best
mean of the set, and on the way there lets those vertices leave whose weights vanish
([Wolfe, 1976](https://doi.org/10.1007/BF01580381); Niculae et al., algorithm 1). The distance
shrinks at every step and no set is met twice, hence it ends at the projection.

All of it is in double precision, whatever the type of the point, and says how good it is: `gap` is
the most by which half the squared distance can still shrink, and the true projection is no further
away than its square root. The vertices enter one at a time, an argmax each: all instances that are
not done yet share a call. The small algebra is done on the processor, wherever the tensors are.
"""

from dataclasses import dataclass
from typing import Callable

import torch
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.nn.masking import flatten_parts
from spigot_allennlp.nn.tensor_checks import PARTS, check_pair, check_scores

# Scores and legal parts, `(batch_size, *parts)`, to the best objects, as zeros and ones.
Argmax = Callable[[Tensor, BoolTensor], Tensor]


@dataclass(frozen=True)
class ActiveSet:
    """
    The nearest points of a batch as means of a few vertices, and how near they are.

    # Parameters

    start : `Tensor`
        The vertices from which the search set out, shape `(batch_size, *parts)`.
    moved : `Tensor`
        The way from there to the nearest point, of the same shape, in double precision. However
        small it is, it comes from no subtraction of larger numbers.
    parts : `LongTensor`
        Shape `(batch_size, most_vertices, most_parts)`: which parts make up each vertex, numbered
        in the order of the flattened instance; padded with the number of all parts.
    weights : `Tensor`
        Shape `(batch_size, most_vertices)`: the weight of each vertex, positive, in double
        precision; zero where an instance has fewer vertices.
    gap : `Tensor`
        Shape `(batch_size,)`: `max <target - point, z - point>` over the vertices z.
    iterations : `LongTensor`
        Shape `(batch_size,)`: how many steps it took.
    """

    start: Tensor
    moved: Tensor
    parts: LongTensor
    weights: Tensor
    gap: Tensor
    iterations: LongTensor

    @property
    def point(self) -> Tensor:
        """The nearest point of the hull, of the shape and type of `start`."""
        return (self.start.double() + self.moved).clamp(0, 1).to(self.start.dtype)

    @property
    def vertices(self) -> Tensor:
        """
        Shape `(batch_size, most_vertices, *parts)`, of the type of `start`; zero where an instance
        has fewer vertices.
        """
        num_parts = flatten_parts(self.start).size(1)
        ones = self.start.new_zeros(*self.weights.shape, num_parts + 1).scatter_(2, self.parts, 1)
        return ones[..., :num_parts].reshape(*self.weights.shape, *self.start.shape[1:])

    def derivative(self, direction: Tensor) -> Tensor:
        """
        How the nearest point moves as the target moves along `direction`, both of shape
        `(batch_size, *parts)`: along the face that the active vertices span, the part of
        `direction` that lies in it (Niculae et al., 2018, proposition 2). As the matrix is
        symmetric, this is the backward pass, too.
        """
        check_pair(("start", "direction"), PARTS, self.start, direction)
        used = (self.weights > 0).to(self.weights.dtype)
        # (batch_size, most_vertices, num_parts)
        vertices = self.vertices.to(used.dtype).flatten(2)
        flat = flatten_parts(direction).to(used.dtype).unsqueeze(2)
        gram = vertices @ vertices.mT + used.unsqueeze(2) * used.unsqueeze(1)
        gram = gram + torch.diag_embed(1 - used)
        # (batch_size, most_vertices, 2)
        sides = torch.cat([vertices @ flat, used.unsqueeze(2)], dim=2)
        slopes, ones = torch.linalg.solve(gram, sides).unbind(dim=2)
        constant = slopes.sum(dim=1, keepdim=True) / ones.sum(dim=1, keepdim=True)
        shift = (slopes - constant * ones).unsqueeze(1)
        return (shift @ vertices).reshape(direction.shape).to(direction.dtype)


def project_onto_hull(
    argmax: Argmax,
    point: Tensor,
    mask: BoolTensor,
    max_iterations: int = 1000,
    tolerance: float = 1e-9,
) -> ActiveSet:
    """
    `argmin ||z - point||` over the convex hull of the objects among which `argmax` chooses.

    # Parameters

    argmax : `Argmax`
        Its objects are zero off the mask; where there is none, it answers with zeros, which are
        then the projection.
    point : `Tensor`
        Shape `(batch_size, *parts)`, less than infinity on the legal parts. Where it is minus
        infinity, no vertex has the part.
    mask : `BoolTensor`
        The legal parts, of the same shape.
    max_iterations : `int`, optional (default = `1000`)
        An instance that is not done after as many steps is left where it is: at a point of the
        hull, with the gap that it has reached.
    tolerance : `float`, optional (default = `1e-9`)
        The gap at which an instance is done. For a point that is nearer than one to the vertex that
        is nearest to it, it is multiplied by the square of that distance, so that a small problem
        is solved as well as a large one. No gap is asked for that rounding alone would exceed.
    """
    check_scores(PARTS, point, mask, "point")
    excluded = mask & (point == -torch.inf)
    target = point.detach().double().masked_fill(~mask | excluded, 0)
    start = _nearest_vertex(argmax, target, mask, excluded)
    return _search(
        argmax, start, target - start, mask, excluded, max_iterations, tolerance, point.dtype
    )


def hull_step(
    argmax: Argmax,
    origin: Tensor,
    step: Tensor,
    mask: BoolTensor,
    max_iterations: int = 1000,
    tolerance: float = 1e-9,
) -> Tensor:
    """
    The projected step `origin - P(origin - step)` onto the convex hull, of the shape of `origin`.

    From a vertex no step is too small: as the search sets out from the vertex nearest to `origin`,
    the way from there is all that is computed. From any other origin a step is as good as double
    precision, and as the origin, which in single precision lies 1e-8 beside the hull. A step of
    plus infinity leads away from a part, for good. Parameters as in `project_onto_hull`.
    """
    check_pair(("origin", "step"), PARTS, origin, step, mask)
    excluded = mask & (step == torch.inf)
    start_from, way = (each.detach().double().masked_fill(~mask, 0) for each in (origin, step))
    start = _nearest_vertex(argmax, start_from, mask, excluded)
    # zero where the origin is that vertex
    behind = start_from - start
    aim = (behind - way).masked_fill(excluded, 0)
    dtype = torch.promote_types(origin.dtype, step.dtype)
    found = _search(argmax, start, aim, mask, excluded, max_iterations, tolerance, dtype)
    return (behind - found.moved).to(dtype)


def _nearest_vertex(
    argmax: Argmax, point: Tensor, mask: BoolTensor, excluded: BoolTensor
) -> Tensor:
    # ||z - point||^2 is <1 - 2 point, z>, and what does not depend on the vertex z
    return argmax((2 * point - 1).masked_fill(excluded, -torch.inf), mask).double()


def _search(
    argmax: Argmax,
    start: Tensor,
    aim: Tensor,
    mask: BoolTensor,
    excluded: BoolTensor,
    max_iterations: int,
    tolerance: float,
    dtype: torch.dtype,
) -> ActiveSet:
    """The projection of `start + aim`, `start` being vertices without the `excluded` parts."""
    from spigot_allennlp.nn.active_set import search  # numba takes its time to be imported

    corrals = search.search(argmax, start, aim, mask, excluded, max_iterations, tolerance)
    parts, weights = search.vertices_of(corrals)
    return ActiveSet(
        start=start.to(dtype),
        moved=torch.from_numpy(corrals.moved).view(start.shape).to(start.device),
        parts=torch.from_numpy(parts).to(start.device),
        weights=torch.from_numpy(weights).to(start.device),
        gap=torch.from_numpy(corrals.gap).to(start.device),
        iterations=torch.from_numpy(corrals.steps).to(start.device),
    )
