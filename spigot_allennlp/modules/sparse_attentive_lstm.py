"""
Encodes sequences with an LSTM that attends to few of its past states and learns through these.
"""

import math
from typing import NamedTuple, Optional, Tuple

import torch
from allennlp.common import Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.modules import Seq2SeqEncoder
from torch import BoolTensor, Tensor

from spigot_allennlp.config_checks import check_choice, check_least
from spigot_allennlp.modules.attentive_lstm_cell import AttentiveLstmCell
from spigot_allennlp.modules.memory_score import BilinearMemoryScore, MemoryScore
from spigot_allennlp.nn.attentive.attentive import attentive_reads, attentive_recurrence
from spigot_allennlp.nn.attentive.cell import (
    AttentiveOptions,
    AttentiveReads,
    AttentiveResult,
    State,
)
from spigot_allennlp.nn.attentive.memory import WEIGHT_RULES, Memories, softmax_weights
from spigot_allennlp.nn.devices import is_autocasting, without_autocast
from spigot_allennlp.nn.tensor_checks import FLOATS, TRUTH_VALUES, Argument, Signature
from spigot_allennlp.nn.transforms import is_in_backward_pass

_INPUTS = Signature(
    Argument("inputs", FLOATS, ("batch_size", "length", "input_size")),
    Argument("mask", TRUTH_VALUES, ("batch_size", "length"), is_optional=True),
)


@Seq2SeqEncoder.register("sparse_attentive_lstm")
class SparseAttentiveLstm(Seq2SeqEncoder):
    """
    Sparse attentive backtracking ([Ke et al., 2018](https://arxiv.org/abs/1809.03702)): an LSTM
    that stores its state every `attend_every` steps, and its zero initial state. Each step scores
    all stored states, and adds the weighted sum of the `top_k` best to its own state. The gradient
    goes back at most `truncation` steps, to the start of the window. Through a state that a step
    has read, it jumps to the step that stored it, goes back in that window, and so on. So it costs
    little time and memory, however long the sequence; see the docstring of `nn/attentive`.

    Windows begin at multiples of `truncation`. The recurrence itself learns relations between two
    steps only if they are in the same window.

    The same encoder is also its own baselines:

    - `"top_k": 0`: truncated backpropagation of an LSTM without memory,
    - `"top_k": 0, "truncation": null`: full backpropagation through time,
    - `"attend_every": 1, "top_k": null, "truncation": null`: an LSTM with full attention to its
      past, by softmax.

    `reads` returns which memories the steps read; `options` holds the options as
    `AttentiveOptions`.

    The output for each step is the state and the summary of what was read, concatenated to size
    `2 * hidden_size`; with `"top_k": 0` it is only the state. The output is zero where `mask` is
    false; there the state does not change, and nothing is stored. But masked steps count when
    memories are stored and windows begin: padding belongs at the end of a sequence. The output has
    the type of the weights, even in mixed precision, because small differences of scores decide
    what is read.

    Registered as a `Seq2SeqEncoder` with name "sparse_attentive_lstm".

    # Parameters

    input_size : `int`
    hidden_size : `int`
    attend_every : `int`, optional (default = `2`)
    top_k : `int`, optional (default = `10`)
        How many memories a step reads; `None` for all.
    truncation : `int`, optional (default = `10`)
        The number of steps in a window; `None` for full backpropagation.
    score : `Lazy[MemoryScore]`, optional (default = `bilinear`)
    weights : `str`, optional (default = `"threshold"`)
        How scores become weights, `"threshold"` or `"softmax"`; see `threshold_weights`. If all
        memories are read, it is always the softmax.
    stored : `str`, optional (default = `"state"`)
        What a memory is: `"state"`, which includes what the step has read, as published, or
        `"provisional"`, the state before reading. If steps read memories that include the sum of
        earlier memories, states can grow with the length of the sequence; provisional states
        cannot.
    smoothing : `float`, optional (default = `0.1`)
        See `threshold_weights`.
    longest_memory : `int`, optional (default = `None`)
        At least 3: the biases of the gates are sampled so that units forget within one to
        `longest_memory` steps ([Tallec & Ollivier, 2018](https://arxiv.org/abs/1804.11188)), which
        helps to distinguish times. `None`: the bias of the forget gate starts at one.
    stateful : `bool`, optional (default = `False`)
        Whether a batch continues with the states and memories of the previous one; no gradient
        flows between batches.
    max_carried : `int`, optional (default = `100`)
        How many of an instance's latest memories are carried to the next batch, at most, in
        stateful use. The zero is not counted.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        attend_every: int = 2,
        top_k: Optional[int] = 10,
        truncation: Optional[int] = 10,
        score: Lazy[MemoryScore] = Lazy(BilinearMemoryScore),  # noqa: B008 (AllenNLP's idiom)
        weights: str = "threshold",
        stored: str = "state",
        smoothing: float = 0.1,
        longest_memory: Optional[int] = None,
        stateful: bool = False,
        max_carried: int = 100,
    ) -> None:
        super().__init__(stateful)
        check_least(1, input_size=input_size, hidden_size=hidden_size)
        check_least(1, attend_every=attend_every, truncation=truncation)
        check_least(0, top_k=top_k, max_carried=max_carried)
        check_least(3, longest_memory=longest_memory)
        check_choice("weights", weights, WEIGHT_RULES)
        check_choice("stored", stored, ["state", "provisional"])
        if not 0 < smoothing < math.inf:
            raise ConfigurationError(
                f"smoothing is {smoothing}, but must be positive, and finite: without it, memories "
                "with equal scores have no weights."
            )
        self._input_size = input_size
        self.options = AttentiveOptions(attend_every, top_k, truncation, stored == "provisional")
        self._max_carried = max_carried
        self._cell = AttentiveLstmCell(
            input_size,
            hidden_size,
            None if top_k == 0 else score.construct(hidden_size=hidden_size),
            softmax_weights if top_k is None else WEIGHT_RULES[weights],
            top_k,
            smoothing,
            longest_memory,
        )

    def get_input_dim(self) -> int:
        return self._input_size

    def get_output_dim(self) -> int:
        return self.options.output_size(self._cell.hidden_size)

    def is_bidirectional(self) -> bool:
        return False

    def forward(self, inputs: Tensor, mask: Optional[BoolTensor] = None) -> Tensor:
        """
        # Parameters

        inputs : `Tensor`
            Shape `(batch_size, length, input_size)`.
        mask : `BoolTensor`, optional
            Shape `(batch_size, length)`.

        # Returns

        `Tensor`
            Shape `(batch_size, length, output_dim)`.

        # Raises

        `TypeError`, `ValueError`
            If shapes or types do not fit.
        `NotImplementedError`
            In stateful use under `torch.utils.checkpoint`.
        """
        if self.stateful and is_in_backward_pass():
            raise NotImplementedError(
                "A stateful sparse_attentive_lstm cannot run again in the backward pass, as "
                "torch.utils.checkpoint has it: it would begin with the states that this batch has "
                'left. Take it out of the checkpoint, or write "stateful": false.'
            )
        inputs, mask = self._checked(inputs, mask)
        batch_size, length, _ = inputs.shape
        if not batch_size or not length:
            return inputs.new_zeros(batch_size, length, self.get_output_dim())
        with without_autocast(inputs.device):
            arguments = self._recurrence_arguments(inputs, mask)
            result = attentive_recurrence(self._cell, self.options, *arguments)
        if self.stateful:
            self._states = _states_to_carry(result, self._carried, self._max_carried)
        outputs = result.outputs.transpose(0, 1)
        return outputs if mask is None else outputs * mask.unsqueeze(-1)

    def reads(self, inputs: Tensor, mask: Optional[BoolTensor] = None) -> AttentiveReads:
        """
        Returns which memories each step reads and with which weights, without a gradient. This runs
        the recurrence separately from `forward`, and somewhat more slowly. In stateful use it
        starts from the carried states and leaves them unchanged.

        # Parameters

        inputs, mask
            See `forward`.

        # Returns

        `AttentiveReads`
            Its fields have shape `(batch_size, length, kept)`, with the batch first. The zero
            initial state and the carried memories count as stored after 0 steps. With `"top_k": 0`
            nothing is read, and `kept` is 0.
        """
        inputs, mask = self._checked(inputs, mask)
        batch_size, length, _ = inputs.shape
        if not batch_size or not length:
            nothing = inputs.new_zeros(batch_size, length, 0)
            return AttentiveReads(nothing.long(), nothing)
        with without_autocast(inputs.device):
            arguments = self._recurrence_arguments(inputs, mask)
            reads = attentive_reads(self._cell, self.options, *arguments)
        return AttentiveReads(*(field.transpose(0, 1) for field in reads))

    def _checked(
        self, inputs: Tensor, mask: Optional[BoolTensor]
    ) -> Tuple[Tensor, Optional[BoolTensor]]:
        """Returns inputs in the type of the weights, and the mask, or `None` if it is all true."""
        _INPUTS.check(inputs, mask, input_size=self._input_size)
        dtype = self._cell.weight_ih.dtype
        if is_autocasting(inputs.device):
            inputs = inputs.to(dtype)
        if inputs.dtype != dtype:
            raise TypeError(
                f"Expected inputs of the type of the weights, {dtype}, but found {inputs.dtype}."
            )
        return inputs, None if mask is None or bool(mask.all()) else mask

    @property
    def _carried(self) -> "Optional[CarriedStates]":
        """Returns what the last batch left, in stateful use: with the weights, if they moved."""
        if self._states is None:
            return None
        hidden, cell, values, present = self._states
        weight = self._cell.weight_ih
        return CarriedStates(
            hidden.to(weight), cell.to(weight), values.to(weight), present.to(weight.device)
        )

    def _recurrence_arguments(
        self, inputs: Tensor, mask: Optional[BoolTensor]
    ) -> "_RecurrenceArguments":
        """Returns inputs and mask, steps first, and the initial state and memories of the batch."""
        cell, inputs, mask = self._cell, inputs.transpose(0, 1), None if mask is None else mask.t()
        start = _start_of_batch(self._carried, inputs, cell.hidden_size)
        values, reads = start.values, self.options.top_k != 0
        keys = cell.key(values) if reads else values.new_zeros(*values.shape[:2], 0)
        initial = Memories(keys, values, start.present)
        return _RecurrenceArguments(inputs, mask, start.state, initial)


class _RecurrenceArguments(NamedTuple):
    """The arguments of `attentive_recurrence` after the first two."""

    inputs: Tensor
    mask: Optional[BoolTensor]
    start: State
    initial: Memories


class CarriedStates(NamedTuple):
    """
    What is carried from one batch to the next in stateful use: a tuple of tensors. Their second
    dimension is the batch, so AllenNLP's `reset_states` can reset them.

    # Parameters

    hidden : `Tensor`
        Shape `(1, batch_size, hidden_size)`.
    cell : `Tensor`
        Shape `(1, batch_size, hidden_size)`.
    values : `Tensor`
        Shape `(memories, batch_size, hidden_size)`: the memories, without the zero.
    present : `BoolTensor`
        Shape `(memories, batch_size, 1)`: which of them exist.
    """

    hidden: Tensor
    cell: Tensor
    values: Tensor
    present: BoolTensor


class _Start(NamedTuple):
    """
    The initial state and memories of a batch.

    # Parameters

    state : `State`
    values : `Tensor`
        Shape `(batch_size, memories, hidden_size)`. The first is zero, the initial state: a step
        that needs nothing from the past can read it.
    present : `BoolTensor`, optional
        Shape `(batch_size, memories)`; see `Memories`.
    """

    state: State
    values: Tensor
    present: Optional[BoolTensor]


def _start_of_batch(carried: Optional[CarriedStates], inputs: Tensor, hidden_size: int) -> _Start:
    """
    Returns the start of the instances of `inputs`, `(length, batch_size, input_size)`: the carried
    states, for as many instances as have them. Other instances begin at zero, with the zero as
    their only memory.
    """
    batch_size = inputs.size(1)
    zeros = inputs.new_zeros(batch_size, hidden_size)
    if carried is None:
        return _Start(State(zeros, zeros), zeros.unsqueeze(1), None)
    hidden, cell, values, present = (_fit_batch(states, batch_size) for states in carried)
    rows = torch.nn.functional.pad(present.squeeze(-1).t(), (1, 0), value=True)
    return _Start(
        State(hidden.squeeze(0), cell.squeeze(0)),
        torch.cat([zeros.unsqueeze(1), values.transpose(0, 1)], dim=1),
        None if bool(rows.all()) else rows,
    )


def _states_to_carry(
    result: AttentiveResult, before: Optional[CarriedStates], max_carried: int
) -> CarriedStates:
    """
    Returns what is carried to the next batch, with at most `max_carried` memories of each instance.
    Instances of `before` beyond this batch keep what they had. All tensors are copies: the outputs,
    of which the last state is a part, are the caller's, who may change them in place.
    """
    values = result.values[:, 1:]
    if result.present is None:
        present = torch.ones_like(values[..., 0], dtype=torch.bool)
    else:
        # the missing memories of an instance that ends before the others come first
        order = result.present[:, 1:].long().argsort(dim=1, stable=True)
        present = result.present[:, 1:].gather(1, order)
        values = values.gather(1, order.unsqueeze(-1).expand_as(values))
    latest = slice(max(0, values.size(1) - max_carried), None)
    state = result.last_state
    now = CarriedStates(
        state.hidden.unsqueeze(0),
        state.cell_state.unsqueeze(0),
        values[:, latest].transpose(0, 1),
        present[:, latest].t().unsqueeze(-1),
    )
    batch_size = state.hidden.size(0)
    if before is None or before.hidden.size(1) <= batch_size:
        return CarriedStates(*(states.detach().clone() for states in now))
    return CarriedStates(
        *(
            torch.cat([new, _fit_memories(old[:, batch_size:], len(new))], dim=1).detach()
            for new, old in zip(now, before, strict=True)
        )
    )


def _fit_batch(states: Tensor, batch_size: int) -> Tensor:
    """Returns the states of the first `batch_size` instances; zeros for instances without any."""
    missing = max(0, batch_size - states.size(1))
    return torch.nn.functional.pad(states[:, :batch_size], (0, 0, 0, missing))


def _fit_memories(states: Tensor, number: int) -> Tensor:
    """Returns the latest `number` memories, with zeros in front if there are fewer."""
    missing = max(0, number - len(states))
    latest = states[max(0, len(states) - number) :]
    return torch.nn.functional.pad(latest, (0, 0, 0, 0, missing, 0))
