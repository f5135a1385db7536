"""
The active set method for a batch of tensors on any device: calls the argmax and the kernels, which
run on the CPU, in turn. See `active_set.py`.
"""

from typing import Callable, NamedTuple

import numpy
import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.active_set import kernels
from spigot_allennlp.nn.active_set.kernels import SearchState
from spigot_allennlp.nn.devices import call_in_threads, parts_for_threads
from spigot_allennlp.nn.instances import flatten_parts

# The number of vertices that there is space for at first. Doubled as often as needed.
INITIAL_CAPACITY = 16

# A gap of this many rounding units, times the distance of the target, counts as zero.
ROUNDING = 64 * numpy.finfo(numpy.double).eps

# From this number of instances on, a second thread gains more than it costs.
MANY_INSTANCES = 32


class ActiveVertices(NamedTuple):
    """
    The vertices in use, and their weights.

    # Parameters

    parts : `numpy.ndarray`
        Shape `(batch_size, max_vertices, max_parts)`, int64: the indices of each vertex's parts,
        padded with the number of all parts.
    weights : `numpy.ndarray`
        Shape `(batch_size, max_vertices)`, padded with zeros.
    """

    parts: numpy.ndarray
    weights: numpy.ndarray


def search(
    argmax: Callable[[Tensor, BoolTensor], Tensor],
    start: Tensor,
    target_displacement: Tensor,
    mask: BoolTensor,
    excluded: BoolTensor,
    max_iterations: int,
    tolerance: float,
) -> SearchState:
    """
    Finds the active sets that have the projections of `start + target_displacement` as their means.

    # Parameters

    argmax : `Callable[[Tensor, BoolTensor], Tensor]`
    start : `Tensor`
        A vertex of each instance, shape `(batch_size, *parts)`, in double precision.
    target_displacement : `Tensor`
        The target minus `start`, of the same shape and type.
    mask : `BoolTensor`
        The legal parts, of the same shape.
    excluded : `BoolTensor`
        Legal parts that no vertex may have, of the same shape. Both tensors are zero there.
    max_iterations, tolerance
        As in `active_set.project_onto_hull`.
    """
    any_excluded = bool(excluded.any())
    state = _initial_state(_flat_array(start), _flat_array(target_displacement))
    distance = numpy.linalg.norm(state.target_displacement, axis=1)
    gap_limit = numpy.minimum(distance, 1) ** 2 * tolerance
    numpy.maximum(gap_limit, ROUNDING * distance, out=state.gap_limit)
    instances, num_before = numpy.arange(len(start)), -1
    while len(instances):
        if len(instances) != num_before:
            index, num_before = torch.from_numpy(instances).to(mask.device), len(instances)
            legal, never = mask[index], excluded[index] if any_excluded else None
        is_whole_batch = len(instances) == len(start)
        residual = state.residual if is_whole_batch else state.residual[instances]
        scores = torch.from_numpy(residual).to(mask.device).view(legal.shape)
        if never is not None:
            scores = scores.masked_fill(never, -torch.inf)
        best_vertices = _flat_array(argmax(scores, legal).double())
        state = _with_capacity(state, kernels.max_part_count(best_vertices))
        _advance(instances, best_vertices, max_iterations, state)
        is_done = state.is_done[instances]
        if is_done.any():
            instances = instances[~is_done]
    return state


def active_vertices(state: SearchState) -> ActiveVertices:
    """Returns the vertices in use at the end of a search."""
    max_vertices, num_parts = state.num_vertices.max(initial=0), state.start.shape[1]
    # (batch_size, max_vertices)
    in_use = numpy.arange(max_vertices) < state.num_vertices[:, None]
    part_counts = numpy.where(in_use, state.part_counts[:, :max_vertices], 0)
    # (batch_size, max_vertices, max_parts)
    is_part = numpy.arange(state.parts.shape[2]) < part_counts[..., None]
    parts = numpy.where(is_part, state.parts[:, :max_vertices], num_parts)
    weights = numpy.where(in_use, state.weights[:, :max_vertices], 0)
    return ActiveVertices(parts.astype(numpy.int64), weights)


def _advance(
    instances: numpy.ndarray,
    best_vertices: numpy.ndarray,
    max_iterations: int,
    state: SearchState,
) -> None:
    """Runs one iteration, in several threads if there are many instances."""

    def advance_part(part: range) -> None:
        within = slice(part.start, part.stop)
        kernels.advance(instances[within], best_vertices[within], max_iterations, state)

    parts = parts_for_threads(len(instances))
    call_in_threads(advance_part, parts, len(instances) > MANY_INSTANCES)


def _flat_array(tensor: Tensor) -> numpy.ndarray:
    """Returns an array of shape `(batch_size, num_parts)`, perhaps with the same memory."""
    return flatten_parts(tensor).contiguous().cpu().numpy()


def _initial_state(start: numpy.ndarray, target_displacement: numpy.ndarray) -> SearchState:
    """Returns active sets with a single vertex: `start`."""
    batch_size = len(start)
    part_counts = numpy.count_nonzero(start, axis=1)
    max_parts = part_counts.max(initial=0)
    state = SearchState(
        start=start,
        target_displacement=target_displacement,
        displacement=numpy.zeros_like(target_displacement),
        residual=target_displacement.copy(),
        parts=numpy.zeros((batch_size, INITIAL_CAPACITY, max_parts), dtype=numpy.uint32),
        part_counts=numpy.zeros((batch_size, INITIAL_CAPACITY), dtype=numpy.int64),
        weights=numpy.zeros((batch_size, INITIAL_CAPACITY)),
        factor=numpy.zeros((batch_size, INITIAL_CAPACITY, INITIAL_CAPACITY)),
        ones=numpy.zeros((batch_size, INITIAL_CAPACITY)),
        gap_limit=numpy.zeros(batch_size),
        gap=numpy.zeros(batch_size),
        num_vertices=numpy.ones(batch_size, dtype=numpy.int64),
        iterations=numpy.zeros(batch_size, dtype=numpy.int64),
        contains_start=numpy.ones(batch_size, dtype=bool),
        is_stalled=numpy.zeros(batch_size, dtype=bool),
        is_done=numpy.zeros(batch_size, dtype=bool),
    )
    for instance, vertex in enumerate(start):
        state.parts[instance, 0, : part_counts[instance]] = vertex.nonzero()[0]
    state.part_counts[:, 0], state.weights[:, 0] = part_counts, 1
    state.factor[:, 0, 0] = numpy.sqrt(1 + part_counts)
    state.ones[:, 0] = 1 / state.factor[:, 0, 0]
    return state


def _with_capacity(state: SearchState, max_parts: int) -> SearchState:
    """Returns a state with space for one more vertex in each set, of up to `max_parts` parts."""
    capacity, parts_before = state.parts.shape[1:]
    more_parts = max(max_parts - parts_before, 0)
    more = capacity if state.num_vertices.max() == capacity else 0
    if not more and not more_parts:
        return state
    return state._replace(
        parts=numpy.pad(state.parts, ((0, 0), (0, more), (0, more_parts))),
        part_counts=numpy.pad(state.part_counts, ((0, 0), (0, more))),
        weights=numpy.pad(state.weights, ((0, 0), (0, more))),
        factor=numpy.pad(state.factor, ((0, 0), (0, more), (0, more))),
        ones=numpy.pad(state.ones, ((0, 0), (0, more))),
    )
