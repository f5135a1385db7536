import ast
from pathlib import Path

import pytest
import torch

from spigot_allennlp.nn.eisner import eisner
from spigot_allennlp.nn.eisner.eisner import best_projective_tree, projective_log_partition
from tests.nn.dependency_trees import dependency_trees, is_projective, legal_trees
from tests.nn.random_batches import whole_sentences


@pytest.fixture(params=["kernels", "torch_fallback"], autouse=True)
def path(request, monkeypatch):
    """
    Every test runs twice: with the kernels, and with what other devices than the cpu get.
    """
    monkeypatch.setattr(eisner, "has_kernels", lambda device: request.param == "kernels")


@pytest.fixture(params=[True, False], ids=["single_root", "multi_root"])
def single_root(request):
    return request.param


def heads_of(tree):
    return tuple(tree[1:].argmax(dim=-1).tolist())


def test_enumeration_counts_what_is_known(single_root):
    counts = [len(dependency_trees(n, True, single_root)) for n in range(1, 6)]
    assert counts == ([1, 2, 7, 30, 143] if single_root else [1, 3, 12, 55, 273])
    counts = [len(dependency_trees(n, False, single_root)) for n in range(1, 6)]
    assert counts == ([1, 2, 9, 64, 625] if single_root else [1, 3, 16, 125, 1296])


@pytest.mark.parametrize("num_tokens", [0, 1, 2, 3, 4, 5])
def test_best_tree_is_the_best_of_all(num_tokens, single_root):
    torch.manual_seed(num_tokens)
    scores = torch.randn(20, num_tokens + 1, num_tokens + 1)
    best = best_projective_tree(scores, whole_sentences(20, num_tokens), single_root)
    trees = dependency_trees(num_tokens, True, single_root).float()
    expected = trees[torch.einsum("bij,tij->bt", scores, trees).argmax(dim=1)]
    assert torch.equal(best, expected)


@pytest.mark.parametrize("num_tokens", [0, 1, 2, 3, 4, 5])
def test_log_partition_is_that_of_all_trees(num_tokens, single_root):
    torch.manual_seed(num_tokens)
    scores = 3 * torch.randn(20, num_tokens + 1, num_tokens + 1, dtype=torch.double)
    total = projective_log_partition(scores, whole_sentences(20, num_tokens), single_root)
    trees = dependency_trees(num_tokens, True, single_root)
    torch.testing.assert_close(total, torch.einsum("bij,tij->bt", scores, trees).logsumexp(1))


def test_pruned_arcs_leave_the_best_of_the_trees_without_them(single_root):
    torch.manual_seed(3)
    scores = torch.randn(60, 5, 5, dtype=torch.double)
    mask = whole_sentences(60, 4) & (torch.rand(60, 5, 5) > 0.4)
    mask[:, 4, 3] = True  # so that the last token never looks like padding
    best = best_projective_tree(scores, mask, single_root)
    total = projective_log_partition(scores, mask, single_root)
    trees = [legal_trees(legal, True, single_root) for legal in mask]
    assert any(len(some) == 0 for some in trees) and any(len(some) > 0 for some in trees)
    for index, some in enumerate(trees):
        if len(some):
            scored = (some * scores[index]).flatten(1).sum(1)
            assert torch.equal(best[index], some[scored.argmax()])
            torch.testing.assert_close(total[index], scored.logsumexp(0))
        else:
            assert not best[index].any() and total[index] == -torch.inf


def test_long_sentences_give_projective_trees_that_no_single_change_betters(single_root):
    torch.manual_seed(4)
    scores = torch.randn(2, 31, 31, dtype=torch.double)
    best = best_projective_tree(scores, whole_sentences(2, 30), single_root)
    for tree, score in zip(best, scores, strict=True):
        heads = heads_of(tree)
        assert is_projective(heads) and tree[1:].sum(dim=1).eq(1).all()
        assert heads.count(0) == 1 if single_root else heads.count(0) >= 1
        # the best tree scores as the recurrence of the partition function says, in the limit of low
        # temperature
        cold = projective_log_partition(1e6 * score[None], whole_sentences(1, 30), single_root)
        torch.testing.assert_close(cold / 1e6, (tree * score).sum()[None], atol=1e-4, rtol=0)


@pytest.mark.parametrize("scale", [0.0, 1.0, 1000.0])
def test_in_marginals_every_token_has_one_head(single_root, scale):
    torch.manual_seed(5)
    scores = (scale * torch.randn(3, 21, 21)).requires_grad_()
    total = projective_log_partition(scores, whole_sentences(3, 20), single_root)
    (marginals,) = torch.autograd.grad(total.sum(), scores)
    torch.testing.assert_close(marginals[:, 1:].sum(dim=-1), torch.ones(3, 20))
    assert (marginals >= 0).all() and (marginals <= 1 + 1e-6).all()
    if single_root:
        torch.testing.assert_close(marginals[:, :, 0].sum(dim=-1), torch.ones(3))


def test_nothing_but_the_root(single_root):
    scores = torch.randn(2, 1, 1, requires_grad=True)
    assert not best_projective_tree(scores, whole_sentences(2, 0), single_root).any()
    total = projective_log_partition(scores, whole_sentences(2, 0), single_root)
    (marginals,) = torch.autograd.grad(total.sum(), scores)
    assert not total.any() and not marginals.any()


def test_single_precision_of_long_sentences_agrees_with_double(single_root):
    torch.manual_seed(6)
    scores, mask = 5 * torch.randn(2, 41, 41), whole_sentences(2, 40)
    total = projective_log_partition(scores, mask, single_root)
    exact = projective_log_partition(scores.double(), mask, single_root)
    torch.testing.assert_close(total.double(), exact, rtol=1e-6, atol=0)


def test_numba_is_imported_only_when_it_is_needed():
    at_the_top = ast.parse(Path(eisner.__file__).read_text()).body
    imports = [node for node in at_the_top if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {alias.name for node in imports for alias in node.names}
    assert "recurrence" in names and "cpu" not in names
