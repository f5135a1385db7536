"""
Attentive recurrences on the CPU: tensors to and from the kernels.

The kernels compute the same as `forward.py` and `backward.py`, for the most common cell: an LSTM
with a bilinear score and threshold weights. They are several times as fast, since one step of an
instance is too little work for torch.
"""

from typing import Any, Dict, NamedTuple, Optional, Tuple

import numpy
import torch
from torch import BoolTensor, Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from spigot_allennlp.nn.attentive.backward_kernels import (
    BackwardArrays,
    BatchGradients,
    TorchWeights,
    backward,
)
from spigot_allennlp.nn.attentive.cell import (
    AttentiveOptions,
    AttentiveResult,
    BilinearWeights,
    RecurrenceTensors,
)
from spigot_allennlp.nn.attentive.kernels import BatchArrays, KernelOptions, WeightArrays, forward
from spigot_allennlp.nn.devices import call_in_threads, parts_for_threads


class KernelSettings(NamedTuple):
    """
    The arguments of `KernelRecurrence` that have no gradient.

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
    Takes settings, and the fields of `RecurrenceTensors` and of `BilinearWeights`. Returns an
    `AttentiveResult` as a plain tuple. Its outputs are differentiable once.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx, settings: KernelSettings, *tensors_and_weights: Tensor
    ) -> AttentiveResult:
        num_tensors = len(RecurrenceTensors._fields)
        tensors = RecurrenceTensors(*tensors_and_weights[:num_tensors])
        weights = tensors_and_weights[num_tensors:]
        inputs = tensors.inputs.contiguous()
        batch = _batch_arrays(settings, tensors._replace(inputs=inputs))
        options = _kernel_options(settings, batch, tensors.initial_values.size(1))
        weight_arrays = _transposed(BilinearWeights(*weights))

        def run_part(part: range) -> None:
            forward(part.start, part.stop, weight_arrays, options, batch)

        parts = parts_for_threads(inputs.size(1))
        call_in_threads(run_part, parts, len(parts) > 1)
        outputs = torch.from_numpy(batch.outputs)
        # Inputs and outputs are saved as tensors, so torch notices if they are modified.
        nothing = numpy.empty(0)
        ctx.batch, ctx.options = batch._replace(inputs=nothing, outputs=nothing), options
        ctx.save_for_backward(inputs, outputs, *weights)
        last_cell_state = torch.from_numpy(batch.cell_states[-1].copy())
        all_values = torch.from_numpy(batch.values.copy())
        ctx.mark_non_differentiable(last_cell_state, all_values)
        present = None if batch.present.all() else torch.from_numpy(batch.present)
        return AttentiveResult(outputs, last_cell_state, all_values, present)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor, *_: Any) -> Tuple[Optional[Tensor], ...]:
        inputs, outputs, *weights = ctx.saved_tensors
        batch = ctx.batch._replace(inputs=_array(inputs), outputs=_array(outputs))
        gradients = _zero_gradients(batch, gradient)
        weight_gradients = _add_gradients(BilinearWeights(*weights), ctx.options, batch, gradients)
        num_initial = ctx.options.num_initial
        arrays = RecurrenceTensors(
            gradients.inputs,
            gradients.start_hidden,
            gradients.start_cell_state,
            gradients.keys[:, :num_initial],
            gradients.values[:, :num_initial],
        )
        transposed = [array.T for array in weight_gradients]
        return None, *(torch.from_numpy(array) for array in (*arrays, *transposed))


def _batch_arrays(settings: KernelSettings, tensors: RecurrenceTensors) -> BatchArrays:
    """Returns the arrays for a forward pass, with the parts that are known in advance filled in."""
    inputs, options = tensors.inputs, settings.options
    steps, batch_size, _ = inputs.shape
    _, num_initial, key_size = tensors.initial_keys.shape
    hidden_size = tensors.start_hidden.size(-1)
    assert options.top_k is not None
    num_memories = num_initial + options.num_stored(steps)
    keys = inputs.new_zeros(batch_size, key_size, num_memories)
    keys[:, :, :num_initial] = tensors.initial_keys.transpose(1, 2)
    values = inputs.new_zeros(batch_size, num_memories, hidden_size)
    values[:, :num_initial] = tensors.initial_values
    present = torch.ones(batch_size, num_memories, dtype=torch.bool)
    if settings.present is not None:
        present[:, :num_initial] = settings.present
    cell_states = inputs.new_zeros(len(options.windows(steps)) + 1, batch_size, hidden_size)
    cell_states[0] = tensors.start_cell_state
    # Mask and state are copied, since the caller may change them in place before the backward pass.
    if settings.mask is None:
        mask = torch.ones(steps, batch_size, dtype=torch.bool)
    else:
        mask = settings.mask.clone()
    output_size = options.output_size(hidden_size)
    num_selected = min(options.top_k, num_memories) + 1
    return BatchArrays(
        inputs=_array(inputs),
        mask=_array(mask),
        start_hidden=_array(tensors.start_hidden.clone()),
        cell_states=_array(cell_states),
        keys=_array(keys),
        values=_array(values),
        present=_array(present),
        selected=numpy.full((steps, batch_size, num_selected), -1, dtype=numpy.int32),
        outputs=_array(inputs.new_empty(steps, batch_size, output_size)),
    )


def _kernel_options(
    settings: KernelSettings, batch: BatchArrays, num_initial: int
) -> KernelOptions:
    """Returns the options as numbers; `num_initial` memories exist before the first step."""
    options = settings.options
    return KernelOptions(
        attend_every=options.attend_every,
        top_k=batch.selected.shape[-1] - 1,
        truncation=options.truncation or len(batch.inputs),
        num_initial=num_initial,
        stores_provisional=options.stores_provisional,
        smoothing=float(settings.smoothing),
    )


def _zero_gradients(batch: BatchArrays, gradient: Tensor) -> BatchGradients:
    """Returns zeros for the backward pass to add to, and the `gradient` of the outputs."""
    batch_size, key_size, num_memories = batch.keys.shape
    return BatchGradients(
        outputs=_array(gradient),
        inputs=numpy.zeros_like(batch.inputs),
        keys=numpy.zeros((batch_size, num_memories, key_size), batch.keys.dtype),
        values=numpy.zeros_like(batch.values),
        start_hidden=numpy.zeros_like(batch.start_hidden),
        start_cell_state=numpy.zeros_like(batch.start_hidden),
    )


def _add_gradients(
    weights: BilinearWeights, options: KernelOptions, batch: BatchArrays, gradients: BatchGradients
) -> WeightArrays:
    """
    Runs the backward pass, which adds to `gradients`. Returns the gradients of the weights, summed
    over all parts of the batch.
    """
    transposed = _transposed(weights)
    torch_weights = TorchWeights(*(_array(getattr(weights, name)) for name in TorchWeights._fields))
    weight_gradients: Dict[int, WeightArrays] = {}  # of each part, by its first instance

    def run_part(part: range) -> None:
        gradient = WeightArrays(*(numpy.zeros_like(array) for array in transposed))
        arrays = BackwardArrays(transposed, torch_weights, options, batch, gradients, gradient)
        backward(part.start, part.stop, arrays)
        weight_gradients[part.start] = gradient

    parts = parts_for_threads(batch.inputs.shape[1]) or [range(0)]  # for gradients of zero
    call_in_threads(run_part, parts, len(parts) > 1)
    # the sum is the same, whichever thread ends first
    in_order = [weight_gradients[part.start] for part in parts]
    return WeightArrays(*(sum(arrays[1:], arrays[0]) for arrays in zip(*in_order, strict=True)))


def _transposed(weights: BilinearWeights) -> WeightArrays:
    """Returns the weights as arrays for the kernels, with matrices transposed."""
    return WeightArrays(*(_array(weight.t()) for weight in weights))


def _array(tensor: Tensor) -> numpy.ndarray:
    """Returns a contiguous array for a tensor, with the same memory if the tensor is contiguous."""
    return tensor.detach().contiguous().numpy()
