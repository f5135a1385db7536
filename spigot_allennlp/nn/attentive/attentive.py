"""
Attentive recurrences: `attentive_recurrence`, and the choice of how to compute it; and
`attentive_reads`, which tells what a recurrence has read.

Start here. The docstring of the package describes the algorithm.
"""

from typing import Optional

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.attentive.backward import TruncatedBackpropagation, TruncatedSettings
from spigot_allennlp.nn.attentive.cell import (
    AttentiveCell,
    AttentiveOptions,
    AttentiveReads,
    AttentiveResult,
    BilinearCell,
    BilinearWeights,
    RecurrenceTensors,
    State,
)
from spigot_allennlp.nn.attentive.forward import masks_of_steps, recurrence_steps
from spigot_allennlp.nn.attentive.memory import (
    AllMemories,
    Memories,
    RecordedMemories,
    WindowMemories,
)
from spigot_allennlp.nn.devices import has_kernels
from spigot_allennlp.nn.tensor_checks import FLOATS, TRUTH_VALUES, Argument, Signature
from spigot_allennlp.nn.transforms import check_untransformed, uncompiled


@uncompiled
def attentive_recurrence(
    cell: AttentiveCell,
    options: AttentiveOptions,
    inputs: Tensor,
    mask: Optional[BoolTensor],
    start: State,
    initial: Memories,
) -> AttentiveResult:
    """
    Runs a recurrence that reads its own past states over a batch of sequences. Its outputs are
    differentiable with respect to `inputs`, `start`, keys and values of `initial`, and the
    parameters of `cell`: once in general, more than once only without truncation and with a `top_k`
    of zero or `None`.

    # Parameters

    cell : `AttentiveCell`
    options : `AttentiveOptions`
    inputs : `Tensor`
        Shape `(steps, batch_size, input_size)`, with at least one step.
    mask : `BoolTensor`, optional
        Shape `(steps, batch_size)`: where it is false, the state of an instance does not change,
        and nothing is stored, whatever the inputs. `None` if all are true.
    start : `State`
        The state before the first step.
    initial : `Memories`
        The memories before the first step, `(batch_size, memories, ...)`; perhaps none.

    # Returns

    `AttentiveResult`

    # Raises

    `TypeError`, `ValueError`
        If shapes or types do not fit, or there are no steps.
    `NotImplementedError`
        Under transforms of `torch.func`, such as `vmap` and `grad`, except without truncation and
        with a `top_k` of zero or `None`.
    """
    bilinear = cell.as_bilinear()
    _check(bilinear, inputs, mask, start, initial)
    inputs = _without_padding(inputs, mask)
    if options.truncation is None and options.top_k in (0, None):
        return _recurrence_as_graph(cell, options, inputs, mask, start, initial)
    tensors = RecurrenceTensors(inputs, *start, initial.keys, initial.values)
    check_untransformed(
        "an attentive recurrence that selects memories or cuts gradients",
        *tensors,
        *cell.parameters(),
    )
    if bilinear is not None and _can_use_kernels(options, inputs):
        # numba is slow to import
        from spigot_allennlp.nn.attentive.cpu import KernelRecurrence, KernelSettings

        settings = KernelSettings(options, bilinear.smoothing, mask, initial.present)
        return AttentiveResult(*KernelRecurrence.apply(settings, *tensors, *bilinear.weights))
    truncated = TruncatedSettings(cell, options, mask, initial.present)
    return AttentiveResult(*TruncatedBackpropagation.apply(truncated, *tensors, *cell.parameters()))


def _can_use_kernels(options: AttentiveOptions, inputs: Tensor) -> bool:
    """Returns whether kernels can compute this recurrence of an LSTM with a bilinear score."""
    is_supported = options.top_k is not None and inputs.dtype in (torch.float, torch.double)
    return is_supported and has_kernels(inputs.device)


def _recurrence_as_graph(
    cell: AttentiveCell,
    options: AttentiveOptions,
    inputs: Tensor,
    mask: Optional[BoolTensor],
    start: State,
    initial: Memories,
) -> AttentiveResult:
    """
    Runs all steps in a graph: full backpropagation through time with autograd, for options that
    read all memories or none.
    """
    memory = WindowMemories() if options.top_k == 0 else AllMemories(initial)
    masks = masks_of_steps(mask, len(inputs))
    (window,) = options.windows(len(inputs))
    steps = list(recurrence_steps(cell, options, window, inputs, masks, start, memory))
    outputs = torch.stack([step.state.hidden for step in steps])
    if options.top_k != 0:
        nothing = torch.zeros_like(start.hidden)
        summaries = [nothing if step.summary is None else step.summary for step in steps]
        outputs = torch.cat([outputs, torch.stack(summaries)], dim=-1)
    memories = memory.joined() if isinstance(memory, AllMemories) else initial
    return AttentiveResult(
        outputs, steps[-1].state.cell_state.detach(), memories.values.detach(), memories.present
    )


@uncompiled
def attentive_reads(
    cell: AttentiveCell,
    options: AttentiveOptions,
    inputs: Tensor,
    mask: Optional[BoolTensor],
    start: State,
    initial: Memories,
) -> AttentiveReads:
    """
    Runs a recurrence again, with torch and without a graph, to find which memories its steps read.
    Parameters and errors are those of `attentive_recurrence`, which does not keep the weights.

    # Returns

    `AttentiveReads`
    """
    _check(cell.as_bilinear(), inputs, mask, start, initial)
    inputs = _without_padding(inputs, mask)
    num_steps, batch_size, _ = inputs.shape
    capacity = initial.size + options.num_stored(num_steps)
    memory = RecordedMemories(initial, capacity, options.top_k)
    masks = masks_of_steps(mask, num_steps)
    with torch.no_grad():
        for _ in recurrence_steps(cell, options, range(num_steps), inputs, masks, start, memory):
            pass
    kept = max(weights.size(1) for weights in memory.weights)
    index = inputs.new_full((num_steps, batch_size, kept), -1, dtype=torch.long)
    all_weights = inputs.new_zeros(num_steps, batch_size, kept)
    for step, (weights, selected) in enumerate(zip(memory.weights, memory.selected, strict=True)):
        all_weights[step, :, : weights.size(1)] = weights
        index[step, :, : weights.size(1)] = selected[:, : weights.size(1)]
    number = (index - (initial.size - 1)).clamp(min=0)  # of those that the steps stored, from 1
    if mask is not None:
        number, all_weights = number * mask.unsqueeze(-1), all_weights * mask.unsqueeze(-1)
    return AttentiveReads(number * options.attend_every, all_weights)


def _without_padding(inputs: Tensor, mask: Optional[BoolTensor]) -> Tensor:
    """Returns inputs that are zero where masked: NaN would spread."""
    return inputs if mask is None else inputs.masked_fill(~mask.unsqueeze(-1), 0)


_TENSORS = Signature(
    Argument("inputs", FLOATS, ("steps", "batch_size", "input_size")),
    Argument("mask", TRUTH_VALUES, ("steps", "batch_size"), is_optional=True),
    Argument("start.hidden", FLOATS, ("batch_size", "hidden_size")),
    Argument("start.cell_state", FLOATS, ("batch_size", "hidden_size")),
    Argument("initial.keys", FLOATS, ("batch_size", "memories", "key_size")),
    Argument("initial.values", FLOATS, ("batch_size", "memories", "hidden_size")),
    Argument("initial.present", TRUTH_VALUES, ("batch_size", "memories"), is_optional=True),
)
_WEIGHTS = Signature(
    Argument("inputs", FLOATS, ("...", "input_size")),
    Argument("initial.keys", FLOATS, ("...", "key_size")),
    Argument("weight_ih", FLOATS, ("num_gates", "input_size")),
    Argument("weight_hh", FLOATS, ("num_gates", "hidden_size")),
    Argument("bias", FLOATS, ("num_gates",)),
    Argument("query_weight", FLOATS, ("key_size", "hidden_size")),
    Argument("query_bias", FLOATS, ("key_size",)),
    Argument("key_weight", FLOATS, ("key_size", "hidden_size")),
)


def _check(
    bilinear: Optional[BilinearCell],
    inputs: Tensor,
    mask: Optional[BoolTensor],
    start: State,
    initial: Memories,
) -> None:
    """
    Checks the tensors passed to `attentive_recurrence`.

    # Raises

    `TypeError`, `ValueError`
        If shapes or types do not fit, or there are no steps.
    """
    _TENSORS.check(inputs, mask, *start, *initial)
    if len(inputs) == 0:
        raise ValueError(f"Expected a step at least, but found inputs of shape {inputs.shape}.")
    if bilinear is not None:
        _check_weights(bilinear.weights, inputs, start, initial)
    tensors = {**start._asdict(), "keys": initial.keys, "values": initial.values}
    for name, tensor in tensors.items():
        if tensor.dtype != inputs.dtype:
            raise TypeError(
                f"Expected {name} of the type of the inputs, {inputs.dtype}, but found "
                f"{tensor.dtype}."
            )


def _check_weights(
    weights: BilinearWeights, inputs: Tensor, start: State, initial: Memories
) -> None:
    """Checks that the parameters of a cell fit the other tensors, in shape and type."""
    size = start.hidden.size(1)
    _WEIGHTS.check(inputs, initial.keys, *weights, num_gates=4 * size, hidden_size=size)
    if any(weight.dtype != inputs.dtype for weight in weights):
        raise TypeError(
            f"Expected weights of the type of the inputs, {inputs.dtype}, but found "
            f"{', '.join(str(weight.dtype) for weight in weights)}."
        )
