"""
The steps of an attentive recurrence, in torch.

`recurrence_steps` is the recurrence itself, for any cell. It runs twice: in `forward_pass`, over
the whole sequence without a graph, where each step scores all memories and selects some; and in
`backward.py`, in a graph, over the windows that a gradient reaches.
"""

from typing import Iterator, List, NamedTuple, Optional, Protocol, Sequence

import torch
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.nn.attentive.cell import AttentiveCell, AttentiveOptions, State
from spigot_allennlp.nn.attentive.memory import Memories, MemoryBuffer


class ForwardPass(NamedTuple):
    """
    The result of `forward_pass`, including what the backward pass needs to recompute windows.

    # Parameters

    outputs : `Tensor`
        Shape `(steps, batch_size, output_size)`; see `AttentiveResult`.
    starts : `List[State]`
        The state before each window.
    last_cell_state : `Tensor`
        Shape `(batch_size, hidden_size)`.
    memories : `Memories`
        All memories, the initial ones first.
    selected : `List[LongTensor]`
        For each step, the memories that it selected, `(batch_size, selected)`, in descending order
        of their scores; -1 if an instance had fewer. Empty if steps read all memories.
    """

    outputs: Tensor
    starts: List[State]
    last_cell_state: Tensor
    memories: Memories
    selected: List[LongTensor]


def forward_pass(
    cell: AttentiveCell,
    options: AttentiveOptions,
    inputs: Tensor,
    mask: Optional[BoolTensor],
    start: State,
    initial: Memories,
) -> ForwardPass:
    """
    Runs the recurrence over a sequence, without a graph. See `attentive_recurrence` for the
    parameters.
    """
    steps, batch_size, _ = inputs.shape
    hidden_size = start.hidden.size(-1)
    buffer = MemoryBuffer(initial, initial.size + options.num_stored(steps), options.top_k)
    outputs = inputs.new_zeros(steps, batch_size, options.output_size(hidden_size))
    masks, state, starts = masks_of_steps(mask, steps), start, []
    for window in options.windows(steps):
        starts.append(state)
        within = slice(window.start, window.stop)
        results = recurrence_steps(
            cell, options, window, inputs[within], masks[within], state, buffer
        )
        for step, (state, summary) in zip(window, results, strict=True):
            outputs[step, :, :hidden_size] = state.hidden
            if summary is not None:
                outputs[step, :, hidden_size:] = summary
    return ForwardPass(outputs, starts, state.cell_state, buffer.memories(), buffer.selected)


def masks_of_steps(mask: Optional[BoolTensor], steps: int) -> List[Optional[BoolTensor]]:
    """Returns the mask of each step, `(batch_size,)`; `None` for a step with no masked instance."""
    if mask is None:
        return [None] * steps
    return [None if full else row for row, full in zip(mask, mask.all(dim=1).tolist(), strict=True)]


class ReadableMemory(Protocol):
    """Memories for a step to read and store: see `MemoryBuffer` and `WindowMemories`."""

    def read(self, cell: AttentiveCell, hidden: Tensor) -> Optional[Tensor]:
        """Returns a summary, `(batch_size, hidden_size)`; `None` if there is nothing to read."""

    def store(self, key: Tensor, value: Tensor, present: Optional[BoolTensor]) -> None:
        """Stores a memory for each instance that is present."""


class StepResult(NamedTuple):
    """
    The result of a single step.

    # Parameters

    state : `State`
        The state after a step.
    summary : `Tensor`, optional
        Shape `(batch_size, hidden_size)`: what the step has read; `None` for nothing.
    """

    state: State
    summary: Optional[Tensor]


def recurrence_steps(
    cell: AttentiveCell,
    options: AttentiveOptions,
    window: range,
    inputs: Tensor,
    masks: Sequence[Optional[BoolTensor]],
    state: State,
    memory: ReadableMemory,
) -> Iterator[StepResult]:
    """
    Yields the results of the steps, one by one.

    # Parameters

    cell : `AttentiveCell`
    options : `AttentiveOptions`
    window : `range`
        The steps, counted from the start of the sequence.
    inputs : `Tensor`
        The inputs of these steps, `(len(window), batch_size, input_size)`.
    masks : `Sequence[Optional[BoolTensor]]`
        The masks of these steps, `(batch_size,)` each; `None` where no instance is masked.
    state : `State`
        The state before the window.
    memory : `ReadableMemory`
    """
    projected_inputs = cell.project(inputs).unbind(0)
    for step, projected, mask in zip(window, projected_inputs, masks, strict=True):
        provisional = cell.step(projected, state)
        summary = memory.read(cell, provisional.hidden)
        hidden = provisional.hidden if summary is None else provisional.hidden + summary
        state = _where(mask, State(hidden, provisional.cell_state), state)
        if options.stores_after(step):
            value = provisional.hidden if options.stores_provisional else state.hidden
            memory.store(cell.key(value), value, mask)
        yield StepResult(state, summary)


def _where(mask: Optional[BoolTensor], new: State, old: State) -> State:
    """Returns the new state, but the old one where `mask`, `(batch_size,)`, is false."""
    if mask is None:
        return new
    rows = mask.unsqueeze(-1)
    return State(
        torch.where(rows, new.hidden, old.hidden),
        torch.where(rows, new.cell_state, old.cell_state),
    )
