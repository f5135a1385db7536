"""The memories of a batch, in one piece of storage that was made large enough."""

from typing import NamedTuple, Optional

import torch
from torch import BoolTensor, LongTensor, Tensor


class Memories(NamedTuple):
    """
    # Parameters

    keys : `Tensor`
        Shape `(batch_size, memories, key_size)`.
    values : `Tensor`
        Shape `(batch_size, memories, hidden_size)`.
    present : `BoolTensor`, optional
        Shape `(batch_size, memories)`: false where an instance, being padded, stored nothing.
        `None` if everything is there.
    """

    keys: Tensor
    values: Tensor
    present: Optional[BoolTensor] = None

    @property
    def size(self) -> int:
        return self.values.size(1)


class MemoryStore:
    """
    Grows by one memory at a time.

    # Parameters

    first : `Memories`
        Those that are there from the start (perhaps none).
    capacity : `int`
        How many it will hold in the end.
    """

    def __init__(self, first: Memories, capacity: int) -> None:
        batch_size, self.size, key_size = first.keys.shape
        # Turned, so that a query runs along the memories: several times as fast.
        self._turned_keys = first.keys.new_zeros(batch_size, key_size, capacity)
        self._values = first.values.new_zeros(batch_size, capacity, first.values.size(-1))
        self._present: Optional[BoolTensor] = None
        self._turned_keys[:, :, : self.size] = first.keys.transpose(1, 2)
        self._values[:, : self.size] = first.values
        if first.present is not None:
            self._note(slice(self.size), first.present)

    def write(self, key: Tensor, value: Tensor, present: Optional[BoolTensor]) -> None:
        """One memory of each instance; of those alone that are `present`, if that is given."""
        self._turned_keys[:, :, self.size] = key
        self._values[:, self.size] = value
        if present is not None:
            self._note(self.size, present)
        self.size += 1

    def _note(self, where: "slice | int", present: BoolTensor) -> None:
        if self._present is None:
            self._present = torch.ones_like(self._values[..., 0], dtype=torch.bool)
        self._present[:, where] = present

    def read(self) -> Memories:
        """What is there by now, without a copy."""
        present = None if self._present is None else self._present[:, : self.size]
        keys = self._turned_keys.transpose(1, 2)[:, : self.size]
        return Memories(keys, self._values[:, : self.size], present)

    def weighted_sum(self, weights: Tensor, index: LongTensor) -> Tensor:
        """Of the values that `index` points to, both `(batch_size, kept)`, for each instance."""
        batch_size, capacity, hidden_size = self._values.shape
        row = torch.arange(batch_size, device=index.device).unsqueeze(-1) * capacity
        return torch.nn.functional.embedding_bag(
            row + index,
            self._values.view(-1, hidden_size),
            per_sample_weights=weights,
            mode="sum",
        )
