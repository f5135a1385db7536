"""Scores every pair of a dependent and a head, from the vectors of the tokens."""

from typing import List, NamedTuple, Optional, Sequence

import torch
from allennlp.common import Registrable
from allennlp.nn import Activation
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.config_checks import check_least
from spigot_allennlp.nn.arcs import at_heads
from spigot_allennlp.nn.best_outputs import BestOutputs, best_of_block
from spigot_allennlp.nn.dropout import Dropout

# Numbers in a block of scores, 1 MB: it is written and read while in the processor's cache.
BLOCK_SIZE = 2**18


class PairScorer(torch.nn.Module, Registrable):
    """
    Scores every pair of a dependent and a head: the arc, or each of its labels.

    # Parameters

    input_dim : `int`
        The size of a token vector. Given by the model, not by the config.
    num_outputs : `int`
        How many scores a pair has: 1 for arcs, the number of labels for labels. Given by the model.
    """

    def __init__(self, input_dim: int, num_outputs: int) -> None:
        super().__init__()
        self.input_dim = input_dim
        self.num_outputs = num_outputs

    def forward(self, tokens: Tensor, mask: Optional[BoolTensor] = None) -> Tensor:
        """
        # Parameters

        tokens : `Tensor`
            Shape `(batch_size, length, input_dim)`.
        mask : `BoolTensor`, optional (default = `None`)
            Shape `(batch_size, length)`: false on padding, on which the scores of other pairs must
            not depend. By default there is no padding.

        # Returns

        `Tensor`
            Shape `(batch_size, length, length, num_outputs)`, indexed
            `[batch, dependent, head, output]`.
        """
        raise NotImplementedError

    def best_outputs(
        self, tokens: Tensor, legal: BoolTensor, mask: Optional[BoolTensor] = None
    ) -> BestOutputs:
        """
        Returns the best legal output of every pair. Override this only for speed.

        # Parameters

        tokens : `Tensor`
            Shape `(batch_size, length, input_dim)`.
        legal : `BoolTensor`
            Shape `(length, num_outputs)`: which outputs a pair with that head may have.
        mask : `BoolTensor`, optional (default = `None`)
            As in `forward`.
        """
        return BestOutputs(*self(tokens, mask).masked_fill(~legal, -torch.inf).max(dim=-1))

    def scores_at_heads(
        self, tokens: Tensor, trees: Sequence[LongTensor], mask: Optional[BoolTensor] = None
    ) -> List[Tensor]:
        """
        Returns, for each tree, the scores of the outputs of its own arcs, shape
        `(batch_size, length, num_outputs)`. Override this only for speed.

        # Parameters

        tokens : `Tensor`
            Shape `(batch_size, length, input_dim)`.
        trees : `Sequence[LongTensor]`
            Shape `(batch_size, length)`: the position of each token's head.
        mask : `BoolTensor`, optional (default = `None`)
            As in `forward`.
        """
        scores = self(tokens, mask)
        return [at_heads(scores, heads) for heads in trees]

    def scores_of_pairs(
        self, tokens: Tensor, pairs: LongTensor, mask: Optional[BoolTensor] = None
    ) -> Tensor:
        """
        Returns the scores of the outputs of some pairs, shape `(num_pairs, num_outputs)`. Override
        this only for speed.

        # Parameters

        tokens : `Tensor`
            Shape `(batch_size, length, input_dim)`.
        pairs : `LongTensor`
            Shape `(num_pairs, 3)`: the number in the batch, dependent and head of each pair.
        mask : `BoolTensor`, optional (default = `None`)
            As in `forward`.
        """
        return self(tokens, mask)[pairs.unbind(dim=1)]


class ViewScorer(PairScorer):
    """
    The common part of the two scorers below: one-layer views d and h of the dependent and the head,
    and the linear terms `u_l^T d + v_l^T h + b_l`. For parameters see `BiaffineScorer`.
    """

    def __init__(
        self,
        input_dim: int,
        num_outputs: int,
        hidden_dim: int = 100,
        activation: Optional[Activation] = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(input_dim, num_outputs)
        check_least(1, hidden_dim=hidden_dim)
        self._dependent = torch.nn.Linear(input_dim, hidden_dim)
        self._head = torch.nn.Linear(input_dim, hidden_dim)
        self._activation = activation or Activation.by_name("elu")()
        self._dropout = Dropout(dropout)
        self._from_dependent = torch.nn.Linear(hidden_dim, num_outputs)
        self._from_head = torch.nn.Linear(hidden_dim, num_outputs, bias=False)

    def _views(self, tokens: Tensor) -> "_Views":
        """Returns d and h."""
        return _Views(
            self._dropout(self._activation(self._dependent(tokens))),
            self._dropout(self._activation(self._head(tokens))),
        )


@PairScorer.register("biaffine")
class BiaffineScorer(ViewScorer):
    """
    `d^T U_l h + u_l^T d + v_l^T h + b_l`, where d and h are one-layer views of the dependent and
    the head ([Dozat & Manning, 2017](https://arxiv.org/abs/1611.01734), equations 4 to 9).

    Registered as a `PairScorer` with name "biaffine".

    # Parameters

    hidden_dim : `int`, optional (default = `100`)
        The size of d and h.
    activation : `Activation`, optional (default = `"elu"`)
    dropout : `float`, optional (default = `0.0`)
        The dropout of d and h.
    """

    def __init__(
        self,
        input_dim: int,
        num_outputs: int,
        hidden_dim: int = 100,
        activation: Optional[Activation] = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(input_dim, num_outputs, hidden_dim, activation, dropout)
        self._bilinear = torch.nn.Parameter(torch.empty(num_outputs, hidden_dim, hidden_dim))
        for matrix in self._bilinear:
            torch.nn.init.xavier_uniform_(matrix)

    def forward(self, tokens: Tensor, mask: Optional[BoolTensor] = None) -> Tensor:
        dependents, heads = self._views(tokens)
        batch_size, length, hidden_dim = heads.shape
        # (batch_size, length * num_outputs, hidden_dim)
        turned = torch.einsum("bdi,lij->bdlj", dependents, self._bilinear)
        turned = turned.reshape(batch_size, length * self.num_outputs, hidden_dim)
        # (batch_size, dependent, output, head)
        both = torch.bmm(turned, heads.transpose(1, 2)).reshape(batch_size, length, -1, length)
        either = self._from_dependent(dependents).unsqueeze(2) + self._from_head(heads).unsqueeze(1)
        return both.transpose(2, 3) + either

    def scores_at_heads(
        self, tokens: Tensor, trees: Sequence[LongTensor], mask: Optional[BoolTensor] = None
    ) -> List[Tensor]:
        dependents, heads = self._views(tokens)
        turned = torch.einsum("bdi,lij->bdlj", dependents, self._bilinear)
        alone = self._from_dependent(dependents)
        scores = []
        for chosen_heads in (_take_rows(heads, tree) for tree in trees):
            # (batch_size, dependent, output); as a matrix product it would be slower
            both = (turned * chosen_heads.unsqueeze(2)).sum(dim=-1)
            scores.append(both + alone + self._from_head(chosen_heads))
        return scores

    def scores_of_pairs(
        self, tokens: Tensor, pairs: LongTensor, mask: Optional[BoolTensor] = None
    ) -> Tensor:
        """
        Computes the scores in blocks of pairs, each of which multiplies all matrices `U_l` by its
        dependent. In training, the products are kept for the backward pass.
        """
        dependents, heads = _views_of_pairs(self._views(tokens), pairs)
        hidden_dim = heads.size(-1)
        matrix = self._bilinear.transpose(0, 1).reshape(hidden_dim, -1)
        rows = max(1, BLOCK_SIZE // (self.num_outputs * hidden_dim))
        both = []
        for d, h in zip(dependents.split(rows), heads.split(rows), strict=True):
            turned = (d @ matrix).view(-1, self.num_outputs, hidden_dim)
            both.append(torch.bmm(turned, h.unsqueeze(2)).squeeze(2))
        return torch.cat(both) + self._from_dependent(dependents) + self._from_head(heads)

    @torch.no_grad()
    def best_outputs(
        self, tokens: Tensor, legal: BoolTensor, mask: Optional[BoolTensor] = None
    ) -> BestOutputs:
        """
        Computes the scores in blocks, each for some sentences and some of their dependents, and
        keeps only the best output, so the scores are never all in memory at once.
        """
        dependents, heads = self._views(tokens)
        batch_size, length, _ = heads.shape
        scores = heads.new_full((batch_size, length, length), -torch.inf)
        outputs = torch.zeros(scores.shape, dtype=torch.long, device=scores.device)
        # Heads with the same legal outputs together, such as the root, and all other heads.
        rows, kind_of_head = legal.unique(dim=0, return_inverse=True)
        for kind, row in enumerate(rows):
            which = row.nonzero().flatten()
            if len(which) == 0:
                continue
            at = (kind_of_head == kind).nonzero().flatten()
            best = self._best_of(dependents, heads[:, at], which)
            scores[:, :, at] = best.scores
            outputs[:, :, at] = which[best.outputs]
        return BestOutputs(scores, outputs)

    def _best_of(self, dependents: Tensor, heads: Tensor, which: LongTensor) -> BestOutputs:
        """Returns the best of the outputs `which` for all pairs, as positions in `which`."""
        batch_size, length, hidden_dim = dependents.shape
        num_outputs, num_heads = len(which), heads.size(1)
        scores = heads.new_empty(batch_size, length, num_heads)
        outputs = torch.empty(scores.shape, dtype=torch.long, device=scores.device)
        # A dependent is multiplied by `matrix`, which has all outputs, before `from_head` is added.
        matrix = self._bilinear[which].transpose(0, 1).reshape(hidden_dim, -1)
        from_head = self._from_head.weight[which].flatten()
        linear = self._from_dependent
        # (batch_size, dependent, output)
        alone = torch.nn.functional.linear(dependents, linear.weight[which], linear.bias[which])
        transposed = heads.transpose(1, 2)
        sentences = max(1, BLOCK_SIZE // (num_outputs * length * max(hidden_dim, num_heads)))
        rows = max(1, BLOCK_SIZE // (num_outputs * max(hidden_dim, num_heads)))
        for first in range(0, batch_size, sentences):
            some = slice(first, first + sentences)
            for row in range(0, length, rows):
                block = dependents[some, row : row + rows]
                num_some, num_rows, _ = block.shape
                turned = torch.addmm(from_head, block.reshape(-1, hidden_dim), matrix)
                turned = turned.view(num_some, num_rows * num_outputs, hidden_dim)
                both = torch.bmm(turned, transposed[some])
                best = best_of_block(
                    both.view(num_some, num_rows, num_outputs, num_heads),
                    alone[some, row : row + rows],
                )
                scores[some, row : row + rows] = best.scores
                outputs[some, row : row + rows] = best.outputs
        return BestOutputs(scores, outputs)


class _Views(NamedTuple):
    """The tokens as dependents and as heads, both of shape `(batch_size, length, hidden_dim)`."""

    dependents: Tensor
    heads: Tensor


@PairScorer.register("diagonal_biaffine")
class DiagonalBiaffineScorer(ViewScorer):
    """
    `sum_i u_li d_i h_i + u_l^T d + v_l^T h + b_l`: like "biaffine", with diagonal matrices `U_l`,
    as [Dozat & Manning (2018)](https://arxiv.org/abs/1807.01396) allow for labels. An output has
    `3 * hidden_dim` weights in place of `hidden_dim^2 + 2 * hidden_dim`, which counts where there
    are hundreds. The scores of all pairs need `batch_size * length^2 * hidden_dim` numbers of
    memory beside the scores themselves, and prediction has them all at once.

    Registered as a `PairScorer` with name "diagonal_biaffine".

    # Parameters

    hidden_dim : `int`, optional (default = `100`)
        The size of d and h.
    activation : `Activation`, optional (default = `"elu"`)
    dropout : `float`, optional (default = `0.0`)
        The dropout of d and h.
    """

    def __init__(
        self,
        input_dim: int,
        num_outputs: int,
        hidden_dim: int = 100,
        activation: Optional[Activation] = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(input_dim, num_outputs, hidden_dim, activation, dropout)
        self._from_product = torch.nn.Linear(hidden_dim, num_outputs, bias=False)

    def forward(self, tokens: Tensor, mask: Optional[BoolTensor] = None) -> Tensor:
        dependents, heads = self._views(tokens)
        return self._scores(dependents.unsqueeze(2), heads.unsqueeze(1))

    def scores_at_heads(
        self, tokens: Tensor, trees: Sequence[LongTensor], mask: Optional[BoolTensor] = None
    ) -> List[Tensor]:
        dependents, heads = self._views(tokens)
        return [self._scores(dependents, _take_rows(heads, tree)) for tree in trees]

    def scores_of_pairs(
        self, tokens: Tensor, pairs: LongTensor, mask: Optional[BoolTensor] = None
    ) -> Tensor:
        return self._scores(*_views_of_pairs(self._views(tokens), pairs))

    def _scores(self, dependents: Tensor, heads: Tensor) -> Tensor:
        """Returns the scores of pairs, from the views of their tokens, which may be broadcast."""
        alone = self._from_dependent(dependents) + self._from_head(heads)
        return self._from_product(dependents * heads) + alone


@PairScorer.register("mlp")
class MlpScorer(PairScorer):
    """
    `w_l^T tanh(W_2 tanh(W_d d + W_h h + b_1) + b_2) + b_l`, the scorer of
    [Peng et al. (2018)](https://aclanthology.org/P18-1173) for arcs and for labels. It needs twice
    `batch_size * length^2 * hidden_dim` numbers of memory, more than "biaffine".

    Registered as a `PairScorer` with name "mlp".

    # Parameters

    hidden_dim : `int`, optional (default = `100`)
        The size of both layers.
    """

    def __init__(self, input_dim: int, num_outputs: int, hidden_dim: int = 100) -> None:
        super().__init__(input_dim, num_outputs)
        check_least(1, hidden_dim=hidden_dim)
        self._dependent = torch.nn.Linear(input_dim, hidden_dim)
        self._head = torch.nn.Linear(input_dim, hidden_dim, bias=False)
        self._hidden = torch.nn.Linear(hidden_dim, hidden_dim)
        self._output = torch.nn.Linear(hidden_dim, num_outputs)

    def forward(self, tokens: Tensor, mask: Optional[BoolTensor] = None) -> Tensor:
        # (batch_size, dependent, head, hidden_dim)
        return self._scores(self._dependent(tokens).unsqueeze(2) + self._head(tokens).unsqueeze(1))

    def scores_at_heads(
        self, tokens: Tensor, trees: Sequence[LongTensor], mask: Optional[BoolTensor] = None
    ) -> List[Tensor]:
        dependents, heads = self._dependent(tokens), self._head(tokens)
        return [self._scores(dependents + _take_rows(heads, tree)) for tree in trees]

    def scores_of_pairs(
        self, tokens: Tensor, pairs: LongTensor, mask: Optional[BoolTensor] = None
    ) -> Tensor:
        views = _Views(self._dependent(tokens), self._head(tokens))
        return self._scores(sum(_views_of_pairs(views, pairs)))

    def _scores(self, pairs: Tensor) -> Tensor:
        """Returns the scores of pairs, from the sums of their tokens' projections."""
        return self._output(torch.tanh(self._hidden(torch.tanh(pairs))))


def _views_of_pairs(views: _Views, pairs: LongTensor) -> _Views:
    """Returns the views of the tokens of some pairs, both of shape `(num_pairs, hidden_dim)`."""
    batch, dependent, head = pairs.unbind(dim=1)
    return _Views(views.dependents[batch, dependent], views.heads[batch, head])


def _take_rows(vectors: Tensor, heads: LongTensor) -> Tensor:
    """Returns the vector of each token's head, `vectors[b, heads[b, d]]`."""
    return vectors.gather(1, heads.unsqueeze(-1).expand(-1, -1, vectors.size(-1)))
