"""The gradients of an attentive recurrence, window after window, from the last to the first."""

from typing import List, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.nn.attentive.cell import AttentiveCell, Layout, State
from spigot_allennlp.nn.attentive.memory_store import Memories
from spigot_allennlp.nn.attentive.reading import ReadChosen, Reading
from spigot_allennlp.nn.attentive.reading_all import ReadAll
from spigot_allennlp.nn.attentive.scan import Scan, every_row_is_full
from spigot_allennlp.nn.attentive.unrolling import Unrolled, unroll


class Given(NamedTuple):
    """What there is besides tensors with gradients; `present` is that of the first memories."""

    cell: AttentiveCell
    layout: Layout
    mask: Optional[BoolTensor]
    present: Optional[BoolTensor]


class _Arriving(NamedTuple):
    """
    What reaches a window: of its outputs `(steps, batch_size, hidden_size)`, half of these being
    states, the other half summaries (`None`, if nothing is ever read), and of the keys and values
    that it stores, `(batch_size, stored, ...)`.
    """

    of_states: Tensor
    of_summaries: Optional[Tensor]
    of_keys: Tensor
    of_values: Tensor

    def rows(self) -> LongTensor:
        """The instances that it reaches."""
        reached = (self.of_states != 0).any(dim=2).any(dim=0)
        for of_stored in (self.of_keys, self.of_values):
            reached |= (of_stored != 0).any(dim=2).any(dim=1)
        if self.of_summaries is not None:
            reached |= (self.of_summaries != 0).any(dim=2).any(dim=0)
        return reached.nonzero().squeeze(-1)

    def targets(self, done: Unrolled, rows: LongTensor) -> List[Tuple[Tensor, Tensor]]:
        """What was computed anew for `rows`, each with its gradient."""
        states = zip((state.hidden for state in done.states), self.of_states, strict=True)
        keys = zip(done.written.keys, self.of_keys.unbind(1), strict=True)
        values = zip(done.written.values, self.of_values.unbind(1), strict=True)
        pairs = [*states, *keys, *values]
        if self.of_summaries is not None:
            pairs += [
                (summary, gradient)
                for summary, gradient in zip(done.summaries, self.of_summaries, strict=True)
                if summary is not None
            ]
        return [(target, gradient[rows]) for target, gradient in pairs]


class WayBack:
    """
    Adds up the gradients.

    # Parameters

    given : `Given`
    done : `Scan`
        `outputs` is not looked at.
    num_first : `int`
        How many memories there were from the start.
    inputs : `Tensor`
    parameters : `Sequence[Tensor]`
    """

    def __init__(
        self,
        given: Given,
        done: Scan,
        num_first: int,
        inputs: Tensor,
        parameters: Sequence[Tensor],
    ) -> None:
        self._given, self._scan, self._num_first, self._inputs = given, done, num_first, inputs
        self._trained = [each for each in parameters if each.requires_grad]
        self._is_full = every_row_is_full(given.mask, len(inputs))
        keys, values, _ = done.memories
        self.of_inputs = torch.zeros_like(inputs)
        self.of_keys, self.of_values = inputs.new_zeros(keys.shape), inputs.new_zeros(values.shape)
        self.of_start = State(*(torch.zeros_like(each) for each in done.last))
        self._of_trained = [torch.zeros_like(each) for each in self._trained]

    def of_parameters(self, parameters: Sequence[Tensor]) -> List[Optional[Tensor]]:
        """In the order of `parameters`; `None` for those that are not trained."""
        found = iter(self._of_trained)
        return [next(found) if each.requires_grad else None for each in parameters]

    def through(self, number: int, gradient: Tensor) -> None:
        """
        Takes the gradient of the outputs, and of the memories, from a window to what it depends on.
        """
        begin, end = self._given.layout.windows(len(self._inputs))[number]
        arriving = self._arriving(begin, end, gradient)
        rows = arriving.rows()
        if not len(rows):
            return
        inputs = self._inputs[begin:end, rows].requires_grad_()
        start = State(*(each[rows].requires_grad_() for each in self._scan.starts[number]))
        read = self._reading(begin, end, rows)
        with torch.enable_grad():
            masks = self._masks(begin, end, rows)
            cell, layout = self._given.cell, self._given.layout
            done = unroll(cell, layout, begin, inputs, masks, start, read)
            targets, gradients = zip(*arriving.targets(done, rows), strict=True)
            leaves = [inputs, *start, *self._trained, *read.leaves]
            found = torch.autograd.grad(targets, leaves, gradients, allow_unused=True)
        self.of_inputs[begin:end, rows] = found[0]
        if begin == 0:
            self._add_to_start(rows, found[1:3])
        num_trained = len(self._trained)
        self._add_to_parameters(found[3 : 3 + num_trained])
        read.hand_on(found[3 + num_trained :], rows, self.of_keys, self.of_values)

    def _arriving(self, begin: int, end: int, gradient: Tensor) -> _Arriving:
        before, after = self._stored(begin), self._stored(end)
        hidden_size = self.of_values.size(-1)
        of_states = gradient[begin:end, :, :hidden_size]
        has_summaries = gradient.size(-1) > hidden_size
        of_summaries = gradient[begin:end, :, hidden_size:] if has_summaries else None
        of_stored = (each[:, before:after] for each in (self.of_keys, self.of_values))
        return _Arriving(of_states, of_summaries, *of_stored)

    def _reading(self, begin: int, end: int, rows: LongTensor) -> Reading:
        top_k, before = self._given.layout.top_k, self._stored(begin)
        keys, values, present = self._scan.memories
        if top_k == 0:
            return Reading()
        if top_k is not None:
            chosen = self._scan.chosen[begin:end]
            return ReadChosen(self._scan.memories, before, chosen, rows, top_k)
        old_keys, old_values = (each[rows, :before].requires_grad_() for each in (keys, values))
        old_present = None if present is None else present[rows, :before]
        return ReadAll(Memories(old_keys, old_values, old_present))

    def _masks(self, begin: int, end: int, rows: LongTensor) -> List[Optional[BoolTensor]]:
        mask = self._given.mask
        return [
            None if mask is None or self._is_full[step] else mask[step, rows]
            for step in range(begin, end)
        ]

    def _stored(self, steps: int) -> int:
        return self._num_first + self._given.layout.stored(steps)

    def _add_to_start(self, rows: LongTensor, found: Sequence[Optional[Tensor]]) -> None:
        for total, gradient in zip(self.of_start, found, strict=True):
            if gradient is not None:
                total[rows] = gradient

    def _add_to_parameters(self, found: Sequence[Optional[Tensor]]) -> None:
        for total, gradient in zip(self._of_trained, found, strict=True):
            if gradient is not None:
                total += gradient
