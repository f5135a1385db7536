"""How the steps of a window read every memory, in a graph; see `reading.py`."""

from typing import Optional, Sequence

import torch
from torch import LongTensor, Tensor

from spigot_allennlp.nn.attentive.cell import AttentiveCell
from spigot_allennlp.nn.attentive.memory_store import Memories
from spigot_allennlp.nn.attentive.reading import Reading, Written, summary_of


class ReadAll(Reading):
    """Reads every memory: those from `before` the window, and those that it has stored."""

    def __init__(self, before: Memories) -> None:
        super().__init__([before.keys, before.values])
        self._before = before
        self._stacked = before

    def __call__(
        self, cell: AttentiveCell, step: int, hidden: Tensor, written: Written
    ) -> Optional[Tensor]:
        keys, values, present = self.so_far(written)
        return summary_of(cell, hidden, keys, values, present) if values.size(1) else None

    def so_far(self, written: Written) -> Memories:
        """All memories."""
        new = self._before.size + len(written.values) - self._stacked.size
        if new:
            self._stacked = _joined(self._stacked, written, new)
        return self._stacked

    def hand_on(
        self,
        gradients: Sequence[Optional[Tensor]],
        rows: LongTensor,
        of_keys: Tensor,
        of_values: Tensor,
    ) -> None:
        for gradient, total in zip(gradients, (of_keys, of_values), strict=True):
            if gradient is not None:
                total[:, : self._before.size].index_add_(0, rows, gradient)


def _joined(before: Memories, written: Written, new: int) -> Memories:
    """With the last `new` of those that were written."""
    keys, values = (
        torch.cat([old, torch.stack(list(more[-new:]), dim=1)], dim=1)
        for old, more in ((before.keys, written.keys), (before.values, written.values))
    )
    masks = written.present[-new:]
    if before.present is None and all(mask is None for mask in masks):
        return Memories(keys, values)
    everyone = torch.ones(len(values), dtype=torch.bool, device=values.device)
    old = before.present
    if old is None:
        old = everyone.unsqueeze(-1).expand(-1, before.size)
    more = torch.stack([everyone if mask is None else mask for mask in masks], dim=1)
    return Memories(keys, values, torch.cat([old, more], dim=1))
