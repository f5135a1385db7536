"""
Memories, how steps read them, and how gradients reach them.

A step selects the memories with the highest scores, weighs them, and reads their weighted sum. The
selection, which has no gradient, is only made in the forward pass, by `MemoryBuffer`. The backward
pass reads the same memories again in a graph: `SelectedMemories`, or `AllMemories` for all of them.
Their base class, `WindowMemories`, is for recurrences that read nothing.
"""

from typing import Callable, Dict, List, NamedTuple, Optional, Sequence

import torch
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.nn.attentive.cell import AttentiveCell
from spigot_allennlp.nn.tensor_checks import FLOATS, TRUTH_VALUES, Argument, Signature


class Memories(NamedTuple):
    """
    The memories of a batch.

    # Parameters

    keys : `Tensor`
        Shape `(batch_size, memories, key_size)`.
    values : `Tensor`
        Shape `(batch_size, memories, hidden_size)`.
    present : `BoolTensor`, optional (default = `None`)
        Shape `(batch_size, memories)`: false if an instance does not have a memory, because it was
        padded when the memory was stored. `None` if all exist.
    """

    keys: Tensor
    values: Tensor
    present: Optional[BoolTensor] = None

    @property
    def size(self) -> int:
        """Returns the number of memories of an instance, including those that do not exist."""
        return self.values.size(1)

    def scores(self, cell: AttentiveCell, hidden: Tensor) -> Tensor:
        """
        Returns the scores of all memories for provisional states, `(batch_size, memories)`: minus
        infinity for those that do not exist.
        """
        scores = cell.score(hidden, self.keys)
        return scores if self.present is None else scores.masked_fill(~self.present, -torch.inf)

    def read(self, cell: AttentiveCell, hidden: Tensor) -> Tensor:
        """
        Returns the summary that provisional states read, both `(batch_size, hidden_size)`. The keys
        may end with that of the runner-up, for the threshold; it has no value.
        """
        weights = cell.weigh(self.scores(cell, hidden), self.present)
        return (weights.unsqueeze(1) @ self.values).squeeze(1)


_SELECTED = Signature(
    Argument("scores", FLOATS, ("batch_size", "selected")),
    Argument("present", TRUTH_VALUES, ("batch_size", "selected"), is_optional=True),
)


def threshold_weights(
    scores: Tensor, top_k: int, smoothing: float, present: Optional[BoolTensor] = None
) -> Tensor:
    """
    Returns the normalised excess of each score over a threshold: the rule of [Ke et al.
    (2018)](https://arxiv.org/abs/1809.03702). The threshold is the score of the runner-up or, if
    there is none, the lowest score.

    The excess alone cannot be normalised if all scores are equal (or if there is only one memory),
    and its gradient is unbounded as scores approach each other. So `smoothing` is divided equally
    among the kept memories, and counts in the sum. Exactly `top_k` weights are positive, or as many
    as there are memories, and they sum to one.

    # Parameters

    scores : `Tensor`
        Shape `(batch_size, selected)`, in descending order: those of the kept memories, at most
        `top_k`, and, if there are more memories, that of the runner-up.
    top_k : `int`
    smoothing : `float`
        In units of the score; positive.
    present : `BoolTensor`, optional (default = `None`)
        Shape `(batch_size, selected)`: which memories exist. The others have weight zero. `None` if
        all do.

    # Returns

    `Tensor`
        Shape `(batch_size, kept)`, where `kept` is the smaller of `selected` and `top_k`.

    # Raises

    `TypeError`, `ValueError`
        If the tensors have the wrong types or shapes.
    """
    _SELECTED.check(scores, present)
    kept = scores[..., :top_k]
    if present is None:
        excess = (kept - scores[..., -1:]).clamp(min=0)
        return (excess + smoothing / kept.size(-1)) / (excess.sum(dim=-1, keepdim=True) + smoothing)
    threshold = scores.masked_fill(~present, torch.inf).amin(dim=-1, keepdim=True)
    is_kept = present[..., :top_k]
    excess = (kept - threshold).masked_fill(~is_kept, 0).clamp(min=0)
    num_kept = is_kept.sum(dim=-1, keepdim=True).clamp(min=1)
    divided_smoothing = smoothing * is_kept.to(scores.dtype) / num_kept
    return (excess + divided_smoothing) / (excess.sum(dim=-1, keepdim=True) + smoothing)


def softmax_weights(
    scores: Tensor, top_k: int, smoothing: float, present: Optional[BoolTensor] = None
) -> Tensor:
    """
    Returns the softmax of the scores of the kept memories. The runner-up and `smoothing` are
    ignored; for the rest, see `threshold_weights`.
    """
    _SELECTED.check(scores, present)
    kept = scores[..., :top_k]
    if present is None:
        return kept.softmax(dim=-1)
    is_kept = present[..., :top_k]
    lowest = torch.finfo(kept.dtype).min
    return kept.masked_fill(~is_kept, lowest).softmax(dim=-1) * is_kept


# A function of scores, top_k, smoothing and present, like `threshold_weights`.
WeightRule = Callable[[Tensor, int, float, Optional[BoolTensor]], Tensor]
WEIGHT_RULES: Dict[str, WeightRule] = {"threshold": threshold_weights, "softmax": softmax_weights}


class MemoryBuffer:
    """
    The memories of a batch, in storage that is allocated once, for use without a graph.

    # Parameters

    initial : `Memories`
        The memories before the first step (perhaps none).
    capacity : `int`
        The number of memories after the last step.
    top_k : `int`, optional
        The number of memories that a step reads; `None` for all.
    """

    def __init__(self, initial: Memories, capacity: int, top_k: Optional[int]) -> None:
        batch_size, self.size, key_size = initial.keys.shape
        # `(batch_size, key_size, memories)`: several times as fast, since scores read contiguous
        # memory
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
        """Stores a memory for each instance that is `present`, `(batch_size,)`; `None` for all."""
        self._transposed_keys[:, :, self.size] = key
        self._values[:, self.size] = value
        if present is not None:
            self._set_present(self.size, present)
        self.size += 1

    def _set_present(self, index: "slice | int", present: BoolTensor) -> None:
        """Records which memories at `index` exist: `(batch_size,)`, or `(batch_size, memories)`."""
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
        there is nothing to read. Appends the indices of these memories to `selected`, unless all
        are read.
        """
        if self._top_k is None:
            return self.memories().read(cell, hidden) if self.size else None
        if self._top_k == 0 or not self.size:
            self.selected.append(hidden.new_empty(len(hidden), 0, dtype=torch.long))
            return None
        memories = self.memories()
        # the memories to keep, and the runner-up
        count = min(self._top_k + 1, self.size)
        best, index = memories.scores(cell, hidden).topk(count, dim=-1)
        is_present = None if memories.present is None else best > -torch.inf
        weights = cell.weigh(best, is_present)
        self.selected.append(index if is_present is None else index.masked_fill(~is_present, -1))
        return self._weighted_sum(weights, index[:, : self._top_k])

    def _weighted_sum(self, weights: Tensor, index: LongTensor) -> Tensor:
        """
        Returns the sum of the values at `index` by `weights`, both of shape `(batch_size, kept)`.
        """
        batch_size, capacity, hidden_size = self._values.shape
        row = torch.arange(batch_size, device=index.device).unsqueeze(-1) * capacity
        return torch.nn.functional.embedding_bag(
            row + index,
            self._values.view(-1, hidden_size),
            per_sample_weights=weights,
            mode="sum",
        )


class RecordedMemories(MemoryBuffer):
    """
    A `MemoryBuffer` that also keeps the weights of the memories that were read, besides the indices
    in `selected`. See `MemoryBuffer` for the parameters.
    """

    def __init__(self, initial: Memories, capacity: int, top_k: Optional[int]) -> None:
        # Makes a selection even if all memories are read: otherwise there would be no indices in
        # the order of the scores.
        super().__init__(initial, capacity, capacity if top_k is None else top_k)
        self.weights: List[Tensor] = []

    def read(self, cell: AttentiveCell, hidden: Tensor) -> Optional[Tensor]:
        summary = super().read(cell, hidden)
        if summary is None:
            self.weights.append(hidden.new_empty(len(hidden), 0))
        return summary

    def _weighted_sum(self, weights: Tensor, index: LongTensor) -> Tensor:
        self.weights.append(weights)
        return super()._weighted_sum(weights, index)


class WindowMemories:
    """
    The memories that the steps of a window read and store, as part of a graph. This base class is
    for a recurrence that reads nothing; subclasses override it.

    What was stored before the window is not part of the graph: these are `leaves`, and their
    gradients must be added to those of the memories (`accumulate_gradients`). What the window
    itself stores, `keys`, `values` and `present`, is part of the graph.

    # Parameters

    leaves : `Sequence[Tensor]`, optional (default = `()`)
        Keys and values that were stored before the window.
    """

    def __init__(self, leaves: Sequence[Tensor] = ()) -> None:
        self.leaves = list(leaves)
        self.keys: List[Tensor] = []
        self.values: List[Tensor] = []
        self.present: List[Optional[BoolTensor]] = []

    def read(self, cell: AttentiveCell, hidden: Tensor) -> Optional[Tensor]:
        """
        Returns the summary that the next step reads, `(batch_size, hidden_size)`, given its
        provisional state; `None` if there is nothing to read.
        """
        return None

    def store(self, key: Tensor, value: Tensor, present: Optional[BoolTensor]) -> None:
        """Stores a memory for each instance that is `present`, `(batch_size,)`; `None` for all."""
        self.keys.append(key)
        self.values.append(value)
        self.present.append(present)

    def accumulate_gradients(
        self,
        leaf_gradients: Sequence[Optional[Tensor]],
        rows: LongTensor,
        key_gradients: Tensor,
        value_gradients: Tensor,
    ) -> None:
        """
        Adds the gradients of the leaves to those of all memories, `(batch_size, memories, ...)`.
        `rows` are the instances that the window was computed for.
        """


class SelectedMemories(WindowMemories):
    """
    Reads the memories selected in the forward pass. Only these get gradients, so the cost does not
    depend on the number of others.

    # Parameters

    memories : `Memories`
        All memories that the whole sequence stores.
    num_before : `int`
        The number of memories stored before the window.
    selected : `Sequence[LongTensor]`
        For each step of the window, the selected memories, `(batch_size, selected)`, in descending
        order of their scores; -1 if an instance had fewer.
    rows : `LongTensor`
        The instances to read for.
    top_k : `int`
    """

    def __init__(
        self,
        memories: Memories,
        num_before: int,
        selected: Sequence[LongTensor],
        rows: LongTensor,
        top_k: int,
    ) -> None:
        self._num_before = num_before
        self._selected = [index[rows] for index in selected]
        self._kept = [index[:, :top_k] for index in self._selected]
        # If a memory was stored later, or does not exist, any other can take its place.
        last = max(num_before - 1, 0)
        self._old_selected = torch.cat(self._selected, dim=1).clamp(0, last)
        self._old_kept = torch.cat(self._kept, dim=1).clamp(0, last)
        instance = rows.unsqueeze(-1)
        keys = memories.keys[instance, self._old_selected].requires_grad_()
        values = memories.values[instance, self._old_kept].requires_grad_()
        super().__init__([keys, values])
        self._keys_by_step = keys.split([index.size(1) for index in self._selected], dim=1)
        self._values_by_step = values.split([index.size(1) for index in self._kept], dim=1)
        self._step = 0

    def read(self, cell: AttentiveCell, hidden: Tensor) -> Optional[Tensor]:
        selected, kept = self._selected[self._step], self._kept[self._step]
        keys, values = self._keys_by_step[self._step], self._values_by_step[self._step]
        self._step += 1
        if not selected.size(1):
            return None
        if self.values and bool((selected >= self._num_before).any()):
            keys = _with_stored(keys, self.keys, selected - self._num_before)
            values = _with_stored(values, self.values, kept - self._num_before)
        present = selected >= 0
        memories = Memories(keys, values, None if bool(present.all()) else present)
        return memories.read(cell, hidden)

    def accumulate_gradients(
        self,
        leaf_gradients: Sequence[Optional[Tensor]],
        rows: LongTensor,
        key_gradients: Tensor,
        value_gradients: Tensor,
    ) -> None:
        indices, totals = (self._old_selected, self._old_kept), (key_gradients, value_gradients)
        for gradient, index, total in zip(leaf_gradients, indices, totals, strict=True):
            if gradient is not None:
                # `index_add_`, since a memory may have been selected more than once
                flat_index = (rows.unsqueeze(-1) * total.size(1) + index).flatten()
                total.view(-1, total.size(-1)).index_add_(0, flat_index, gradient.flatten(0, 1))


def _with_stored(old: Tensor, stored: Sequence[Tensor], new: LongTensor) -> Tensor:
    """
    Returns `old`, `(batch_size, selected, size)`, but the memory `new` of `stored` wherever `new`,
    `(batch_size, selected)`, is not negative.
    """
    stack = torch.stack(list(stored), dim=1)
    index = new.clamp(min=0).unsqueeze(-1).expand(-1, -1, stack.size(-1))
    return torch.where((new >= 0).unsqueeze(-1), stack.gather(1, index), old)


class AllMemories(WindowMemories):
    """
    Reads every memory.

    # Parameters

    before : `Memories`
        The memories stored before the window.
    """

    def __init__(self, before: Memories) -> None:
        super().__init__([before.keys, before.values])
        self._num_before = before.size
        self._joined = before

    def read(self, cell: AttentiveCell, hidden: Tensor) -> Optional[Tensor]:
        memories = self.joined()
        return memories.read(cell, hidden) if memories.size else None

    def joined(self) -> Memories:
        """Returns all memories, those of the window last."""
        num_new = self._num_before + len(self.values) - self._joined.size
        if num_new:
            old = self._joined
            self._joined = Memories(
                torch.cat([old.keys, torch.stack(self.keys[-num_new:], dim=1)], dim=1),
                torch.cat([old.values, torch.stack(self.values[-num_new:], dim=1)], dim=1),
                _joined_present(old, self.present[-num_new:]),
            )
        return self._joined

    def accumulate_gradients(
        self,
        leaf_gradients: Sequence[Optional[Tensor]],
        rows: LongTensor,
        key_gradients: Tensor,
        value_gradients: Tensor,
    ) -> None:
        totals = key_gradients, value_gradients
        for gradient, total in zip(leaf_gradients, totals, strict=True):
            if gradient is not None:
                total[:, : self._num_before].index_add_(0, rows, gradient)


def _joined_present(
    before: Memories, stored: Sequence[Optional[BoolTensor]]
) -> Optional[BoolTensor]:
    """Returns which memories exist, of the earlier and the newly stored ones; `None` for all."""
    if before.present is None and all(present is None for present in stored):
        return None
    everyone = before.values.new_ones(len(before.values), dtype=torch.bool)
    old = before.present
    if old is None:
        old = everyone.unsqueeze(-1).expand(-1, before.size)
    columns = [everyone if present is None else present for present in stored]
    return torch.cat([old, torch.stack(columns, dim=1)], dim=1)
