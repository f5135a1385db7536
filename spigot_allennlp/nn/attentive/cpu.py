"""
Attentive recurrences on the CPU: tensors to and from the kernels.

The kernels do what `forward.py` and `backward.py` do by torch, for the most common cell: an LSTM
with a bilinear score and weights by threshold. They are several times as fast, since a step of an
instance is too little work for torch.
"""

from typing import Any, List, NamedTuple, Optional, Tuple

import numpy
import torch
from torch import BoolTensor, Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from spigot_allennlp.nn.attentive.backward_kernels import (
    BackwardArrays,
    BatchGradients,
    GateWeights,
    backward,
)
from spigot_allennlp.nn.attentive.cell import (
    AttentiveOptions,
    AttentiveResult,
    BilinearWeights,
    State,
)
from spigot_allennlp.nn.attentive.kernels import BatchArrays, KernelOptions, WeightArrays, forward
from spigot_allennlp.nn.attentive.memory import Memories
from spigot_allennlp.nn.devices import share


class KernelSettings(NamedTuple):
    """
    What has no gradient.

    # Parameters

    options : `AttentiveOptions`
        With a `top_k`.
    smoothing : `float`
        See `threshold_weights`.
    mask : `BoolTensor`, optional
        Shape `(steps, batch_size)`.
    present : `BoolTensor`, optional
        Which of the initial memories exist, `(batch_size, memories)`.
    """

    options: AttentiveOptions
    smoothing: float
    mask: Optional[BoolTensor]
    present: Optional[BoolTensor]


class KernelRecurrence(torch.autograd.Function):
    """
    Takes settings, inputs, the hidden state and the cell of the start, keys and values of the
    initial memories, and `BilinearWeights`. Returns an `AttentiveResult`, as a plain tuple, whose
    outputs are differentiable once.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx, settings: KernelSettings, inputs: Tensor, *more: Tensor
    ) -> AttentiveResult:
        hidden, cell, keys, values, *weights = more
        inputs = inputs.contiguous()
        memories = Memories(keys, values, settings.present)
        batch = _batch_arrays(settings, inputs, State(hidden, cell), memories)
        options = _kernel_options(settings, batch, memories.size)
        weight_arrays = _transposed(BilinearWeights(*weights))
        share(
            lambda part: forward(*part, weight_arrays, options, batch),
            *_parts(inputs.size(1)),
        )
        outputs = torch.from_numpy(batch.outputs)
        # Inputs and outputs are saved as tensors, for torch to notice if they are changed.
        nothing = numpy.empty(0)
        ctx.batch, ctx.options = batch._replace(inputs=nothing, outputs=nothing), options
        ctx.save_for_backward(inputs, outputs, *weights)
        last_cell = torch.from_numpy(batch.cells[-1].copy())
        all_values = torch.from_numpy(batch.values.copy())
        ctx.mark_non_differentiable(last_cell, all_values)
        present = None if batch.present.all() else torch.from_numpy(batch.present)
        return AttentiveResult(outputs, last_cell, all_values, present)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor, *_: Any) -> Tuple[Optional[Tensor], ...]:
        inputs, outputs, *weights = ctx.saved_tensors
        batch = ctx.batch._replace(inputs=_array(inputs), outputs=_array(outputs))
        gradients = _zero_gradients(batch, gradient)
        weight_gradients = _add_gradients(BilinearWeights(*weights), ctx.options, batch, gradients)
        num_initial = ctx.options.num_initial
        arrays = (
            *(gradients.inputs, gradients.start_hidden, gradients.start_cell),
            *(gradients.keys[:, :num_initial], gradients.values[:, :num_initial]),
            *(array.T for array in weight_gradients),
        )
        return None, *(torch.from_numpy(array) for array in arrays)


def _batch_arrays(
    settings: KernelSettings, inputs: Tensor, start: State, initial: Memories
) -> BatchArrays:
    (steps, batch_size, _), options = inputs.shape, settings.options
    assert options.top_k is not None
    num_memories = initial.size + options.num_stored(steps)
    hidden_size, key_size = start.hidden.size(-1), initial.keys.size(-1)
    keys = inputs.new_zeros(batch_size, key_size, num_memories)
    keys[:, :, : initial.size] = initial.keys.transpose(1, 2)
    values = inputs.new_zeros(batch_size, num_memories, hidden_size)
    values[:, : initial.size] = initial.values
    present = torch.ones(batch_size, num_memories, dtype=torch.bool)
    if initial.present is not None:
        present[:, : initial.size] = initial.present
    cells = inputs.new_zeros(len(options.windows(steps)) + 1, batch_size, hidden_size)
    cells[0] = start.cell
    mask = settings.mask
    if mask is None:
        mask = torch.ones(steps, batch_size, dtype=torch.bool)
    output_size = options.output_size(hidden_size)
    num_chosen = min(options.top_k, num_memories) + 1
    return BatchArrays(
        inputs=_array(inputs),
        mask=_array(mask),
        start_hidden=_array(start.hidden),
        cells=_array(cells),
        keys=_array(keys),
        values=_array(values),
        present=_array(present),
        chosen=numpy.full((steps, batch_size, num_chosen), -1, dtype=numpy.int32),
        outputs=_array(inputs.new_empty(steps, batch_size, output_size)),
    )


def _kernel_options(
    settings: KernelSettings, batch: BatchArrays, num_initial: int
) -> KernelOptions:
    options = settings.options
    return KernelOptions(
        attend_every=options.attend_every,
        top_k=batch.chosen.shape[-1] - 1,
        truncation=options.truncation or len(batch.inputs),
        num_initial=num_initial,
        stores_provisional=options.stores_provisional,
        smoothing=float(settings.smoothing),
    )


def _zero_gradients(batch: BatchArrays, gradient: Tensor) -> BatchGradients:
    batch_size, key_size, num_memories = batch.keys.shape
    return BatchGradients(
        outputs=_array(gradient),
        inputs=numpy.zeros_like(batch.inputs),
        keys=numpy.zeros((batch_size, num_memories, key_size), batch.keys.dtype),
        values=numpy.zeros_like(batch.values),
        start_hidden=numpy.zeros_like(batch.start_hidden),
        start_cell=numpy.zeros_like(batch.start_hidden),
    )


def _add_gradients(
    weights: BilinearWeights, options: KernelOptions, batch: BatchArrays, gradients: BatchGradients
) -> WeightArrays:
    """Goes back, and returns the gradients of the weights, the sum of those of all parts."""
    transposed = _transposed(weights)
    gate_weights = GateWeights(_array(weights.weight_ih), _array(weights.weight_hh))
    of_parts: List[WeightArrays] = []

    def work(part: Tuple[int, int]) -> None:
        of_part = WeightArrays(*(numpy.zeros_like(array) for array in transposed))
        of_parts.append(of_part)
        backward(
            *part,
            BackwardArrays(transposed, gate_weights, options, batch, gradients, of_part),
        )

    share(work, *_parts(batch.inputs.shape[1]))
    return WeightArrays(*(sum(arrays[1:], arrays[0]) for arrays in zip(*of_parts, strict=True)))


def _transposed(weights: BilinearWeights) -> WeightArrays:
    return WeightArrays(*(_array(weight.t()) for weight in weights))


def _array(tensor: Tensor) -> numpy.ndarray:
    return tensor.detach().contiguous().numpy()


def _parts(batch_size: int) -> Tuple[List[Tuple[int, int]], bool]:
    """Returns the first instance and the end of the part of each thread, and if there are many."""
    number = max(min(torch.get_num_threads(), batch_size), 1)
    ends = [batch_size * part // number for part in range(number + 1)]
    return list(zip(ends, ends[1:], strict=False)), number > 1
