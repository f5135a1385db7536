"""
Sparse attentive backtracking in torch: gradients that stop at the start of a window.

Autograd could do this on a graph of all steps that is cut between windows, but it would keep
everything that every step computed. Instead, `TruncatedBackpropagation` keeps only the outputs, a
state per window, the memories, and the indices of those that were read. Its backward pass takes the
windows from the last to the first, and recomputes the steps of each as a graph. The leaves of the
graph are the state before the window and the memories that it read. Autograd differentiates this
graph. When a window is reached, all later windows are done, so their contributions to the gradients
of its memories are complete, and are passed on to the steps that stored these.

A window, or an instance in it, that no gradient reaches costs nothing.
"""

from itertools import islice
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import BoolTensor, LongTensor, Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from spigot_allennlp.nn.attentive.cell import (
    AttentiveCell,
    AttentiveOptions,
    AttentiveResult,
    RecurrenceTensors,
    State,
)
from spigot_allennlp.nn.attentive.forward import (
    ForwardPass,
    StepResult,
    forward_pass,
    masks_of_steps,
    recurrence_steps,
)
from spigot_allennlp.nn.attentive.memory import (
    AllMemories,
    Memories,
    SelectedMemories,
    WindowMemories,
)
from spigot_allennlp.nn.devices import without_autocast


class TruncatedSettings(NamedTuple):
    """
    The arguments of `TruncatedBackpropagation` that have no gradient.

    # Parameters

    cell : `AttentiveCell`
    options : `AttentiveOptions`
    mask : `BoolTensor`, optional
        Shape `(steps, batch_size)`.
    present : `BoolTensor`, optional
        Which of the initial memories exist, `(batch_size, memories)`.
    """

    cell: AttentiveCell
    options: AttentiveOptions
    mask: Optional[BoolTensor]
    present: Optional[BoolTensor]


class TruncatedBackpropagation(torch.autograd.Function):
    """
    Takes settings, the fields of `RecurrenceTensors`, and the parameters of the cell. Returns an
    `AttentiveResult` as a plain tuple. Its outputs are differentiable once.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx, settings: TruncatedSettings, *tensors_and_parameters: Tensor
    ) -> AttentiveResult:
        num_tensors = len(RecurrenceTensors._fields)
        tensors = RecurrenceTensors(*tensors_and_parameters[:num_tensors])
        parameters = tensors_and_parameters[num_tensors:]
        inputs, (cell, options, mask, present) = tensors.inputs, settings
        initial = Memories(tensors.initial_keys, tensors.initial_values, present)
        # copies, since the caller may change them in place before the backward pass
        start = State(*(tensor.clone() for tensor in tensors.start))
        mask = None if mask is None else mask.clone()
        result = forward_pass(cell, options, inputs, mask, start, initial)
        ctx.settings = settings._replace(cell=_with_present_parameters(cell), mask=mask)
        ctx.num_initial = initial.size
        # without the outputs, which refer to this context
        ctx.forward_pass = result._replace(outputs=inputs.new_empty(0))
        ctx.save_for_backward(inputs, *parameters)
        last_cell_state, all_values = result.last_cell_state.clone(), result.memories.values.clone()
        ctx.mark_non_differentiable(last_cell_state, all_values)
        return AttentiveResult(result.outputs, last_cell_state, all_values, result.memories.present)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor, *_: Any) -> Tuple[Optional[Tensor], ...]:
        inputs, *parameters = ctx.saved_tensors
        backward = _BackwardPass(
            ctx.settings, ctx.forward_pass, ctx.num_initial, inputs, parameters
        )
        # like the forward pass: under autocast, steps and their gradients would have different
        # types
        with without_autocast(inputs.device):
            for window_index in reversed(range(len(ctx.forward_pass.starts))):
                backward.backward_through_window(window_index, gradient)
        return None, *backward.gradients(parameters)


def _with_present_parameters(cell: AttentiveCell) -> AttentiveCell:
    """
    Returns a cell that computes with the parameters that `cell` has at present, even if `cell` has
    others in the backward pass. (`torch.func.functional_call` replaces those of a module for the
    duration of a call.) A cell that is no module is returned as it is.
    """
    if not isinstance(cell, torch.nn.Module):
        return cell
    same = cell.__new__(type(cell))
    vars(same).update(
        vars(cell),
        _parameters=dict(cell._parameters),
        _buffers=dict(cell._buffers),
        _modules={name: _with_present_parameters(part) for name, part in cell._modules.items()},
    )
    return same


class _BackwardPass:
    """
    Sums the gradients window by window.

    # Parameters

    settings : `TruncatedSettings`
    forward : `ForwardPass`
        Its outputs are not read.
    num_initial : `int`
        The number of memories before the first step.
    inputs : `Tensor`
        Shape `(steps, batch_size, input_size)`.
    parameters : `Sequence[Tensor]`
    """

    def __init__(
        self,
        settings: TruncatedSettings,
        forward: ForwardPass,
        num_initial: int,
        inputs: Tensor,
        parameters: Sequence[Tensor],
    ) -> None:
        self._settings, self._forward, self._inputs = settings, forward, inputs
        self._num_initial = num_initial
        self._windows = settings.options.windows(len(inputs))
        self._masks = masks_of_steps(settings.mask, len(inputs))
        self._trained = [parameter for parameter in parameters if parameter.requires_grad]
        keys, values, _ = forward.memories
        self._input_gradients = torch.zeros_like(inputs)
        self._start_gradients = [torch.zeros_like(tensor) for tensor in forward.starts[0]]
        self._key_gradients = inputs.new_zeros(keys.shape)
        self._value_gradients = inputs.new_zeros(values.shape)
        self._trained_gradients = [torch.zeros_like(parameter) for parameter in self._trained]

    def gradients(self, parameters: Sequence[Tensor]) -> List[Optional[Tensor]]:
        """
        Returns the gradients of inputs, start, initial keys and values, and parameters; `None` for
        those that need no gradient.
        """
        trained = iter(self._trained_gradients)
        return [
            self._input_gradients,
            *self._start_gradients,
            self._key_gradients[:, : self._num_initial],
            self._value_gradients[:, : self._num_initial],
            *(next(trained) if parameter.requires_grad else None for parameter in parameters),
        ]

    def backward_through_window(self, window_index: int, output_gradients: Tensor) -> None:
        """
        Propagates the gradients of the outputs of a window, and of the memories that it stored, to
        everything that these depend on.
        """
        window = self._windows[window_index]
        arriving = self._gradients_of_window(window, output_gradients)
        rows = arriving.reached_rows()
        if not len(rows):
            return
        cell, options = self._settings.cell, self._settings.options
        begin, end = window.start, window.stop
        with torch.enable_grad():
            inputs = self._inputs[begin:end, rows].requires_grad_()
            start = State(
                *(tensor[rows].requires_grad_() for tensor in self._forward.starts[window_index])
            )
            memory = self._memories(window, rows)
            masks = [None if mask is None else mask[rows] for mask in self._masks[begin:end]]
            steps = recurrence_steps(cell, options, window, inputs, masks, start, memory)
            targets, target_gradients = arriving.targets(list(steps), memory, rows)
            leaves = [inputs, *start, *self._trained, *memory.leaves]
            gradients = torch.autograd.grad(targets, leaves, target_gradients, allow_unused=True)
        remaining = iter(gradients)  # in the order of the leaves
        self._input_gradients[begin:end, rows] = next(remaining)
        of_start = list(islice(remaining, len(start)))
        of_trained = list(islice(remaining, len(self._trained)))
        of_memory = list(remaining)
        if begin == 0:
            for total, gradient in zip(self._start_gradients, of_start, strict=True):
                if gradient is not None:
                    total[rows] = gradient
        for total, gradient in zip(self._trained_gradients, of_trained, strict=True):
            if gradient is not None:
                total += gradient
        memory.accumulate_gradients(of_memory, rows, self._key_gradients, self._value_gradients)

    def _gradients_of_window(self, window: range, output_gradients: Tensor) -> "_WindowGradients":
        """Returns the gradients that have reached a window after all later ones are done."""
        hidden_size = self._value_gradients.size(-1)
        outputs = output_gradients[window.start : window.stop]
        stored = slice(self._memories_before(window.start), self._memories_before(window.stop))
        return _WindowGradients(
            outputs[..., :hidden_size],
            outputs[..., hidden_size:] if outputs.size(-1) > hidden_size else None,
            self._key_gradients[:, stored],
            self._value_gradients[:, stored],
        )

    def _memories(self, window: range, rows: LongTensor) -> WindowMemories:
        """Returns the memories that the steps of a window read, as in the forward pass."""
        top_k, before = self._settings.options.top_k, self._memories_before(window.start)
        memories = self._forward.memories
        if top_k == 0:
            return WindowMemories()
        if top_k is not None:
            selected = self._forward.selected[window.start : window.stop]
            return SelectedMemories(memories, before, selected, rows, top_k)
        present = memories.present
        return AllMemories(
            Memories(
                memories.keys[rows, :before].requires_grad_(),
                memories.values[rows, :before].requires_grad_(),
                None if present is None else present[rows, :before],
            )
        )

    def _memories_before(self, step: int) -> int:
        """Returns the number of memories before `step`."""
        return self._num_initial + self._settings.options.num_stored(step)


class _WindowGradients(NamedTuple):
    """
    The gradients that reach a window.

    # Parameters

    states : `Tensor`
        Shape `(steps, batch_size, hidden_size)`.
    summaries : `Tensor`, optional
        Shape `(steps, batch_size, hidden_size)`; `None` if nothing is ever read.
    keys : `Tensor`
        Shape `(batch_size, stored, key_size)`: of the memories that the window stored.
    values : `Tensor`
        Shape `(batch_size, stored, hidden_size)`.
    """

    states: Tensor
    summaries: Optional[Tensor]
    keys: Tensor
    values: Tensor

    def reached_rows(self) -> LongTensor:
        """Returns the instances with any nonzero gradient."""
        reached = (self.states != 0).any(dim=2).any(dim=0)
        for gradients in (self.keys, self.values):
            reached |= (gradients != 0).any(dim=2).any(dim=1)
        if self.summaries is not None:
            reached |= (self.summaries != 0).any(dim=2).any(dim=0)
        return reached.nonzero().squeeze(-1)

    def targets(
        self, steps: Sequence[StepResult], memory: WindowMemories, rows: LongTensor
    ) -> Tuple[List[Tensor], List[Tensor]]:
        """Returns the recomputed results for `rows`, and their gradients."""
        targets = [step.state.hidden for step in steps] + memory.keys + memory.values
        gradients = [*self.states, *self.keys.unbind(1), *self.values.unbind(1)]
        if self.summaries is not None:
            for step, gradient in zip(steps, self.summaries, strict=True):
                if step.summary is not None:
                    targets.append(step.summary)
                    gradients.append(gradient)
        return targets, [gradient[rows] for gradient in gradients]
