"""The encoders that are compared, and a training step of one."""

from typing import Callable, Dict

import torch
from torch import Tensor

from spigot_allennlp.modules.seq2seq_encoders.sparse_attentive_lstm import SparseAttentiveLstm

BATCH_SIZE, INPUT_SIZE, HIDDEN_SIZE = 16, 12, 64


class CellLoop(torch.nn.Module):
    """`torch.nn.LSTMCell`, step by step, with full backpropagation."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = torch.nn.LSTMCell(INPUT_SIZE, HIDDEN_SIZE)

    def forward(self, inputs: Tensor) -> Tensor:
        state, outputs = None, []
        for step in inputs.unbind(1):
            state = self.cell(step, state)
            outputs.append(state[0])
        return torch.stack(outputs, dim=1)


class WholeLstm(torch.nn.Module):
    """`torch.nn.LSTM`, all steps in one call."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(INPUT_SIZE, HIDDEN_SIZE, batch_first=True)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.lstm(inputs)[0]


def _ours(**settings: object) -> Callable[[], torch.nn.Module]:
    return lambda: SparseAttentiveLstm(INPUT_SIZE, HIDDEN_SIZE, **settings)  # type: ignore[arg-type]


ENCODERS: Dict[str, Callable[[], torch.nn.Module]] = {
    "sparse_attentive": _ours(attend_every=10, top_k=5, truncation=10),
    "sparse_attentive, every step": _ours(attend_every=1, top_k=5, truncation=10),
    "truncated": _ours(top_k=0, truncation=10),
    "full": _ours(top_k=0, truncation=None),
    "self_attention": _ours(attend_every=1, top_k=None, truncation=None),
    "nn.LSTMCell": CellLoop,
    "nn.LSTM": WholeLstm,
}


def training_step(encoder: torch.nn.Module, inputs: Tensor, scored: int) -> None:
    """Forward and backward from the last so many steps, as if they were scored."""
    encoder.zero_grad()
    encoder(inputs)[:, -scored:].square().sum().backward()


def random_inputs(length: int) -> Tensor:
    return torch.randn(BATCH_SIZE, length, INPUT_SIZE, generator=torch.Generator().manual_seed(1))
