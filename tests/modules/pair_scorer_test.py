from functools import partial

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from torch.testing import assert_close

from spigot_allennlp.modules import pair_scorer
from spigot_allennlp.modules.graph_encoder import ArcEncoder, GraphEncoder
from spigot_allennlp.modules.pair_scorer import (
    BiaffineScorer,
    DiagonalBiaffineScorer,
    MlpScorer,
    PairScorer,
)
from spigot_allennlp.modules.token_scorer import TokenScorer
from spigot_allennlp.nn.arcs import at_heads


def test_scores_are_the_biaffine_form_of_every_pair_and_output():
    torch.manual_seed(0)
    scorer = BiaffineScorer(input_dim=4, num_outputs=3, hidden_dim=5).double()
    tokens = torch.randn(2, 6, 4, dtype=torch.double)
    scores = scorer(tokens)
    assert scores.shape == (2, 6, 6, 3)
    dependents = torch.nn.functional.elu(scorer._dependent(tokens))
    heads = torch.nn.functional.elu(scorer._head(tokens))
    for dependent, head, output in [(0, 1, 2), (3, 3, 0), (5, 2, 1)]:
        d, h = dependents[1, dependent], heads[1, head]
        expected = (
            d @ scorer._bilinear[output] @ h
            + scorer._from_dependent.weight[output] @ d
            + scorer._from_head.weight[output] @ h
            + scorer._from_dependent.bias[output]
        )
        assert_close(scores[1, dependent, head, output], expected)


def test_a_diagonal_scorer_is_a_biaffine_one_with_diagonal_matrices():
    torch.manual_seed(0)
    diagonal = DiagonalBiaffineScorer(input_dim=4, num_outputs=3, hidden_dim=5).double()
    full = BiaffineScorer(input_dim=4, num_outputs=3, hidden_dim=5).double()
    weights = {
        name: value for name, value in diagonal.state_dict().items() if "product" not in name
    }
    weights["_bilinear"] = diagonal._from_product.weight.detach().diag_embed()
    full.load_state_dict(weights)
    tokens = torch.randn(2, 6, 4, dtype=torch.double)
    assert_close(diagonal(tokens), full(tokens))


def test_scores_are_the_two_layer_perceptron_of_every_pair():
    torch.manual_seed(0)
    scorer = MlpScorer(input_dim=4, num_outputs=3, hidden_dim=5)
    tokens = torch.randn(2, 6, 4)
    scores = scorer(tokens)
    assert scores.shape == (2, 6, 6, 3)
    dependent, head = tokens[1, 3], tokens[1, 5]
    first = torch.tanh(scorer._dependent(dependent) + scorer._head(head))
    expected = scorer._output(torch.tanh(scorer._hidden(first)))
    assert_close(scores[1, 3, 5], expected)


@pytest.mark.parametrize("block_size", [1, 60, 10**6])
def test_the_best_outputs_are_those_of_all_scores(monkeypatch, block_size):
    monkeypatch.setattr(pair_scorer, "BLOCK_SIZE", block_size)
    torch.manual_seed(0)
    scorer = BiaffineScorer(input_dim=4, num_outputs=5, hidden_dim=6)
    for part in (scorer._from_dependent, scorer._from_head):
        torch.nn.init.normal_(part.weight, std=3)
    tokens = torch.randn(3, 7, 4)
    legal = torch.rand(7, 5) < 0.6
    legal[2] = False
    legal[3:6] = legal[3]
    best, expected = (
        scorer.best_outputs(tokens, legal),
        PairScorer.best_outputs(scorer, tokens, legal),
    )
    assert_close(best.scores, expected.scores)
    possible = expected.scores > -torch.inf
    assert best.outputs[possible].equal(expected.outputs[possible])


def test_the_perceptron_has_best_outputs_too():
    scorer = MlpScorer(input_dim=4, num_outputs=3, hidden_dim=5)
    tokens, legal = torch.randn(2, 6, 4), torch.tensor([[True, False, True]] * 6)
    best = scorer.best_outputs(tokens, legal)
    assert best.scores.equal(scorer(tokens)[..., [0, 2]].amax(dim=-1))
    assert set(best.outputs.unique().tolist()) <= {0, 2}


def test_best_outputs_of_scores_that_are_no_numbers_are_none_either():
    scorer = BiaffineScorer(input_dim=4, num_outputs=3, hidden_dim=5)
    tokens = torch.randn(1, 6, 4)
    tokens[0, 2, 0] = torch.nan
    best = scorer.best_outputs(tokens, torch.ones(6, 3, dtype=torch.bool))
    is_sound = torch.arange(6) != 2
    assert best.scores.isfinite().equal((is_sound.unsqueeze(1) & is_sound).unsqueeze(0))


class TokenSums(PairScorer):
    """A scorer of a user's own, which has no more than it must."""

    def __init__(self, input_dim, num_outputs, hidden_dim):
        super().__init__(input_dim, num_outputs)
        self.output = torch.nn.Linear(input_dim, num_outputs)

    def forward(self, tokens, mask=None):
        return self.output(tokens.unsqueeze(2) + 2 * tokens.unsqueeze(1))


@pytest.mark.parametrize("kind", [BiaffineScorer, DiagonalBiaffineScorer, MlpScorer])
def test_scores_at_heads_are_those_of_these_pairs(kind):
    torch.manual_seed(0)
    scorer = kind(input_dim=4, num_outputs=3, hidden_dim=5).double()
    tokens = torch.randn(2, 6, 4, dtype=torch.double, requires_grad=True)
    trees = torch.randint(6, (2, 2, 6))
    scores = torch.stack(scorer.scores_at_heads(tokens, trees.unbind()))
    expected = torch.stack([at_heads(scorer(tokens), heads) for heads in trees])
    check_equal_with_gradients(scores, expected, [tokens, *scorer.parameters()])


@pytest.mark.parametrize("kind", [BiaffineScorer, DiagonalBiaffineScorer, MlpScorer, TokenSums])
@pytest.mark.parametrize("block_size", [1, 100, 10**6])
def test_scores_of_pairs_are_those_among_all_scores(kind, block_size, monkeypatch):
    monkeypatch.setattr(pair_scorer, "BLOCK_SIZE", block_size)
    torch.manual_seed(0)
    scorer = kind(input_dim=4, num_outputs=3, hidden_dim=5).double()
    tokens = torch.randn(2, 6, 4, dtype=torch.double, requires_grad=True)
    chosen = torch.rand(2, 6, 6) < 0.3
    scores, expected = scorer.scores_of_pairs(tokens, chosen.nonzero()), scorer(tokens)[chosen]
    check_equal_with_gradients(scores, expected, [tokens, *scorer.parameters()])
    none = torch.empty(0, 3, dtype=torch.long)
    assert scorer.scores_of_pairs(tokens, none).shape == (0, 3)


def check_equal_with_gradients(scores, expected, inputs):
    assert_close(scores, expected)
    direction = torch.randn_like(scores)
    gradients = torch.autograd.grad(scores, inputs, direction)
    wanted = torch.autograd.grad(expected, inputs, direction)
    for gradient, other in zip(gradients, wanted, strict=True):
        assert_close(gradient, other)


@pytest.mark.parametrize(
    "module, size",
    [
        (partial(BiaffineScorer, 4, 1), "hidden_dim"),
        (partial(MlpScorer, 4, 1), "hidden_dim"),
        (partial(TokenScorer, 4), "hidden_dim"),
        (partial(ArcEncoder, 4), "head_dim"),
        (partial(GraphEncoder, 4, 3), "output_dim"),
        (partial(GraphEncoder, 4, 3), "label_dim"),
    ],
)
def test_a_layer_of_no_size_is_refused(module, size):
    with pytest.raises(ConfigurationError, match=f"{size} must be at least 1 but is 0"):
        module(**{size: 0})
