"""Implements the LSTM cell of a recurrence that reads its own past states."""

from typing import Optional

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.modules.memory_score import MemoryScore
from spigot_allennlp.nn.attentive.cell import AttentiveCell, BilinearCell, BilinearWeights, State
from spigot_allennlp.nn.attentive.memory import WeightRule, threshold_weights


class AttentiveLstmCell(torch.nn.Module, AttentiveCell):
    """
    Implements `AttentiveCell` with an LSTM. Weights and biases are laid out as in `torch.nn.LSTM`
    (gates in the order input, forget, cell, output), but with one bias, not two.

    Input weights are initialised with variance `1 / input_size`, so that inputs of variance one
    leave a trace in the state. Recurrent weights are orthogonal, gate by gate, and the bias of the
    forget gate is one. With `longest_memory` the biases of forget and input gates are sampled
    instead, so that the units forget within one to `longest_memory` steps
    ([Tallec & Ollivier, 2018](https://arxiv.org/abs/1804.11188)).

    # Parameters

    input_size : `int`
    hidden_size : `int`
    score : `MemoryScore`, optional
        `None` if no memories are read.
    weight_rule : `WeightRule`
        How scores become weights; see `threshold_weights`.
    top_k : `int`, optional
        How many memories `weigh` keeps; `None` for all.
    smoothing : `float`
        See `threshold_weights`.
    longest_memory : `int`, optional (default = `None`)
        In steps.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        score: Optional[MemoryScore],
        weight_rule: WeightRule,
        top_k: Optional[int],
        smoothing: float,
        longest_memory: Optional[int] = None,
    ) -> None:
        super().__init__()
        self.weight_ih = torch.nn.Parameter(torch.empty(4 * hidden_size, input_size))
        self.weight_hh = torch.nn.Parameter(torch.empty(4 * hidden_size, hidden_size))
        self.bias = torch.nn.Parameter(torch.zeros(4 * hidden_size))
        self.hidden_size = hidden_size
        self._score = score
        self._weight_rule = weight_rule
        self._top_k = top_k
        self._smoothing = smoothing
        self._longest_memory = longest_memory
        self.reset_parameters()

    def reset_parameters(self) -> None:
        torch.nn.init.kaiming_uniform_(self.weight_ih, nonlinearity="linear")
        with torch.no_grad():
            for gate in self.weight_hh.split(self.hidden_size):
                torch.nn.init.orthogonal_(gate)
            input_bias, forget_bias, _, _ = self.bias.zero_().split(self.hidden_size)
            forget_bias.fill_(1)
            if self._longest_memory is not None:
                forget_bias.uniform_(1, self._longest_memory - 1).log_()
                input_bias.copy_(-forget_bias)

    def project(self, inputs: Tensor) -> Tensor:
        return torch.nn.functional.linear(inputs, self.weight_ih, self.bias)

    def step(self, projected: Tensor, state: State) -> State:
        gates = torch.addmm(projected, state.hidden, self.weight_hh.t())
        input_gate, forget_gate, candidate, output_gate = gates.chunk(4, dim=-1)
        new = input_gate.sigmoid() * candidate.tanh()
        cell_state = torch.addcmul(new, forget_gate.sigmoid(), state.cell_state)
        return State(output_gate.sigmoid() * cell_state.tanh(), cell_state)

    def key(self, value: Tensor) -> Tensor:
        assert self._score is not None
        return self._score.key(value)

    def score(self, hidden: Tensor, keys: Tensor) -> Tensor:
        assert self._score is not None
        return self._score(hidden, keys)

    def weigh(self, scores: Tensor, present: Optional[BoolTensor]) -> Tensor:
        top_k = scores.size(-1) if self._top_k is None else self._top_k
        return self._weight_rule(scores, top_k, self._smoothing, present)

    def as_bilinear(self) -> Optional[BilinearCell]:
        gates = self.weight_ih, self.weight_hh, self.bias
        if self._top_k == 0:
            nothing = self.weight_hh[:0]
            weights = BilinearWeights(*gates, nothing, self.bias[:0], nothing)
            return BilinearCell(weights, self._smoothing)
        if self._weight_rule is not threshold_weights:
            return None
        assert self._score is not None
        form = self._score.as_bilinear()
        if form is None:
            return None
        return BilinearCell(BilinearWeights(*gates, *form), self._smoothing)
