import itertools

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from torch.testing import assert_close

from spigot_allennlp.modules.structured_loss.hinge import HingeLoss
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.semantic_graph import SemanticGraph


def test_three_scores_by_hand():
    # Gold is 0; a wrong choice costs 0.5 (false positive) + 0.5 (missed gold). The scores with
    # their costs are 1, 2.5 + 1 and -1 + 1, so the worst object has 3.5.
    scores = torch.tensor([[1.0, 2.5, -1.0]])
    gold = torch.tensor([[1.0, 0.0, 0.0]])
    loss = HingeLoss()(Categorical(), scores, torch.ones(1, 3, dtype=torch.bool), gold)
    assert_close(loss, torch.tensor([2.5]))


def test_no_loss_beyond_the_margin():
    scores = torch.tensor([[3.0, 1.9, 0.0]])
    gold = torch.tensor([[1.0, 0.0, 0.0]])
    loss = HingeLoss()(Categorical(), scores, torch.ones(1, 3, dtype=torch.bool), gold)
    assert_close(loss, torch.zeros(1))


def test_graphs_against_all_graphs():
    torch.manual_seed(1)
    structure = SemanticGraph()
    mask = structure.part_mask(torch.ones(1, 3, dtype=torch.bool), torch.Size([1, 3, 3, 1]))
    parts = mask.flatten().nonzero().flatten()
    scores = torch.randn(1, 3, 3, 1)
    gold = torch.zeros(9)
    gold[parts[[0, 2]]] = 1
    worst = -float("inf")
    for choice in itertools.product([0.0, 1.0], repeat=len(parts)):
        graph = torch.zeros(9)
        graph[parts] = torch.tensor(choice)
        cost = 0.4 * (graph * (1 - gold)).sum() + 0.6 * ((1 - graph) * gold).sum()
        worst = max(worst, float((scores.flatten() * graph).sum() + cost))
    expected = worst - float((scores.flatten() * gold).sum())
    loss = HingeLoss(0.4, 0.6)(structure, scores, mask, gold.reshape(1, 3, 3, 1))
    assert_close(loss, torch.tensor([expected]))


def test_its_gradient_is_the_wrong_object_minus_the_gold_one():
    scores = torch.tensor([[1.0, 2.5, -1.0]], requires_grad=True)
    gold = torch.tensor([[1.0, 0.0, 0.0]])
    HingeLoss()(Categorical(), scores, torch.ones(1, 3, dtype=torch.bool), gold).sum().backward()
    assert scores.grad.tolist() == [[-1.0, 1.0, 0.0]]


def test_a_negative_cost_is_refused():
    with pytest.raises(
        ConfigurationError, match="false_negative_cost must be at least 0 but is -1"
    ):
        HingeLoss(false_negative_cost=-1.0)
