"""Sparse attentive backtracking written out: all steps in one graph, cut where the paper cuts."""

from typing import List, Optional, Tuple

import torch
from torch import Tensor


class SlowCell(torch.nn.Module):
    """An LSTM cell with an additive score, for one instance; all in plain formulas."""

    def __init__(self, input_size: int, hidden_size: int, size: int) -> None:
        super().__init__()
        shapes = {
            "weight_ih": (4 * hidden_size, input_size),
            "weight_hh": (4 * hidden_size, hidden_size),
            "bias": (4 * hidden_size,),
            "query": (size, hidden_size),
            "offset": (size,),
            "memory": (size, hidden_size),
            "output": (size,),
        }
        for name, shape in shapes.items():
            parameter = torch.nn.Parameter(torch.randn(shape, dtype=torch.double))
            self.register_parameter(name, parameter)

    def lstm(self, x: Tensor, h: Tensor, c: Tensor) -> Tuple[Tensor, Tensor]:
        i, f, g, o = (self.weight_ih @ x + self.weight_hh @ h + self.bias).view(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c

    def score(self, h: Tensor, m: Tensor) -> Tensor:
        return self.output @ (self.query @ h + self.offset + self.memory @ m).tanh()


def slow_outputs(
    cell: SlowCell,
    inputs: Tensor,
    attend_every: int,
    top_k: Optional[int],
    truncation: Optional[int],
    smoothing: float,
    stored: str = "state",
) -> Tensor:
    """Returns states and summaries of an instance, `(length, 2 * hidden_size)`: see `slow_run`."""
    return slow_run(cell, inputs, attend_every, top_k, truncation, smoothing, stored)[0]


def slow_run(
    cell: SlowCell,
    inputs: Tensor,
    attend_every: int,
    top_k: Optional[int],
    truncation: Optional[int],
    smoothing: float,
    stored: str = "state",
) -> Tuple[Tensor, List[Tensor]]:
    """
    Returns states and summaries of an instance, `(length, 2 * hidden_size)`, and for each step the
    weights of all memories that there were. The graph is cut between windows, by detaching the
    state; memories are not detached. The first memory is zero.
    """
    h = c = torch.zeros(cell.weight_hh.size(1), dtype=torch.double)
    memories: List[Tensor] = [h]
    outputs, all_weights = [], []
    for step, x in enumerate(inputs):
        if truncation and step % truncation == 0:
            h, c = h.detach(), c.detach()
        h, c = cell.lstm(x, h, c)
        scores = torch.stack([cell.score(h, m) for m in memories])
        summary = torch.zeros_like(h)
        all_weights.append(_weights(scores, top_k, smoothing))
        for weight, memory in zip(all_weights[-1], memories, strict=True):
            summary = summary + weight * memory
        provisional, h = h, h + summary
        outputs.append(torch.cat([h, summary]))
        if (step + 1) % attend_every == 0:
            memories.append(h if stored == "state" else provisional)
    return torch.stack(outputs), all_weights


def _weights(scores: Tensor, top_k: Optional[int], smoothing: float) -> Tensor:
    if top_k is None:
        return scores.exp() / scores.exp().sum()
    order = sorted(range(len(scores)), key=lambda place: -scores[place].item())
    threshold = scores[order[min(top_k, len(order) - 1)]]
    kept = order[:top_k]
    excess = {place: scores[place] - threshold + smoothing / len(kept) for place in kept}
    total = sum(excess.values())
    zero = torch.zeros_like(threshold)
    return torch.stack([excess[p] / total if p in excess else zero for p in range(len(scores))])
