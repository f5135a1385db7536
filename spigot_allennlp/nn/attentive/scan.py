"""
An attentive recurrence over a whole sequence, without a graph: each step scores all memories.

Tensors of steps have the steps in front: `(steps, batch_size, ...)`.
"""

from typing import List, NamedTuple, Optional, Tuple

import torch
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.nn.attentive.cell import AttentiveCell, Layout, State
from spigot_allennlp.nn.attentive.memory_store import Memories, MemoryStore


class Scan(NamedTuple):
    """
    # Parameters

    outputs : `Tensor`
        Shape `(steps, batch_size, 2 * hidden_size)`: of each step its state and the summary that
        is part of it; `(steps, batch_size, hidden_size)`, the state, if nothing is ever read.
    starts : `List[State]`
        The state before each window.
    last : `State`
        The state after the last step.
    memories : `Memories`
    chosen : `List[Optional[LongTensor]]`
        Of each step the memories that it selected, best first, `(batch_size, selected)`, and -1
        where an instance had fewer; `None` where all or none were read.
    """

    outputs: Tensor
    starts: List[State]
    last: State
    memories: Memories
    chosen: List[Optional[LongTensor]]


def scan(
    cell: AttentiveCell,
    layout: Layout,
    inputs: Tensor,
    mask: Optional[BoolTensor],
    start: State,
    first: Memories,
) -> Scan:
    """
    # Parameters

    cell : `AttentiveCell`
    layout : `Layout`
    inputs : `Tensor`
        Shape `(steps, batch_size, input_size)`.
    mask : `BoolTensor`, optional
        Shape `(steps, batch_size)`. Where it is false, nothing happens to an instance.
    start : `State`
    first : `Memories`
        Those that are there from the start.
    """
    steps, batch_size, _ = inputs.shape
    hidden_size = start.hidden.size(-1)
    store = MemoryStore(first, first.size + layout.stored(steps))
    outputs = inputs.new_zeros(steps, batch_size, hidden_size * (1 if layout.top_k == 0 else 2))
    state, starts, chosen = start, [], []
    is_full = every_row_is_full(mask, steps)
    for begin, end in layout.windows(steps):
        starts.append(state)
        projected = cell.project(inputs[begin:end]).unbind(0)
        for step, gates in zip(range(begin, end), projected, strict=True):
            row_mask = None if mask is None or is_full[step] else mask[step]
            moved = cell.step(gates, state)
            summary, index = _read(cell, layout, moved.hidden, store)
            hidden = moved.hidden if summary is None else moved.hidden + summary
            state = hold(State(hidden, moved.cell), state, row_mask)
            outputs[step, :, :hidden_size] = state.hidden
            if summary is not None:
                outputs[step, :, hidden_size:] = summary
            chosen.append(index)
            if layout.writes(step):
                value = moved.hidden if layout.stores_provisional else state.hidden
                store.write(cell.key(value), value, row_mask)
    return Scan(outputs, starts, state, store.read(), chosen)


def every_row_is_full(mask: Optional[BoolTensor], steps: int) -> List[bool]:
    """Of each step, whether nothing is masked."""
    return [True] * steps if mask is None else mask.all(dim=1).tolist()


def hold(new: State, old: State, mask: Optional[BoolTensor]) -> State:
    """The new state, and the old one where `mask`, `(batch_size,)`, is false."""
    if mask is None:
        return new
    rows = mask.unsqueeze(-1)
    return State(*(torch.where(rows, one, other) for one, other in zip(new, old, strict=True)))


def _read(
    cell: AttentiveCell, layout: Layout, hidden: Tensor, store: MemoryStore
) -> Tuple[Optional[Tensor], Optional[LongTensor]]:
    """The summary, and what was selected."""
    if store.size == 0 or layout.top_k == 0:
        return None, None
    memories = store.read()
    scores = cell.score(hidden, memories.keys)
    if memories.present is not None:
        scores = scores.masked_fill(~memories.present, -torch.inf)
    if layout.top_k is None:
        weights = cell.weigh(scores, memories.present)
        return (weights.unsqueeze(1) @ memories.values).squeeze(1), None
    best, index = scores.topk(min(layout.top_k + 1, store.size), dim=-1)
    present = None if memories.present is None else best > -torch.inf
    weights = cell.weigh(best, present)
    summary = store.weighted_sum(weights, index[:, : layout.top_k])
    return summary, index if present is None else index.masked_fill(~present, -1)
