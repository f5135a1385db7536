"""
Attentive recurrences on the processor: tensors to and from the kernels.

They do what `windows.py` does by torch, for an LSTM with a bilinear score and weights by
threshold; a multiple as fast, since a step of one instance is too little work for torch.
"""

from typing import Any, Callable, List, NamedTuple, Optional, Sequence, Tuple

import numpy
import torch
from torch import BoolTensor, Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from spigot_allennlp.nn.attentive.cell import BilinearWeights, Layout, State
from spigot_allennlp.nn.attentive.memory_store import Memories
from spigot_allennlp.nn.attentive.scan_kernel import scan
from spigot_allennlp.nn.attentive.windows_kernel import windows_backward
from spigot_allennlp.nn.threads import share


class Setting(NamedTuple):
    """What has no gradient; see `Layout` (`top_k` is a number) and `threshold_weights`."""

    layout: Layout
    smoothing: float
    mask: Optional[BoolTensor]
    present: Optional[BoolTensor]


class Numbers(NamedTuple):
    """What a scan has left for the way back."""

    start_hidden: Tensor
    cells: Tensor
    turned_keys: Tensor
    values: Tensor
    present: Tensor
    mask: Tensor
    chosen: Tensor


class KernelRun(torch.autograd.Function):
    """
    From setting, inputs, start, first keys and values and `BilinearWeights` to the outputs (see
    `Scan`), the last state, all values and which are present; the outputs are differentiable once.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx, setting: Setting, inputs: Tensor, *more: Tensor
    ) -> Tuple[Tensor, Tensor, Tensor, Optional[BoolTensor]]:
        hidden, cell, keys, values, *weights = more
        inputs = inputs.contiguous()
        memories = Memories(keys, values, setting.present)
        numbers = _prepared(setting, inputs, State(hidden, cell), memories)
        outputs = _scan(setting, inputs, numbers, keys.size(1), BilinearWeights(*weights))
        ctx.setting, ctx.numbers, ctx.num_first = setting, numbers, keys.size(1)
        ctx.save_for_backward(inputs, outputs, *weights)
        last_cell, all_values = numbers.cells[-1].clone(), numbers.values.clone()
        ctx.mark_non_differentiable(last_cell, all_values)
        present = None if bool(numbers.present.all()) else numbers.present
        return outputs, last_cell, all_values, present

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor, *_: Any) -> Tuple[Optional[Tensor], ...]:
        inputs, outputs, *weights = ctx.saved_tensors
        given = BilinearWeights(*weights)
        found = _back(ctx.setting, inputs, outputs, ctx.numbers, ctx.num_first, given, gradient)
        return (None, *found)


def _prepared(setting: Setting, inputs: Tensor, start: State, first: Memories) -> Numbers:
    (steps, batch_size, _), layout = inputs.shape, setting.layout
    capacity = first.size + layout.stored(steps)
    turned_keys = inputs.new_zeros(batch_size, first.keys.size(-1), capacity)
    turned_keys[:, :, : first.size] = first.keys.transpose(1, 2)
    values = inputs.new_zeros(batch_size, capacity, start.hidden.size(-1))
    values[:, : first.size] = first.values
    present = torch.ones(batch_size, capacity, dtype=torch.bool)
    if first.present is not None:
        present[:, : first.size] = first.present
    cells = inputs.new_zeros(len(layout.windows(steps)) + 1, *start.cell.shape)
    cells[0] = start.cell
    mask = setting.mask
    if mask is None:
        mask = torch.ones(steps, batch_size, dtype=torch.bool)
    assert layout.top_k is not None
    chosen = torch.full((steps, batch_size, min(layout.top_k, capacity) + 1), -1, dtype=torch.int32)
    hidden = start.hidden.contiguous()
    return Numbers(hidden, cells, turned_keys, values, present, mask.contiguous(), chosen)


def _scan(
    setting: Setting, inputs: Tensor, numbers: Numbers, num_first: int, weights: BilinearWeights
) -> Tensor:
    steps, batch_size, _ = inputs.shape
    outputs = inputs.new_empty(steps, batch_size, _output_size(setting, weights))
    arrays = (
        _arrays(_turned(weights)),
        _layout(setting, numbers, steps, num_first),
        setting.smoothing,
        *_arrays((inputs, numbers.mask)),
        _arrays((numbers.turned_keys, numbers.values, numbers.present)),
        _arrays((numbers.start_hidden, numbers.cells)),
        *_arrays((numbers.chosen, outputs)),
    )
    _share(batch_size, lambda first, last: scan(first, last, *arrays))
    return outputs


def _back(
    setting: Setting,
    inputs: Tensor,
    outputs: Tensor,
    numbers: Numbers,
    num_first: int,
    weights: BilinearWeights,
    gradient: Tensor,
) -> List[Tensor]:
    turned = _turned(weights)
    keys_shape = numbers.values.shape[:2] + (numbers.turned_keys.size(1),)
    results = [
        torch.zeros_like(inputs),
        inputs.new_zeros(keys_shape),
        torch.zeros_like(numbers.values),
        torch.zeros_like(numbers.start_hidden),
        torch.zeros_like(numbers.start_hidden),
    ]
    given = (
        _arrays(turned),
        _arrays((weights.of_input.contiguous(), weights.of_state.contiguous())),
        _layout(setting, numbers, len(inputs), num_first),
        setting.smoothing,
    )
    sequence = _arrays(
        (
            *(inputs, numbers.mask, outputs, numbers.chosen),
            *(numbers.turned_keys, numbers.values, numbers.start_hidden, numbers.cells),
        )
    )
    rest = sequence, gradient.contiguous().numpy(), _arrays(results)
    of_weights = _in_parts(inputs.size(1), given, rest, turned)
    of_inputs, of_keys, of_values, of_hidden, of_cell = results
    of_first = of_keys[:, :num_first], of_values[:, :num_first]
    found = (each.t() if each.dim() == 2 else each for each in of_weights)
    return [of_inputs, of_hidden, of_cell, *of_first, *found]


def _in_parts(
    batch_size: int, given: Tuple, rest: Tuple, turned: Sequence[Tensor]
) -> Sequence[Tensor]:
    """Goes back, and returns the gradients of the turned weights: the sum of those of all parts."""
    of_weights = [torch.zeros_like(each) for each in turned]
    sequence, gradient, results = rest

    def work(first: int, last: int) -> None:
        own = [torch.zeros_like(each) for each in turned]
        windows_backward(first, last, given, sequence, gradient, _arrays(own), results)
        for total, part in zip(of_weights, own, strict=True):
            total += part

    _share(batch_size, work)
    return of_weights


def _turned(weights: BilinearWeights) -> Tuple[Tensor, ...]:
    return tuple((each.t() if each.dim() == 2 else each).contiguous() for each in weights)


def _layout(setting: Setting, numbers: Numbers, steps: int, num_first: int) -> Tuple[int, ...]:
    layout = setting.layout
    top_k, truncation = numbers.chosen.size(-1) - 1, layout.truncation or steps
    return layout.attend_every, top_k, truncation, num_first, int(layout.stores_provisional)


def _output_size(setting: Setting, weights: BilinearWeights) -> int:
    return weights.of_state.size(1) * (1 if setting.layout.top_k == 0 else 2)


def _arrays(tensors: Sequence[Tensor]) -> Tuple[numpy.ndarray, ...]:
    return tuple(each.detach().numpy() for each in tensors)


def _share(batch_size: int, work: Callable[[int, int], None]) -> None:
    """In as many parts as there are threads."""
    parts = max(min(torch.get_num_threads(), batch_size), 1)
    ends = [batch_size * part // parts for part in range(parts + 1)]
    share(lambda part: work(ends[part], ends[part + 1]), range(parts), parts > 1)
