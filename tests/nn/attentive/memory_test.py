import pytest
import torch
from torch.testing import assert_close

from spigot_allennlp.nn.attentive.memory import WEIGHT_RULES, softmax_weights, threshold_weights

SCORES = torch.tensor([[3.0, 2.0, 1.5, 1.0]])


def test_the_threshold_is_the_runner_up():
    # (2, 1, 0.5) over 1, and a third of 0.3 for each.
    expected = torch.tensor([[2.1, 1.1, 0.6]]) / 3.8
    assert_close(threshold_weights(SCORES, 3, 0.3), expected)


def test_without_a_runner_up_it_is_the_lowest():
    expected = torch.tensor([[2.1, 1.1, 0.6, 0.1]]) / 3.9
    assert_close(threshold_weights(SCORES, 7, 0.4), expected)


@pytest.mark.parametrize("number", [1, 2, 5, 9])
@pytest.mark.parametrize("top_k", [1, 2, 5])
def test_exactly_top_k_weights_are_positive_and_they_sum_to_one(number, top_k):
    scores = torch.randn(20, number).sort(dim=-1, descending=True).values[:, : top_k + 1]
    for rule in WEIGHT_RULES.values():
        weights = rule(scores, top_k, 0.01, None)
        assert weights.shape == (20, min(number, top_k)) and (weights > 0).all()
        assert_close(weights.sum(dim=-1), torch.ones(20))


@pytest.mark.parametrize("rule", WEIGHT_RULES.values(), ids=WEIGHT_RULES)
def test_equal_scores_have_equal_weights_and_finite_gradients(rule):
    scores = torch.ones(1, 4, requires_grad=True)
    weights = rule(scores, 3, 0.1, None)
    assert_close(weights, torch.full((1, 3), 1 / 3))
    weights[0, 0].backward()
    assert scores.grad.isfinite().all()


def test_one_memory_has_all_of_the_weight():
    assert threshold_weights(torch.tensor([[-5.0]]), 3, 0.1).tolist() == [[1]]


@pytest.mark.parametrize("rule", WEIGHT_RULES.values(), ids=WEIGHT_RULES)
def test_memories_that_are_not_there_have_no_weight_and_no_gradient(rule):
    scores = torch.tensor([[3.0, 2.0, 1.0], [3.0, 2.0, -torch.inf], [-torch.inf] * 3])
    scores = scores.double().requires_grad_()
    present = scores > -torch.inf
    weights = rule(scores, 2, 0.1, present)
    for row, number in ((0, 3), (1, 2)):
        alone = rule(scores[row : row + 1, :number], 2, 0.1, None)
        assert_close(weights[row : row + 1], alone)
    assert (weights[2] == 0).all()
    (weights**2).sum().backward()
    assert scores.grad.isfinite().all() and (scores.grad[~present] == 0).all()


@pytest.mark.parametrize("rule", WEIGHT_RULES.values(), ids=WEIGHT_RULES)
def test_gradients_are_those_of_finite_differences(rule):
    scores = SCORES.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda s: rule(s, 3, 0.1, None), scores)


def test_the_softmax_is_that_of_those_that_are_kept():
    assert_close(softmax_weights(SCORES, 2, 0.1), SCORES[:, :2].softmax(dim=-1))
