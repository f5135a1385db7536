"""
The steps of an attentive recurrence, by torch.

`recurrence_steps` is the recurrence itself, for any cell. It runs twice: in `forward_pass`, without
a graph, over the whole sequence, where each step scores all memories and selects some; and in
`backward.py`, once more and in a graph, over those windows that a gradient reaches.
"""

from typing import Iterator, List, NamedTuple, Optional, Protocol, Sequence

import torch
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.nn.attentive.cell import AttentiveCell, AttentiveOptions, State
from spigot_allennlp.nn.attentive.memory import Memories


class ForwardPass(NamedTuple):
    """
    The result of `forward_pass`, with what the backward pass recomputes windows from.

    # Parameters

    outputs : `Tensor`
        Shape `(steps, batch_size, output_size)`; see `AttentiveResult`.
    starts : `List[State]`
        The state before each window.
    last_cell_state : `Tensor`
        Shape `(batch_size, hidden_size)`.
    memories : `Memories`
        All of them, the initial ones first.
    selected : `List[LongTensor]`
        For each step the memories that it selected, `(batch_size, selected)`, in descending order
        of their scores, and -1 where an instance had fewer. Empty if steps read all memories.
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
    """Returns the mask of each step, `(batch_size,)`; `None` for a step where none is masked."""
    if mask is None:
        return [None] * steps
    return [None if full else row for row, full in zip(mask, mask.all(dim=1).tolist(), strict=True)]


class ReadableMemory(Protocol):
    """Holds what a step reads and stores: see `MemoryBuffer` and `WindowMemories`."""

    def read(self, cell: AttentiveCell, hidden: Tensor) -> Optional[Tensor]:
        """Returns a summary, `(batch_size, hidden_size)`; `None` if there is nothing to read."""

    def store(self, key: Tensor, value: Tensor, present: Optional[BoolTensor]) -> None:
        """Stores a memory of each instance that is present."""


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
    Yields the result of one step after another.

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
    """Returns the new state, and the old one where `mask`, `(batch_size,)`, is false."""
    if mask is None:
        return new
    rows = mask.unsqueeze(-1)
    return State(
        torch.where(rows, new.hidden, old.hidden),
        torch.where(rows, new.cell_state, old.cell_state),
    )


class MemoryBuffer:
    """
    The memories of a batch in storage that is allocated once; for use without a graph.

    # Parameters

    initial : `Memories`
        Those that exist before the first step (perhaps none).
    capacity : `int`
        The number of memories after the last step.
    top_k : `int`, optional
        How many memories a step reads; `None` for all.
    """

    def __init__(self, initial: Memories, capacity: int, top_k: Optional[int]) -> None:
        batch_size, self.size, key_size = initial.keys.shape
        # `(batch_size, key_size, memories)`: several times as fast, as scores run along memory
        self._transposed_keys = initial.keys.new_zeros(batch_size, key_size, capacity)
        self._values = initial.values.new_zeros(batch_size, capacity, initial.values.size(-1))
        self._present: Optional[BoolTensor] = None
        self._top_k = top_k
        self.selected: List[LongTensor] = []
        self._transposed_keys[:, :, : self.size] = initial.keys.transpose(1, 2)
        self._values[:, : self.size] = initial.values
        if initial.present is not None:
            self._set_present(slice(self.size), initial.present)

    def store(self, key: Tensor, value: Tensor, present: Optional[BoolTensor]) -> None:
        """Stores a memory of each instance that is `present`, `(batch_size,)`; `None`: of all."""
        self._transposed_keys[:, :, self.size] = key
        self._values[:, self.size] = value
        if present is not None:
            self._set_present(self.size, present)
        self.size += 1

    def _set_present(self, index: "slice | int", present: BoolTensor) -> None:
        """Notes which memories at `index` exist: `(batch_size,)`, or `(batch_size, memories)`."""
        if self._present is None:
            self._present = torch.ones_like(self._values[..., 0], dtype=torch.bool)
        self._present[:, index] = present

    def memories(self) -> Memories:
        """Returns all memories so far, without a copy."""
        present = None if self._present is None else self._present[:, : self.size]
        keys = self._transposed_keys.transpose(1, 2)[:, : self.size]
        return Memories(keys, self._values[:, : self.size], present)

    def read(self, cell: AttentiveCell, hidden: Tensor) -> Optional[Tensor]:
        """
        Returns the summary, `(batch_size, hidden_size)`, that provisional states read; `None` if
        there is nothing to read. Appends to `selected` which memories these are, if not all.
        """
        if self._top_k is None:
            return self.memories().read(cell, hidden) if self.size else None
        if self._top_k == 0 or not self.size:
            self.selected.append(hidden.new_empty(len(hidden), 0, dtype=torch.long))
            return None
        keys, _, present = self.memories()
        scores = cell.score(hidden, keys)
        if present is not None:
            scores = scores.masked_fill(~present, -torch.inf)
        # the memories to keep, and the runner-up
        best, index = scores.topk(min(self._top_k + 1, self.size), dim=-1)
        is_present = None if present is None else best > -torch.inf
        weights = cell.weigh(best, is_present)
        self.selected.append(index if is_present is None else index.masked_fill(~is_present, -1))
        return self._weighted_sum(weights, index[:, : self._top_k])

    def _weighted_sum(self, weights: Tensor, index: LongTensor) -> Tensor:
        """Returns the sum of the values that `index` points to; both are `(batch_size, kept)`."""
        batch_size, capacity, hidden_size = self._values.shape
        row = torch.arange(batch_size, device=index.device).unsqueeze(-1) * capacity
        return torch.nn.functional.embedding_bag(
            row + index,
            self._values.view(-1, hidden_size),
            per_sample_weights=weights,
            mode="sum",
        )
