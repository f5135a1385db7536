"""
How the steps of a window read memories, in a graph.

What was stored before the window is outside of its graph: `leaves`, whose gradients say what
reaches those memories. What the window itself has stored is part of its graph, and read as such.
"""

from typing import List, NamedTuple, Optional, Sequence

import torch
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.nn.attentive.cell import AttentiveCell
from spigot_allennlp.nn.attentive.memory_store import Memories


class Written(NamedTuple):
    """What a window has stored so far: keys, values, and for whom (`None`: all)."""

    keys: List[Tensor]
    values: List[Tensor]
    present: List[Optional[BoolTensor]]


class Reading:
    """
    Reads nothing, as a plain LSTM does; others overrule it.

    # Parameters

    leaves : `Sequence[Tensor]`
        What was stored before the window, as far as it is read.
    """

    def __init__(self, leaves: Sequence[Tensor] = ()) -> None:
        self.leaves = tuple(leaves)

    def __call__(
        self, cell: AttentiveCell, step: int, hidden: Tensor, written: Written
    ) -> Optional[Tensor]:
        """
        The summary of the memories, `(batch_size, hidden_size)`, for the provisional states
        `hidden` of a step of the window (counted from 0); `None` if there is nothing to read.
        """
        return None

    def hand_on(
        self,
        gradients: Sequence[Optional[Tensor]],
        rows: LongTensor,
        of_keys: Tensor,
        of_values: Tensor,
    ) -> None:
        """
        Adds the gradients of the leaves to those of all memories, `(batch_size, memories, ...)`, of
        which `rows` are the instances that were read for.
        """


class ReadChosen(Reading):
    """
    Reads what the scan has chosen. Gradients reach those alone, whatever else is stored.

    # Parameters

    memories : `Memories`
        All.
    num_before : `int`
        How many of them were stored before the window.
    chosen : `Sequence[Optional[LongTensor]]`
        Of each step of the window; see `Scan`.
    rows : `LongTensor`
        The instances to read for.
    top_k : `int`
    """

    def __init__(
        self,
        memories: Memories,
        num_before: int,
        chosen: Sequence[Optional[LongTensor]],
        rows: LongTensor,
        top_k: int,
    ) -> None:
        self._index = [None if index is None else index[rows].long() for index in chosen]
        self._num_before = num_before
        # Of those that were stored later, or do not exist, anything will do.
        self._old = [
            None if index is None or not num_before else index.clamp(0, num_before - 1)
            for index in self._index
        ]
        self._top_k = top_k
        old = [index for index in self._old if index is not None]
        row = rows.unsqueeze(-1)
        super().__init__(
            [memories.keys[row, index].requires_grad_() for index in old]
            + [memories.values[row, index[:, :top_k]].requires_grad_() for index in old]
        )

    def __call__(
        self, cell: AttentiveCell, step: int, hidden: Tensor, written: Written
    ) -> Optional[Tensor]:
        index = self._index[step]
        if index is None:
            return None
        keys, values = self._picked(step)
        new = index - self._num_before
        if written.values and bool((new >= 0).any()):
            keys = _with_new(keys, written.keys, new)
            values = _with_new(values, written.values, new[:, : self._top_k])
        missing = index < 0
        return summary_of(cell, hidden, keys, values, ~missing if bool(missing.any()) else None)

    def hand_on(
        self,
        gradients: Sequence[Optional[Tensor]],
        rows: LongTensor,
        of_keys: Tensor,
        of_values: Tensor,
    ) -> None:
        row = rows.unsqueeze(-1)
        old = [index for index in self._old if index is not None]
        for index, gradient in zip(old, gradients[: len(old)], strict=True):
            if gradient is not None:
                _add_at(of_keys, row, index, gradient)
        for index, gradient in zip(old, gradients[len(old) :], strict=True):
            if gradient is not None:
                _add_at(of_values, row, index[:, : self._top_k], gradient)

    def _picked(self, step: int) -> "tuple[Optional[Tensor], Optional[Tensor]]":
        """Keys and values from before the window; `None` if there was nothing."""
        if self._old[step] is None:
            return None, None
        place = sum(index is not None for index in self._old[:step])
        return self.leaves[place], self.leaves[len(self.leaves) // 2 + place]


def summary_of(
    cell: AttentiveCell,
    hidden: Tensor,
    keys: Tensor,
    values: Tensor,
    present: Optional[BoolTensor],
) -> Tensor:
    scores = cell.score(hidden, keys)
    if present is not None:
        scores = scores.masked_fill(~present, -torch.inf)
    return (cell.weigh(scores, present).unsqueeze(1) @ values).squeeze(1)


def _with_new(old: Optional[Tensor], written: Sequence[Tensor], new: LongTensor) -> Tensor:
    """Where `new`, `(batch_size, selected)`, is not negative, what it points to in `written`."""
    stack = torch.stack(list(written), dim=1)
    where = new.clamp(min=0).unsqueeze(-1).expand(-1, -1, stack.size(-1))
    picked = stack.gather(1, where)
    return picked if old is None else torch.where((new >= 0).unsqueeze(-1), picked, old)


def _add_at(total: Tensor, row: LongTensor, index: LongTensor, gradient: Tensor) -> None:
    """Adds to `total[row, index]`, wherever that is named more than once, too."""
    place = (row * total.size(1) + index).flatten()
    total.view(-1, total.size(-1)).index_add_(0, place, gradient.flatten(0, 1))
