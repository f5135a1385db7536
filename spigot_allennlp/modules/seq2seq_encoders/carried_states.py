"""
What an attentive encoder carries from one batch to the next, in stateful use.

It is kept as AllenNLP keeps the states of encoders, so that `reset_states` works: a tuple of
tensors whose second dimension is the batch: `hidden` and `cell`, `(1, batch_size, hidden_size)`;
`values`, the memories, `(memories, batch_size, hidden_size)`; and `present`, which of them exist,
`(memories, batch_size, 1)`.
"""

from typing import NamedTuple, Optional, Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.attentive.cell import State
from spigot_allennlp.nn.attentive.windows import Run

States = Tuple[Tensor, ...]


class Carried(NamedTuple):
    """
    State and memories, `(batch_size, memories, hidden_size)`, with which a batch begins; `present`
    as in `Memories`. The first memory is zero, the state before anything was read: a step to which
    nothing in the past is of use can read that.
    """

    state: State
    values: Tensor
    present: Optional[BoolTensor]


def for_batch(states: Optional[States], inputs: Tensor, hidden_size: int) -> Carried:
    """
    With what the instances of `inputs`, `(length, batch_size, input_size)`, go on: the first so
    many of those that are carried. What there is none for begins at zero, without other memories
    than the first.
    """
    batch_size = inputs.size(1)
    zeros = inputs.new_zeros(batch_size, hidden_size)
    if states is None:
        return Carried(State(zeros, zeros), zeros.unsqueeze(1), None)
    hidden, cell, values, present = (_resized(each, batch_size) for each in states)
    rows = torch.nn.functional.pad(present.squeeze(-1).t(), (1, 0), value=True)
    return Carried(
        State(hidden.squeeze(0), cell.squeeze(0)),
        torch.cat([zeros.unsqueeze(1), values.transpose(0, 1)], dim=1),
        None if bool(rows.all()) else rows,
    )


def after(run: Run, before: Optional[States], most: int) -> States:
    """
    What is carried on from a run, with its latest memories, at most so many, and without the first.
    What was carried `before` for more instances than it had stays as it is for the others.
    """
    latest = slice(max(1, run.values.size(1) - most), None)
    values = run.values[:, latest].transpose(0, 1)
    present = run.present
    if present is None:
        present = torch.ones_like(run.values[..., 0], dtype=torch.bool)
    present = present[:, latest].t().unsqueeze(-1)
    now = (run.last.hidden.unsqueeze(0), run.last.cell.unsqueeze(0), values, present)
    if before is None or before[0].size(1) <= now[0].size(1):
        return tuple(each.detach() for each in now)
    batch_size = now[0].size(1)
    return tuple(
        torch.cat([new, _as_many(old[:, batch_size:], len(new))], dim=1).detach()
        for new, old in zip(now, before, strict=True)
    )


def _resized(states: Tensor, batch_size: int) -> Tensor:
    """For so many instances: the first ones, or with zeros for more."""
    missing = max(0, batch_size - states.size(1))
    return torch.nn.functional.pad(states[:, :batch_size], (0, 0, 0, missing))


def _as_many(states: Tensor, number: int) -> Tensor:
    """The latest so many memories; with zeros in front, where there are not as many."""
    missing = max(0, number - len(states))
    latest = states[max(0, len(states) - number) :]
    return torch.nn.functional.pad(latest, (0, 0, 0, 0, missing, 0))
