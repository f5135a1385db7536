"""Encodes a (soft or hard) tree or graph in the vectors of its tokens."""

from typing import Optional

import torch
from allennlp.common import FromParams
from allennlp.nn import Activation
from torch import Tensor

from spigot_allennlp.config_checks import check_least


class ArcEncoder(torch.nn.Module, FromParams):
    """
    Each token's vector, followed by the sum of its heads' vectors, each weighted by its arc:
    `[x_i ; sum_h z_ih x_h]`. The result is linear in the arcs, so every candidate head, chosen or
    not, has a gradient. A linear layer on top gives the "soft head word" of
    [Peng et al. (2018)](https://aclanthology.org/P18-1173).

    # Parameters

    input_dim : `int`
        The size of a token vector. Given by the model, not by the config.
    head_dim : `int`, optional (default = `None`)
        Projects the heads' vectors to this size first. By default they are used as they are.
    """

    def __init__(self, input_dim: int, head_dim: Optional[int] = None) -> None:
        super().__init__()
        check_least(1, head_dim=head_dim)
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


class GraphEncoder(torch.nn.Module, FromParams):
    """
    For each token, an activation of its own vector plus the average over its heads of their vectors
    and of the embeddings of the arcs' labels:

        f(b + W_self x_i + 1 / max(1, N_i) * sum_h (z_ih W_head x_h + sum_l z_ihl W_role e_l))

    with `z_ih = sum_l z_ihl` and the number of heads `N_i = sum_h z_ih`, through which no gradient
    flows. This is how the classifier of [Peng et al. (2018)](https://aclanthology.org/P18-1173)
    uses the graph. Inside `f` and except for the average it is linear in the arcs, so every
    candidate arc, chosen or not, has a gradient. Without a graph, tokens have no heads.

    # Parameters

    input_dim : `int`
        The size of a token vector. Given by the model, not by the config.
    num_labels : `int`
        Given by the model; 1 for unlabelled arcs, which have no embedding.
    output_dim : `int`, optional (default = `100`)
    label_dim : `int`, optional (default = `100`)
        The size of a label's embedding.
    activation : `Activation`, optional (default = `"relu"`)
    """

    def __init__(
        self,
        input_dim: int,
        num_labels: int,
        output_dim: int = 100,
        label_dim: int = 100,
        activation: Optional[Activation] = None,
    ) -> None:
        super().__init__()
        check_least(1, output_dim=output_dim, label_dim=label_dim)
        self.output_dim = output_dim
        self._own = torch.nn.Linear(input_dim, output_dim)
        self._head = torch.nn.Linear(input_dim, output_dim, bias=False)
        self._activation = activation or Activation.by_name("relu")()
        self._labels = None
        if num_labels > 1:
            self._labels = torch.nn.Sequential(
                torch.nn.Linear(num_labels, label_dim, bias=False),  # e_l is a column
                torch.nn.Linear(label_dim, output_dim, bias=False),
            )

    def forward(self, tokens: Tensor, arcs: Optional[Tensor] = None) -> Tensor:
        """
        # Parameters

        tokens : `Tensor`
            Shape `(batch_size, length, input_dim)`.
        arcs : `Tensor`, optional
            Shape `(batch_size, dependent, head, label)`, in [0, 1].

        # Returns

        `Tensor`
            Shape `(batch_size, length, output_dim)`.
        """
        from_token = self._own(tokens)
        if arcs is None:
            return self._activation(from_token)
        arcs = arcs.to(tokens.dtype)
        # (batch_size, dependent, head)
        unlabelled = arcs.sum(dim=-1)
        summed = torch.bmm(unlabelled, self._head(tokens))
        if self._labels is not None:
            # (batch_size, dependent, label): how often each label points at the token
            summed = summed + self._labels(arcs.sum(dim=2))
        num_heads = unlabelled.detach().sum(dim=-1, keepdim=True).clamp(min=1)
        return self._activation(from_token + summed / num_heads)
