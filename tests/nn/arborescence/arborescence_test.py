import ast
import math
import random
from pathlib import Path

import pytest
import torch

from spigot_allennlp.nn.arborescence import arborescence
from spigot_allennlp.nn.arborescence.arborescence import (
    arborescence_log_partition,
    best_arborescence,
    sample_arborescence,
)
from tests.nn.arborescence.exact_arborescences import exact_logarithms
from tests.nn.dependency_trees import dependency_trees, is_tree, legal_trees
from tests.nn.random_batches import whole_sentences


@pytest.fixture(params=["kernels", "torch_fallback"], autouse=True)
def path(request, monkeypatch):
    """
    Runs every test twice: with the kernels, and with the fallback for devices without kernels.
    """
    monkeypatch.setattr(arborescence, "has_kernels", lambda device: request.param == "kernels")


@pytest.fixture(params=[True, False], ids=["single_root", "multi_root"])
def single_root(request):
    return request.param


def marginals_of(scores, mask, single_root):
    leaf = scores.detach().requires_grad_()
    total = arborescence_log_partition(leaf, mask, single_root)
    return torch.autograd.grad(total.sum(), leaf)[0]


@pytest.mark.parametrize("num_tokens", [0, 1, 2, 3, 4, 5])
def test_best_tree_is_the_best_of_all(num_tokens, single_root):
    torch.manual_seed(num_tokens)
    scores = torch.randn(20, num_tokens + 1, num_tokens + 1)
    best = best_arborescence(scores, whole_sentences(20, num_tokens), single_root)
    trees = dependency_trees(num_tokens, False, single_root).float()
    expected = trees[torch.einsum("bij,tij->bt", scores, trees).argmax(dim=1)]
    assert torch.equal(best, expected)


@pytest.mark.parametrize("num_tokens", [0, 1, 2, 3, 4, 5])
def test_log_partition_and_marginals_are_those_of_all_trees(num_tokens, single_root):
    torch.manual_seed(num_tokens)
    scores = 3 * torch.randn(20, num_tokens + 1, num_tokens + 1, dtype=torch.double)
    mask = whole_sentences(20, num_tokens)
    trees = dependency_trees(num_tokens, False, single_root)
    tree_scores = torch.einsum("bij,tij->bt", scores, trees)
    total = arborescence_log_partition(scores, mask, single_root)
    torch.testing.assert_close(total, tree_scores.logsumexp(1), rtol=1e-13, atol=1e-13)
    expected = torch.einsum("bt,tij->bij", tree_scores.softmax(1), trees)
    marginals = marginals_of(scores, mask, single_root)
    torch.testing.assert_close(marginals, expected, rtol=1e-12, atol=0)


def test_pruned_arcs_leave_the_trees_without_them(single_root):
    torch.manual_seed(3)
    scores = torch.randn(80, 5, 5, dtype=torch.double)
    mask = whole_sentences(80, 4) & (torch.rand(80, 5, 5) > 0.5)
    mask[:, 4, 3] = True  # so that the last token never looks like padding
    best = best_arborescence(scores, mask, single_root)
    sampled = sample_arborescence(scores, mask, single_root)
    total = arborescence_log_partition(scores, mask, single_root)
    marginals = marginals_of(scores, mask, single_root)
    trees = [legal_trees(legal_arcs, False, single_root) for legal_arcs in mask]
    assert any(len(legal) == 0 for legal in trees) and any(len(legal) > 0 for legal in trees)
    for index, legal in enumerate(trees):
        if len(legal):
            tree_scores = (legal * scores[index]).flatten(1).sum(1)
            assert torch.equal(best[index], legal[tree_scores.argmax()])
            assert (legal == sampled[index]).flatten(1).all(1).any()
            torch.testing.assert_close(total[index], tree_scores.logsumexp(0))
            expected = torch.tensordot(tree_scores.softmax(0), legal, 1)
            torch.testing.assert_close(marginals[index], expected)
        else:
            assert not best[index].any() and not sampled[index].any()
            assert total[index] == -torch.inf and not marginals[index].any()


@pytest.mark.parametrize("spread", [2, 30, 200, 700, 3000])
def test_every_digit_is_right_at_every_scale(spread, single_root):
    generator = random.Random(spread)
    exponents = [[generator.randrange(spread) for _ in range(7)] for _ in range(6)]
    for token in range(6):
        exponents[token][token + 1] = None
    log_total, log_marginals = exact_logarithms(exponents, single_root)
    filled = [[0] * 7] + [[exponent or 0 for exponent in row] for row in exponents]
    scores = torch.tensor([filled], dtype=torch.double) * math.log(2)
    mask = whole_sentences(1, 6)
    total = arborescence_log_partition(scores, mask, single_root).item()
    assert total == pytest.approx(log_total, rel=1e-14)
    computed = marginals_of(scores, mask, single_root)[0, 1:].log()
    expected = torch.tensor(log_marginals, dtype=torch.double)
    is_large = expected > -300
    # scores, and sums of logarithms, are rounded to what is little beside the largest of them
    torch.testing.assert_close(
        computed[is_large], expected[is_large], rtol=0, atol=1e-13 + 1e-14 * spread
    )
    assert (computed[~is_large] < -299).all()


def test_two_tokens_that_all_but_surely_head_each_other(single_root):
    # 1 and 2 are left by the same little weight, if the root takes both or one of them
    scores = torch.full((1, 3, 3), -500.0, dtype=torch.double)
    scores[0, 1, 2], scores[0, 2, 1] = 0, 0
    scores[0, 1, 0] = -501
    marginals = marginals_of(scores, whole_sentences(1, 2), single_root)[0]
    first = 1 / (1 + math.e)
    torch.testing.assert_close(marginals[1, 0].item(), first, rtol=1e-12, atol=0)
    torch.testing.assert_close(marginals[2, 0].item(), 1 - first, rtol=1e-12, atol=0)
    torch.testing.assert_close(marginals[2, 1].item(), first, rtol=1e-12, atol=0)


def test_long_sentences_give_trees_as_good_as_the_partition_function_says(single_root):
    torch.manual_seed(4)
    scores = torch.randn(2, 31, 31, dtype=torch.double)
    best = best_arborescence(scores, whole_sentences(2, 30), single_root)
    for tree, score in zip(best, scores, strict=True):
        heads = tuple(tree[1:].argmax(dim=-1).tolist())
        assert is_tree(heads) and tree[1:].sum(dim=1).eq(1).all()
        assert heads.count(0) == 1 if single_root else heads.count(0) >= 1
        # in the limit of low temperature
        cold = arborescence_log_partition(1e6 * score[None], whole_sentences(1, 30), single_root)
        torch.testing.assert_close(cold / 1e6, (tree * score).sum()[None], atol=1e-4, rtol=0)


@pytest.mark.parametrize("scale", [0.0, 1.0, 1000.0])
def test_in_marginals_every_token_has_one_head(single_root, scale):
    torch.manual_seed(5)
    scores = scale * torch.randn(3, 21, 21, dtype=torch.double)
    marginals = marginals_of(scores, whole_sentences(3, 20), single_root)
    ones = torch.ones(3, 20, dtype=torch.double)
    torch.testing.assert_close(marginals[:, 1:].sum(dim=-1), ones, rtol=1e-14, atol=1e-14)
    assert (marginals >= 0).all() and (marginals <= 1).all()
    if single_root:
        tops = marginals[:, :, 0].sum(dim=-1)
        torch.testing.assert_close(tops, ones[:, 0], rtol=1e-9, atol=0)


def test_more_trees_than_the_largest_number(single_root):
    # 200 tokens have 201 ** 199 trees, and 200 ** 199 with one root
    scores, mask = torch.zeros(1, 201, 201), whole_sentences(1, 200)
    count = 199 * math.log(200 if single_root else 201)
    total = arborescence_log_partition(scores, mask, single_root)
    torch.testing.assert_close(total.item(), count, rtol=1e-6, atol=0)


def test_nothing_but_the_root(single_root):
    scores = torch.randn(2, 1, 1, requires_grad=True)
    mask = whole_sentences(2, 0)
    assert not best_arborescence(scores, mask, single_root).any()
    assert not sample_arborescence(scores, mask, single_root).any()
    total = arborescence_log_partition(scores, mask, single_root)
    (marginals,) = torch.autograd.grad(total.sum(), scores)
    assert not total.any() and not marginals.any()


def test_single_precision_of_long_sentences_agrees_with_double(single_root):
    torch.manual_seed(6)
    scores, mask = 5 * torch.randn(2, 41, 41), whole_sentences(2, 40)
    total = arborescence_log_partition(scores, mask, single_root)
    exact = arborescence_log_partition(scores.double(), mask, single_root)
    torch.testing.assert_close(total.double(), exact, rtol=1e-6, atol=0)


def test_numba_is_imported_only_when_it_is_needed():
    at_the_top = ast.parse(Path(arborescence.__file__).read_text()).body
    imports = [node for node in at_the_top if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {alias.name for node in imports for alias in node.names}
    assert "LogarithmicInference" in names and "cpu" not in names
