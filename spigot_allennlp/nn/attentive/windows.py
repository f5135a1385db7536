"""
An attentive recurrence whose gradient ends at windows, and passes them through memories alone.

Sparse attentive backtracking ([Ke et al., 2018](https://arxiv.org/abs/1809.03702)): within a window
of so many steps gradients take the ordinary way; from a step that read a memory they go on to the
step that stored it, through *that* step's window, and from what was read there further back;
nowhere else. (On the CPU, and for the most common cell, kernels do the same faster; see
`cpu.py`.)

Autograd could do this on a graph of all steps that is cut between windows, but it would keep what
every step computed. So here the backward pass is written by hand, though what a window's gradient
is remains autograd's business: windows are computed anew, from the last to the first, with the
memories from before as leaves. When it is a window's turn all later ones have had theirs, so what
they sent to its memories is complete, and is added to the gradient of the steps that stored them.
What is kept of a step is its output alone; besides, a state per window, the memories, and the
numbers of those that were read. A window, and an instance in it, that no gradient reaches costs
nothing.
"""

from typing import Any, NamedTuple, Optional, Tuple

import torch
from torch import BoolTensor, Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from spigot_allennlp.nn.attentive.cell import BilinearWeights, State
from spigot_allennlp.nn.attentive.cpu import KernelRecurrence, KernelSettings
from spigot_allennlp.nn.attentive.memory_store import Memories
from spigot_allennlp.nn.attentive.reading import Reading
from spigot_allennlp.nn.attentive.reading_all import ReadAll
from spigot_allennlp.nn.attentive.scan import every_row_is_full, scan
from spigot_allennlp.nn.attentive.unrolling import unroll
from spigot_allennlp.nn.attentive.way_back import Given, WayBack
from spigot_allennlp.nn.devices import has_kernels
from spigot_allennlp.nn.tensor_checks import FLOATS, TRUTH_VALUES, Argument, Signature

_RUN = Signature(
    Argument("inputs", FLOATS, ("steps", "batch_size", "input_size")),
    Argument("start.hidden", FLOATS, ("batch_size", "hidden_size")),
    Argument("start.cell", FLOATS, ("batch_size", "hidden_size")),
    Argument("first.keys", FLOATS, ("batch_size", "memories", "key_size")),
    Argument("first.values", FLOATS, ("batch_size", "memories", "hidden_size")),
    Argument("first.present", TRUTH_VALUES, ("batch_size", "memories"), True),
    Argument("given.present", TRUTH_VALUES, ("batch_size", "memories"), True),
    Argument("given.mask", TRUTH_VALUES, ("steps", "batch_size"), True),
)
_WEIGHTS = Signature(
    Argument("inputs", FLOATS, ("...", "input_size")),
    Argument("first.keys", FLOATS, ("...", "key_size")),
    Argument("weight_ih", FLOATS, ("num_gates", "input_size")),
    Argument("weight_hh", FLOATS, ("num_gates", "hidden_size")),
    Argument("bias", FLOATS, ("num_gates",)),
    Argument("query_weight", FLOATS, ("key_size", "hidden_size")),
    Argument("query_bias", FLOATS, ("key_size",)),
    Argument("key_weight", FLOATS, ("key_size", "hidden_size")),
)


class Run(NamedTuple):
    """
    # Parameters

    outputs : `Tensor`
        Differentiable; see `Scan`.
    last : `State`
        The state after the last step; without a gradient, as are the next two.
    values : `Tensor`
        All memories, `(batch_size, memories, hidden_size)`.
    present : `BoolTensor`, optional
        Which of them exist (`None`: all).
    """

    outputs: Tensor
    last: State
    values: Tensor
    present: Optional[BoolTensor]


def run_in_windows(
    given: Given,
    parameters: Tuple[Tensor, ...],
    inputs: Tensor,
    start: State,
    first: Memories,
) -> Run:
    """
    Differentiable once, with respect to `parameters`, all those of the cell, `inputs`, `start`, and
    keys and values of `first`; see `scan`. The layout has a truncation, or a `top_k` above zero.
    """
    _check(given, inputs, start, first)
    tensors = inputs, *start, first.keys, first.values
    bilinear = _for_kernels(given, inputs)
    if bilinear is None:
        outputs, last_cell, values, present = _Windows.apply(given, *tensors, *parameters)
    else:
        weights, smoothing = bilinear
        settings = KernelSettings(given.layout, smoothing, given.mask, given.present)
        outputs, last_cell, values, present = KernelRecurrence.apply(settings, *tensors, *weights)
    last_hidden = outputs[-1, :, : start.hidden.size(-1)].detach()
    return Run(outputs, State(last_hidden, last_cell), values, present)


def run_as_graph(given: Given, inputs: Tensor, start: State, first: Memories) -> Run:
    """
    Full backpropagation through time, all by autograd: for layouts without truncation that read
    either everything or nothing.
    """
    _check(given, inputs, start, first)
    layout, mask = given.layout, given.mask
    assert layout.truncation is None and not layout.top_k
    is_full = every_row_is_full(mask, len(inputs))
    masks = [None if mask is None or full else mask[step] for step, full in enumerate(is_full)]
    read = Reading() if layout.top_k == 0 else ReadAll(first)
    done = unroll(given.cell, layout, 0, inputs, masks, start, read)
    outputs = torch.stack([state.hidden for state in done.states])
    if layout.top_k != 0:
        summaries = [
            torch.zeros_like(start.hidden) if each is None else each for each in done.summaries
        ]
        outputs = torch.cat([outputs, torch.stack(summaries)], dim=-1)
    last, all_memories = State(*(each.detach() for each in done.states[-1])), first
    if isinstance(read, ReadAll):
        all_memories = read.so_far(done.written)
    return Run(outputs, last, all_memories.values.detach(), all_memories.present)


def _check(given: Given, inputs: Tensor, start: State, first: Memories) -> None:
    """
    # Raises

    `TypeError`, `ValueError`
        If shapes or types do not fit, or there is no step.
    """
    _RUN.check(inputs, *start, *first, given.present, given.mask)
    if len(inputs) == 0:
        raise ValueError(f"Expected a step at least, but found inputs of shape {inputs.shape}.")
    whole = given.cell.as_bilinear()
    if whole is not None:
        _check_weights(whole[0], inputs, start, first)
    for name, tensor in {**start._asdict(), "keys": first.keys, "values": first.values}.items():
        if tensor.dtype != inputs.dtype:
            raise TypeError(
                f"Expected {name} of the type of the inputs, {inputs.dtype}, but found "
                f"{tensor.dtype}."
            )


def _check_weights(weights: BilinearWeights, inputs: Tensor, start: State, first: Memories) -> None:
    size = start.hidden.size(1)
    _WEIGHTS.check(inputs, first.keys, *weights, num_gates=4 * size, hidden_size=size)
    if any(weight.dtype != inputs.dtype for weight in weights):
        raise TypeError(
            f"Expected weights of the type of the inputs, {inputs.dtype}, but found "
            f"{', '.join(str(weight.dtype) for weight in weights)}."
        )


def _for_kernels(given: Given, inputs: Tensor) -> Optional[Tuple[BilinearWeights, float]]:
    """The cell as the kernels want it, where they can be used."""
    if given.layout.top_k is None or not has_kernels(inputs.device):
        return None
    return given.cell.as_bilinear() if inputs.dtype in (torch.float, torch.double) else None


class _Windows(torch.autograd.Function):
    """Scans on the way forward, unrolls window after window on the way back."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, given: Given, inputs: Tensor, *more: Tensor
    ) -> Tuple[Tensor, Tensor, Tensor, Optional[BoolTensor]]:
        hidden, cell, keys, values, *parameters = more
        first = Memories(keys, values, given.present)
        done = scan(given.cell, given.layout, inputs, given.mask, State(hidden, cell), first)
        ctx.given, ctx.num_first = given, first.size
        # Without the outputs, which refer to this context.
        ctx.scan = done._replace(outputs=inputs.new_empty(0))
        ctx.save_for_backward(inputs, *parameters)
        last_cell, all_values = done.last.cell.clone(), done.memories.values.clone()
        ctx.mark_non_differentiable(last_cell, all_values)
        return done.outputs, last_cell, all_values, done.memories.present

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor, *_: Any) -> Tuple[Optional[Tensor], ...]:
        inputs, *parameters = ctx.saved_tensors
        way_back = WayBack(ctx.given, ctx.scan, ctx.num_first, inputs, parameters)
        for number in reversed(range(len(ctx.given.layout.windows(len(inputs))))):
            way_back.through(number, gradient)
        first = ctx.num_first
        of_first = way_back.of_keys[:, :first], way_back.of_values[:, :first]
        of_parameters = way_back.of_parameters(parameters)
        return None, way_back.of_inputs, *way_back.of_start, *of_first, *of_parameters
