"""Token vectors and (soft or hard) arcs to token vectors that know their heads."""

from typing import Optional

import torch
from allennlp.common import FromParams
from torch import Tensor


class ArcEncoder(torch.nn.Module, FromParams):
    """
    Each token's vector, followed by the sum of its heads' vectors, each weighted by its arc:
    `[x_i ; sum_h z_ih x_h]`. The result is linear in the arcs, so that every candidate head, chosen
    or not, has a gradient; a linear layer on top is the "soft head word" of
    [Peng et al. (2018)](https://aclanthology.org/P18-1173).

    # Parameters

    input_dim : `int`
        The size of a token vector. Given by the model, not by the config.
    head_dim : `int`, optional (default = `None`)
        Project the heads' vectors to this size first. By default they are taken as they are.
    """

    def __init__(self, input_dim: int, head_dim: Optional[int] = None) -> None:
        super().__init__()
        self._project = torch.nn.Linear(input_dim, head_dim) if head_dim else torch.nn.Identity()
        self.output_dim = input_dim + (head_dim or input_dim)

    def forward(self, tokens: Tensor, arcs: Tensor) -> Tensor:
        """
        # Parameters

        tokens : `Tensor`
            Shape `(batch_size, length, input_dim)`.
        arcs : `Tensor`
            Shape `(batch_size, dependent, head)`, in [0, 1].

        # Returns

        `Tensor`
            Shape `(batch_size, length, output_dim)`.
        """
        heads = torch.bmm(arcs.to(tokens.dtype), self._project(tokens))
        return torch.cat([tokens, heads], dim=-1)
