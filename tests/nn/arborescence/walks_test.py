import random

import numpy
import pytest
import torch

from spigot_allennlp.nn.arborescence import processor
from spigot_allennlp.nn.arborescence.processor import draw_tree
from tests.nn.dependency_trees import dependency_trees, is_tree
from tests.nn.random_batches import random_batch, whole_sentences


@pytest.fixture(params=[1, 0], ids=["by_walks", "token_by_token"])
def patience(request, monkeypatch):
    """A walk without patience is given up at once, and the tree is drawn token by token."""
    monkeypatch.setattr(processor, "PATIENCE", request.param)
    return request.param


@pytest.fixture(params=[True, False], ids=["single_root", "multi_root"])
def single_root(request):
    return request.param


def check_frequencies(scores, single_root, number=20_000):
    """Every tree of one sentence is drawn as often as its probability says, within 5 sigma."""
    num_tokens = len(scores) - 1
    trees = dependency_trees(num_tokens, False, single_root)
    expected = (trees * scores).flatten(1).sum(1).softmax(0)
    mask = whole_sentences(number, num_tokens)
    drawn = draw_tree(scores.expand(mask.shape), mask, single_root)
    same = torch.einsum("dij,tij->dt", drawn, trees) == num_tokens
    assert same.sum(dim=1).eq(1).all() and drawn.flatten(1).sum(1).eq(num_tokens).all()
    frequency = same.double().mean(dim=0)
    sigma = (expected * (1 - expected) / number).sqrt()
    assert ((frequency - expected).abs() <= 5 * sigma + 1e-9).all()


@pytest.mark.parametrize("num_tokens", [1, 2, 3, 4])
def test_each_tree_is_as_frequent_as_it_is_probable(num_tokens, single_root, patience):
    torch.manual_seed(num_tokens)
    scores = torch.randn(num_tokens + 1, num_tokens + 1, dtype=torch.double)
    check_frequencies(scores, single_root)


def test_also_if_walks_through_cycles_have_no_end(single_root, patience):
    torch.manual_seed(0)
    scores = torch.randn(5, 5, dtype=torch.double)
    for dependent, head in [(1, 2), (2, 1), (3, 4), (4, 3)]:
        scores[dependent, head] += 50
    check_frequencies(scores, single_root, 2000)


def test_also_if_some_walks_are_given_up_and_some_are_not(single_root):
    torch.manual_seed(0)
    scores = torch.randn(4, 4, dtype=torch.double)
    scores[1, 2] += 3
    scores[2, 1] += 3
    check_frequencies(scores, single_root)


@pytest.mark.parametrize("scale", [1.0, 30.0, 1e4])
def test_draws_of_long_sentences_are_trees(scale, single_root, patience):
    torch.manual_seed(1)
    scores = scale * torch.randn(3, 21, 21)
    for tree in draw_tree(scores, whole_sentences(3, 20), single_root):
        heads = tuple(tree[1:].argmax(dim=-1).tolist())
        assert is_tree(heads) and tree[1:].sum(dim=1).eq(1).all() and not tree[0].any()
        assert not single_root or heads.count(0) == 1


@pytest.mark.parametrize("kept", [0.6, 0.3])
def test_a_tree_is_drawn_where_one_is_possible(kept, single_root, patience):
    scores, mask, _ = random_batch(2, 60, 7, kept=kept)
    drawn = draw_tree(scores, mask, single_root)
    best = processor.best_tree(scores, mask, single_root)
    assert not (drawn.bool() & ~mask).any()
    assert torch.equal(drawn.any(-1), best.any(-1))
    assert torch.equal(drawn.sum((1, 2)), best.sum((1, 2)))


def test_the_best_tree_is_drawn_where_the_others_are_all_but_impossible(single_root, patience):
    torch.manual_seed(3)
    scores, mask = 1e4 * torch.randn(4, 13, 13), whole_sentences(4, 12)
    best = processor.best_tree(scores, mask, single_root)
    assert torch.equal(draw_tree(scores, mask, single_root), best)


def test_randomness_comes_from_torch_alone(single_root, patience):
    scores, mask, _ = random_batch(4, 30, 9)
    torch.manual_seed(7)
    first = draw_tree(scores, mask, single_root)
    random.seed(0)
    numpy.random.seed(0)
    second = draw_tree(scores, mask, single_root)
    torch.manual_seed(7)
    assert torch.equal(draw_tree(scores, mask, single_root), first)
    assert not torch.equal(second, first)
