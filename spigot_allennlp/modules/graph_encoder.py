"""Token vectors and a (soft or hard) graph to token vectors that know their heads and roles."""

from typing import Optional

import torch
from allennlp.common import FromParams
from allennlp.nn import Activation
from torch import Tensor


class GraphEncoder(torch.nn.Module, FromParams):
    """
    For each token an activation of its own vector plus the average, over its heads, of their
    vectors and of the embeddings of the arcs' labels:

        f(b + W_self x_i + 1 / max(1, N_i) * sum_h (z_ih W_head x_h + sum_l z_ihl W_role e_l))

    with `z_ih = sum_l z_ihl`, and `N_i = sum_h z_ih`, the number of heads, through which no
    gradient flows. This is how the graph enters the classifier of
    [Peng et al. (2018)](https://aclanthology.org/P18-1173). Linear in the arcs but for the average,
    so that every candidate arc, chosen or not, has a gradient. Without a graph a token has no head.

    # Parameters

    input_dim : `int`
        The size of a token vector. Given by the model, not by the config.
    num_labels : `int`
        Given by the model; 1 for unlabelled arcs, which get no embedding.
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
        own = self._own(tokens)
        if arcs is None:
            return self._activation(own)
        arcs = arcs.to(tokens.dtype)
        # (batch_size, dependent, head)
        unlabelled = arcs.sum(dim=-1)
        summed = torch.bmm(unlabelled, self._head(tokens))
        if self._labels is not None:
            # (batch_size, dependent, label): how often each label points at the token
            summed = summed + self._labels(arcs.sum(dim=2))
        num_heads = unlabelled.detach().sum(dim=-1, keepdim=True).clamp(min=1)
        return self._activation(own + summed / num_heads)
