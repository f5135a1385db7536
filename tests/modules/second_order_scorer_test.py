import pytest
import torch
from allennlp.common import Lazy, Params
from allennlp.common.checks import ConfigurationError
from torch.testing import assert_close

from spigot_allennlp.modules.pair_scorer import MlpScorer, PairScorer
from spigot_allennlp.modules.second_order_scorer import SecondOrderScorer


def a_scorer(**options) -> SecondOrderScorer:
    torch.manual_seed(0)
    scorer = SecondOrderScorer(input_dim=4, num_outputs=1, hidden_dim=5, **options).double()
    torch.nn.init.normal_(scorer._weights)
    return scorer


def by_definition(scorer: SecondOrderScorer, tokens, real):
    """The rounds of one sentence, arc by arc, and each pair of arcs on its own."""
    single = scorer._first_order(tokens[None])[0, :, :, 0]
    views = torch.nn.functional.elu(scorer._views(tokens)).unflatten(-1, (7, 5)).unbind(1)
    sib_head, sib_dep, cop_dep, cop_head, top, middle, bottom = views
    siblings, co_parents, grandparents = scorer._weights
    length = len(tokens)
    arcs = [
        (d, h) for d in range(1, length) for h in range(length) if d != h and real[d] and real[h]
    ]

    def together(first, second):
        """Returns how much two different arcs, each a dependent and a head, score each other."""
        (d, h), (e, g) = first, second
        score = torch.zeros((), dtype=torch.double)
        if h == g:
            score += (siblings * sib_head[h] * sib_dep[d] * sib_dep[e]).sum()
        if d == e:
            score += (co_parents * cop_dep[d] * cop_head[h] * cop_head[g]).sum()
        if h == e:  # the second leads to the head of the first
            score += (grandparents * top[g] * middle[h] * bottom[d]).sum()
        if d == g:  # the first leads to the head of the second
            score += (grandparents * top[h] * middle[d] * bottom[e]).sum()
        return score

    scores = {arc: single[arc] for arc in arcs}
    for _ in range(scorer._rounds):
        probable = {arc: torch.sigmoid(score) for arc, score in scores.items()}
        scores = {
            arc: single[arc]
            + sum(probable[other] * together(arc, other) for other in arcs if other != arc)
            for arc in arcs
        }
    return scores


@pytest.mark.parametrize("rounds", [1, 3])
def test_the_rounds_are_those_of_the_definition(rounds):
    scorer = a_scorer(rounds=rounds)
    tokens = torch.randn(2, 6, 4, dtype=torch.double)
    mask = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    scores = scorer(tokens, mask).squeeze(-1)
    assert scores.shape == (2, 6, 6)
    for sentence, real, arc_scores in zip(tokens, mask, scores, strict=True):
        for arc, expected in by_definition(scorer, sentence, real).items():
            assert_close(arc_scores[arc], expected)


@pytest.mark.parametrize("padding", [100.0, torch.nan])
def test_padding_and_what_is_in_it_changes_nothing(padding):
    scorer = a_scorer()
    tokens = torch.randn(1, 6, 4, dtype=torch.double)
    padded = torch.cat([tokens, torch.full((1, 3, 4), padding, dtype=torch.double)], dim=1)
    mask = torch.arange(9).unsqueeze(0) < 6
    assert_close(scorer(padded, mask)[:, :6, :6], scorer(tokens))


def test_the_best_outputs_and_those_of_a_tree_do_not_see_padding_either():
    scorer = a_scorer()
    tokens = torch.randn(1, 4, 4, dtype=torch.double)
    padded = torch.cat([tokens, torch.ones(1, 2, 4, dtype=torch.double)], dim=1)
    mask = torch.arange(6).unsqueeze(0) < 4
    legal, heads = torch.ones(6, 1, dtype=torch.bool), torch.tensor([[0, 0, 1, 1, 0, 0]])
    best = scorer.best_outputs(padded, legal, mask).scores
    assert_close(best[:, :4, :4], scorer.best_outputs(tokens, legal[:4]).scores)
    (of_tree,) = scorer.scores_at_heads(padded, [heads], mask)
    assert_close(of_tree[:, :4], scorer.scores_at_heads(tokens, [heads[:, :4]])[0])


def test_training_starts_from_the_scores_of_single_arcs_and_leaves_them():
    scorer = SecondOrderScorer(4, 1, first_order=Lazy(MlpScorer, Params({"hidden_dim": 3})))
    tokens = torch.randn(2, 5, 4)
    scores = scorer(tokens)
    assert_close(scores, scorer._first_order(tokens))
    scores.square().sum().backward()
    assert (scorer._weights.grad != 0).all()


def test_all_gradients_are_right():
    scorer = a_scorer(rounds=2)
    tokens = torch.randn(1, 4, 4, dtype=torch.double, requires_grad=True)
    mask = torch.tensor([[True, True, True, False]])
    inputs = [tokens, *scorer.parameters()]
    torch.autograd.gradcheck(lambda *_: scorer(tokens, mask)[:, 1:3, :3], inputs)


def test_labels_are_refused():
    with pytest.raises(ConfigurationError, match="arc_scorer"):
        PairScorer.from_params(Params({"type": "second_order"}), input_dim=4, num_outputs=3)


@pytest.mark.parametrize("options", [{"rounds": 0}, {"hidden_dim": 0}])
def test_no_rounds_and_no_views_are_refused(options):
    with pytest.raises(ConfigurationError, match="must be at least 1"):
        SecondOrderScorer(4, 1, **options)
