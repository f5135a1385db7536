"""One step of an LSTM that reads its own past states."""

from typing import Optional, Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.modules.memory_score.memory_score import MemoryScore
from spigot_allennlp.nn.attentive.cell import AttentiveCell, BilinearWeights, State
from spigot_allennlp.nn.attentive.memory_weights import Weights, threshold_weights


class AttentiveLstmCell(torch.nn.Module, AttentiveCell):
    """
    See `AttentiveCell`. Weights and biases are laid out as those of `torch.nn.LSTM` (gates in the
    order input, forget, cell, output), with one bias, not two. Weights of the input start with the
    variance `1 / input_size`, so that inputs of variance one leave a trace in the state; recurrent
    ones orthogonal, gate by gate; and the bias of the forget gate at one; or, under
    `longest_memory`, the biases of forget and input gates so that units forget within times from
    one step to that many ([Tallec & Ollivier, 2018](https://arxiv.org/abs/1804.11188)).

    # Parameters

    input_size : `int`
    score : `MemoryScore`, optional (default = `None`)
        Needed only where memories are read.
    weights : `Weights`
    hidden_size : `int`
    top_k : `int`
        How many memories `weigh` keeps.
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
        weights: Weights,
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
        self._weights = weights
        self._top_k = top_k
        self._smoothing = smoothing
        self._longest_memory = longest_memory
        self.reset_parameters()

    def reset_parameters(self) -> None:
        torch.nn.init.kaiming_uniform_(self.weight_ih, nonlinearity="linear")
        with torch.no_grad():
            for gate in self.weight_hh.split(self.hidden_size):
                torch.nn.init.orthogonal_(gate)
            enter, keep, _, _ = self.bias.zero_().split(self.hidden_size)
            keep.fill_(1)
            if self._longest_memory is not None:
                keep.uniform_(1, self._longest_memory - 1).log_()
                enter.copy_(-keep)

    def project(self, inputs: Tensor) -> Tensor:
        return torch.nn.functional.linear(inputs, self.weight_ih, self.bias)

    def step(self, projected: Tensor, state: State) -> State:
        gates = torch.addmm(projected, state.hidden, self.weight_hh.t())
        enter, keep, new, leave = gates.chunk(4, dim=-1)
        cell = torch.addcmul(enter.sigmoid() * new.tanh(), keep.sigmoid(), state.cell)
        return State(leave.sigmoid() * cell.tanh(), cell)

    def key(self, value: Tensor) -> Tensor:
        assert self._score is not None
        return self._score.key(value)

    def score(self, hidden: Tensor, keys: Tensor) -> Tensor:
        assert self._score is not None
        return self._score(hidden, keys)

    def weigh(self, scores: Tensor, present: Optional[BoolTensor]) -> Tensor:
        top_k = scores.size(-1) if self._top_k is None else self._top_k
        return self._weights(scores, top_k, self._smoothing, present)

    def as_bilinear(self) -> Optional[Tuple[BilinearWeights, float]]:
        own = self.weight_ih, self.weight_hh, self.bias
        if self._top_k == 0:
            none = self.weight_hh[:0]
            return BilinearWeights(*own, none, self.bias[:0], none), self._smoothing
        if self._weights is not threshold_weights:
            return None
        assert self._score is not None
        score = self._score.as_bilinear()
        return None if score is None else (BilinearWeights(*own, *score), self._smoothing)
