"""
Projections onto the simplex, and projected steps on it and on the capped simplex, on the CPU,
compiled. Arguments as in `simplex.py`.

Instead of sorting, the kernel approaches tau from below. The entries above a guess, taken as the
support, give a new lower bound for tau. As the guess rises, entries drop out; when none does, the
guess is tau ([Michelot, 1986](https://doi.org/10.1007/BF00938486)). The first guess is the largest
tau from any single entry, so few rounds are needed. The arithmetic is in double precision.
"""

import numpy
import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.devices import call_in_threads, parts_for_threads
from spigot_allennlp.nn.simplex.torch_fallback import ROUNDING

# The number of entries from which on a second thread gains more than it costs.
MANY_ENTRIES = 200_000


def projected_step(origin: Tensor, step: Tensor, mask: BoolTensor, is_capped: bool) -> Tensor:
    """Returns the projected step onto the simplex; if `is_capped`, onto the capped simplex."""
    moved, size = torch.empty_like(origin, memory_format=torch.contiguous_format), origin.size(-1)
    if moved.numel() == 0:
        return moved
    tensors = origin.contiguous(), step.contiguous(), mask.contiguous(), moved
    arrays = [tensor.numpy().reshape(-1, size) for tensor in tensors]
    slack = ROUNDING * torch.finfo(origin.dtype).eps

    def step_part(part: range) -> None:
        step_rows(part.start, part.stop, is_capped, slack, *arrays)

    parts = parts_for_threads(len(arrays[0]))
    call_in_threads(step_part, parts, moved.numel() > MANY_ENTRIES)
    return moved


def project(point: Tensor, mask: BoolTensor) -> Tensor:
    """Returns the projection onto the simplex."""
    projected, size = point.new_empty(point.shape), point.size(-1)
    arrays = [tensor.reshape(-1, size).numpy() for tensor in (point, mask, projected)]

    def project_part(part: range) -> None:
        project_rows(part.start, part.stop, *arrays)

    parts = parts_for_threads(len(arrays[0]))
    call_in_threads(project_part, parts, point.numel() > MANY_ENTRIES)
    return projected


@entry
def project_rows(start, end, point, mask, projected):
    """
    Writes the projections of the rows from `start` to `end`, the latter excluded, into `projected`.
    All arrays have the shape `(rows, size)`. The largest entry of a row gives the first guess:
    alone, it would end at one.
    """
    size = point.shape[1]
    # the entries above the last guess, minus the largest of the row
    kept = numpy.empty(size)
    for row in range(start, end):
        greatest = -numpy.inf
        for column in range(size):
            if mask[row, column] and point[row, column] > greatest:
                greatest = point[row, column]
        if greatest == -numpy.inf:
            projected[row] = 0
            continue
        tau, count, total = -1.0, 0, 0.0
        for column in range(size):
            value = point[row, column] - greatest
            kept[count] = value
            is_above = mask[row, column] and value > tau
            count += is_above
            total += value if is_above else 0.0
        num_before = 0
        while count != num_before:
            num_before, tau = count, (total - 1) / count
            count, total = 0, 0.0
            for index in range(num_before):
                value = kept[index]
                kept[count] = value
                is_above = value > tau
                count += is_above
                total += value if is_above else 0.0
        for column in range(size):
            above = point[row, column] - greatest - tau
            projected[row, column] = above if mask[row, column] and above > 0 else 0.0


@entry
def step_rows(start, end, is_capped, slack, origin, step, mask, moved):
    """
    Writes the projected steps of the rows from `start` to `end`, the latter excluded, into `moved`.
    All arrays have the shape `(rows, size)`. If the sum of an origin is one up to `slack`, it
    counts as one.
    """
    size = origin.shape[1]
    # the last two are scratch space for `threshold`
    origins, steps, kept_origins, kept_steps = numpy.empty((4, size))
    for row in range(start, end):
        total, least, clipped = 0.0, numpy.inf, 0.0
        for column in range(size):
            # an illegal entry never moves: it is at zero, and its step points down
            is_legal = mask[row, column]
            origins[column] = origin[row, column] if is_legal else 0.0
            steps[column] = step[row, column] if is_legal else numpy.inf
            total += origins[column]
            least = min(least, steps[column])
            clipped += lesser(origins[column], steps[column])
        excess = 0.0 if abs(total - 1) <= slack else total - 1
        tau = 0.0
        if least < numpy.inf and (not is_capped or clipped < excess):
            for column in range(size):
                steps[column] -= least
            tau = threshold(origins, steps, total, excess, kept_origins, kept_steps)
        for column in range(size):
            moved[row, column] = lesser(origins[column], steps[column] + tau)


@kernel
def threshold(origins, steps, total, excess, kept_origins, kept_steps):
    """
    Returns the tau of one row; its smallest step must be zero. The entries above the last guess are
    kept in `kept_origins` and `kept_steps`, arrays with the size of a row.
    """
    tau, num_kept, num_before = -numpy.inf, 0, 0
    # no entry ends above this; it is one, up to the slack
    most = total - excess
    for column in range(len(steps)):
        tau = max(tau, origins[column] - most - steps[column])
    for column in range(len(steps)):
        kept_origins[num_kept], kept_steps[num_kept] = origins[column], steps[column]
        is_above = steps[column] + tau < origins[column]
        num_kept += is_above
        excess -= 0.0 if is_above else origins[column]
    while num_kept != num_before:
        num_before, numerator = num_kept, excess
        for column in range(num_before):
            numerator -= kept_steps[column]
        tau, num_kept = numerator / num_before, 0
        for column in range(num_before):
            origin, step = kept_origins[column], kept_steps[column]
            kept_origins[num_kept], kept_steps[num_kept] = origin, step
            if step + tau < origin:
                num_kept += 1
            else:
                excess -= origin
    return tau


@kernel
def lesser(x, y):
    """Returns the smaller of two numbers; `y` if either is NaN."""
    return x if x < y else y
