"""Scores arcs with mean-field inference in a second-order model, in which arcs score each other."""

from typing import Optional

import torch
from allennlp.common import Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.nn import Activation
from torch import BoolTensor, Tensor

from spigot_allennlp.config_checks import check_least
from spigot_allennlp.modules.pair_scorer import PairScorer
from spigot_allennlp.nn.dropout import Dropout

# The roles of a token: head and dependents of siblings, dependent and heads of co-parents, and the
# three tokens of a grandparent.
_VIEWS = 7


@PairScorer.register("second_order")
class SecondOrderScorer(PairScorer):
    """
    Arcs that share a token score each other: siblings (two dependents of a head), co-parents (two
    heads of a dependent) and grandparents (an arc, and an arc to its head). These scores and those
    of single arcs define a model of graphs, in which mean-field inference runs for some rounds
    ([Wang et al., 2019](https://aclanthology.org/P19-1454)). Let `u` be the scores of single arcs,
    and `q` at first `sigmoid(u)`, then `sigmoid(s)` of the previous round. A round is

        s_dh = u_dh + sum_e q_eh sib(h, d, e) + sum_g q_dg cop(d, h, g)
                    + sum_g q_hg gp(g, h, d) + sum_e q_ed gp(h, d, e)

    for the arc from head h to dependent d. Sums run over other arcs only, between two tokens that
    are not padding, and not to the root. The result, the `s` of the last round, are again scores of
    single arcs, so all structures, losses and gradient estimators work as with any other scorer. A
    pair of arcs scores `sum_k w_k a_k b_k c_k`, where `a`, `b` and `c` are one-layer views of its
    three tokens. So a round costs `length^2 * hidden_dim` for a sentence, and the scores of pairs
    are never stored. All `w` are initially zero: training starts from the scores of single arcs.

    A parser adds scores of labels to those of arcs. `q` reflects neither these nor a pruner: it is
    a step on the way to scores, not a probability under the parser's distribution of graphs.

    It scores arcs, not labels: use it as an `arc_scorer`. It is meant for graphs: the sigmoid
    treats each arc as an independent choice, which does not hold for trees.

    Registered as a `PairScorer` with name "second_order".

    # Parameters

    first_order : `Lazy[PairScorer]`, optional (default = `"biaffine"` with its defaults)
        Computes the scores `u` of single arcs.
    hidden_dim : `int`, optional (default = `50`)
        The size of the views.
    rounds : `int`, optional (default = `3`)
        The number of rounds of mean-field inference.
    activation : `Activation`, optional (default = `"elu"`)
    dropout : `float`, optional (default = `0.0`)
        The dropout of the views.
    """

    def __init__(
        self,
        input_dim: int,
        num_outputs: int,
        first_order: Optional[Lazy[PairScorer]] = None,
        hidden_dim: int = 50,
        rounds: int = 3,
        activation: Optional[Activation] = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(input_dim, num_outputs)
        if num_outputs != 1:
            raise ConfigurationError(
                f"A second_order scorer scores arcs, but was asked for {num_outputs} outputs of "
                "each pair. Let it be an arc_scorer, and give the labels a scorer 'biaffine'."
            )
        check_least(1, hidden_dim=hidden_dim, rounds=rounds)
        first_order = first_order or Lazy(PairScorer.by_name("biaffine"))
        self._first_order = first_order.construct(input_dim=input_dim, num_outputs=1)
        self._hidden_dim = hidden_dim
        self._rounds = rounds
        self._views = torch.nn.Linear(input_dim, _VIEWS * hidden_dim)
        self._activation = activation or Activation.by_name("elu")()
        self._dropout = Dropout(dropout)
        # The weights of siblings, co-parents and grandparents.
        self._weights = torch.nn.Parameter(torch.zeros(3, hidden_dim))

    def forward(self, tokens: Tensor, mask: Optional[BoolTensor] = None) -> Tensor:
        if mask is not None:  # padding, even NaN, would otherwise reach other tokens
            tokens = tokens.masked_fill(~mask.unsqueeze(-1), 0)
        single = self._first_order(tokens, mask).squeeze(-1)
        possible = _possible_arcs(tokens, mask).to(single.dtype)
        views = self._dropout(self._activation(self._views(tokens)))
        sib_head, sib_dep, cop_dep, cop_head, top, middle, bottom = views.split(
            self._hidden_dim, -1
        )
        of_siblings, of_co_parents, of_grandparents = self._weights
        sib_head = sib_head * of_siblings
        cop_dep = cop_dep * of_co_parents
        middle = middle * of_grandparents
        # The sums below run over all arcs, so an arc would be its own sibling and co-parent; this
        # is subtracted.
        itself = _pairs(sib_dep.square(), sib_head) + _pairs(cop_dep, cop_head.square())
        scores = single
        for _ in range(self._rounds):
            probable = torch.sigmoid(scores) * possible
            of_dependents = probable.transpose(1, 2)
            dependents = [
                sib_dep,
                cop_dep * torch.bmm(probable, cop_head),
                bottom,
                middle * torch.bmm(of_dependents, bottom),
            ]
            heads = [
                sib_head * torch.bmm(of_dependents, sib_dep),
                cop_head,
                middle * torch.bmm(probable, top),
                top,
            ]
            others = _pairs(torch.cat(dependents, dim=-1), torch.cat(heads, dim=-1))
            scores = single + others - probable * itself
        return scores.unsqueeze(-1)


def _pairs(dependents: Tensor, heads: Tensor) -> Tensor:
    """Returns the inner products of all pairs of vectors, `(batch_size, dependent, head)`."""
    return torch.bmm(dependents, heads.transpose(1, 2))


def _possible_arcs(tokens: Tensor, mask: Optional[BoolTensor]) -> BoolTensor:
    """Returns which arcs are possible: between two tokens, and not to the root, position 0."""
    batch_size, length, _ = tokens.shape
    if mask is None:
        mask = torch.ones(batch_size, length, dtype=torch.bool, device=tokens.device)
    is_dependent = mask & (torch.arange(length, device=tokens.device) > 0)
    itself = torch.eye(length, dtype=torch.bool, device=tokens.device)
    return is_dependent.unsqueeze(2) & mask.unsqueeze(1) & ~itself
