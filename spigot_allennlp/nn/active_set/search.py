"""The active set method for a batch: argmax and kernels in turn. See `active_set.py`."""

from typing import Callable, Tuple

import numpy
import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.active_set import kernels
from spigot_allennlp.nn.active_set.corral import Corrals
from spigot_allennlp.nn.masking import flatten_parts
from spigot_allennlp.nn.threads import share

# Vertices for which there is room in the beginning.
ROOM = 16

# A gap of as many units of rounding, times the distance of the point, is no gap.
ROUNDING = 64 * numpy.finfo(numpy.double).eps

# Instances from which on a second thread gains more than it costs.
MANY_INSTANCES = 32


def search(
    argmax: Callable[[Tensor, BoolTensor], Tensor],
    start: Tensor,
    aim: Tensor,
    mask: BoolTensor,
    excluded: BoolTensor,
    max_iterations: int,
    tolerance: float,
) -> Corrals:
    """
    The corrals whose means are the projections of `start + aim`, `start` being vertices: both of
    shape `(batch_size, *parts)`, in double precision, and zero on `excluded` parts, which no vertex
    has.
    """
    some_are_excluded = bool(excluded.any())
    corrals = _corrals_of_one(_array(start), _array(aim))
    distance = numpy.linalg.norm(corrals.aim, axis=1)
    limit = numpy.minimum(distance, 1) ** 2 * tolerance
    numpy.maximum(limit, ROUNDING * distance, out=corrals.limit)
    members = numpy.arange(len(start))
    while len(members):
        chosen = torch.from_numpy(members).to(mask.device)
        scores = torch.from_numpy(corrals.residual[members]).to(mask.device)
        scores = scores.view(len(members), *start.shape[1:])
        if some_are_excluded:
            scores = scores.masked_fill(excluded[chosen], -torch.inf)
        vertices = argmax(scores, mask[chosen])
        found = _array(vertices.double())
        corrals = _with_room(corrals, kernels.most_parts(found))
        _advance(members, found, max_iterations, corrals)
        members = members[~corrals.done[members]]
    return corrals


def vertices_of(corrals: Corrals) -> Tuple[numpy.ndarray, numpy.ndarray]:
    """The vertices in use and their weights, padded as `ActiveSet` promises."""
    most, num_parts = corrals.used.max(initial=0), corrals.start.shape[1]
    # (batch_size, most)
    there = numpy.arange(most) < corrals.used[:, None]
    sizes = numpy.where(there, corrals.sizes[:, :most], 0)
    # (batch_size, most, most_parts)
    filled = numpy.arange(corrals.parts.shape[2]) < sizes[..., None]
    parts = numpy.where(filled, corrals.parts[:, :most], num_parts)
    return parts.astype(numpy.int64), numpy.where(there, corrals.weights[:, :most], 0)


def _advance(
    members: numpy.ndarray, found: numpy.ndarray, max_iterations: int, corrals: Corrals
) -> None:
    """One step of each of `members`, to which the row of `found` is the best vertex."""
    of_each = -(-len(members) // torch.get_num_threads())

    def work(first: int) -> None:
        group = slice(first, first + of_each)
        kernels.advance(members[group], found[group], max_iterations, corrals)

    share(work, range(0, len(members), of_each), len(members) > MANY_INSTANCES)


def _array(tensor: Tensor) -> numpy.ndarray:
    """Shape `(batch_size, num_parts)`; perhaps of the same memory."""
    return flatten_parts(tensor).contiguous().cpu().numpy()


def _corrals_of_one(start: numpy.ndarray, aim: numpy.ndarray) -> Corrals:
    """The corrals in the beginning: of one vertex each."""
    batch_size = len(start)
    sizes = numpy.count_nonzero(start, axis=1)
    corrals = Corrals(
        aim=aim,
        start=start,
        moved=numpy.zeros_like(aim),
        residual=aim.copy(),
        parts=numpy.zeros((batch_size, ROOM, sizes.max(initial=0)), dtype=numpy.int32),
        sizes=numpy.zeros((batch_size, ROOM), dtype=numpy.int64),
        weights=numpy.zeros((batch_size, ROOM)),
        factor=numpy.zeros((batch_size, ROOM, ROOM)),
        limit=numpy.zeros(batch_size),
        gap=numpy.zeros(batch_size),
        used=numpy.ones(batch_size, dtype=numpy.int64),
        steps=numpy.zeros(batch_size, dtype=numpy.int64),
        home=numpy.ones(batch_size, dtype=bool),
        stalled=numpy.zeros(batch_size, dtype=bool),
        done=numpy.zeros(batch_size, dtype=bool),
    )
    for member, vertex in enumerate(start):
        corrals.parts[member, 0, : sizes[member]] = vertex.nonzero()[0]
    corrals.sizes[:, 0], corrals.weights[:, 0] = sizes, 1
    corrals.factor[:, 0, 0] = numpy.sqrt(1 + sizes)
    return corrals


def _with_room(corrals: Corrals, most: int) -> Corrals:
    """The same, with room for one more vertex in each, of as many as `most` parts."""
    room, most_now = corrals.parts.shape[1:]
    more_parts = max(most - most_now, 0)
    more = room if corrals.used.max() == room else 0
    if not more and not more_parts:
        return corrals
    return corrals._replace(
        parts=numpy.pad(corrals.parts, ((0, 0), (0, more), (0, more_parts))),
        sizes=numpy.pad(corrals.sizes, ((0, 0), (0, more))),
        weights=numpy.pad(corrals.weights, ((0, 0), (0, more))),
        factor=numpy.pad(corrals.factor, ((0, 0), (0, more), (0, more))),
    )
