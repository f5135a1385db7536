import pytest
import torch

from spigot_allennlp.nn import closed_form_autograd
from spigot_allennlp.nn.arborescence.torch_fallback import (
    Ends,
    LogarithmicInference,
    Walks,
    eliminate_all_but_one,
    tokens_at_ends,
)
from spigot_allennlp.nn.recurrence import IMPOSSIBLE
from tests.nn.random_batches import random_batch


def ends_of(arcs, root, multi_root):
    """Returns the ends of one sentence with these weights, in the order of the tokens."""
    arcs, root = torch.tensor(arcs).double().log(), torch.tensor(root).double().log()
    walks = Walks(
        arcs.clamp(min=IMPOSSIBLE)[None, None],
        root.clamp(min=IMPOSSIBLE)[None, None],
        torch.tensor([[multi_root]]),
        torch.zeros(1, 1, dtype=torch.double),
    )
    tokens = tokens_at_ends(root.size(0))
    order = [tokens.index(token) for token in range(root.size(0))]
    ends = eliminate_all_but_one(walks)
    total, multi_root, absorption = (field[0, 0, order] for field in ends)
    return Ends(total.exp(), multi_root, absorption.exp())


@pytest.mark.parametrize("size", range(1, 20))
def test_every_token_remains_at_some_end(size):
    assert set(tokens_at_ends(size)) == set(range(size))
    assert len(tokens_at_ends(size)) < 2 * size


def test_two_tokens_worked_by_hand():
    # 1 leads to 2 with weight 3, and to the root with 1; 2 leads to 1 with 5, to the root with 2
    ends = ends_of([[0.0, 3.0], [5.0, 0.0]], [1.0, 2.0], multi_root=True)
    # trees: both on the root 1 * 2, 2 below 1 1 * 5, 1 below 2 2 * 3
    torch.testing.assert_close(ends.total, torch.tensor([13.0, 13.0]).double())
    # a walk from 2 reaches the root before 1 in 2 of 7 cases; one from 1 before 2 in 1 of 4
    torch.testing.assert_close(ends.absorption, torch.tensor([[0.0, 2 / 7], [1 / 4, 0.0]]).double())
    assert ends.multi_root.all()


def test_with_one_dependent_of_the_root_pivots_leave_the_root_out():
    ends = ends_of([[0.0, 3.0], [5.0, 0.0]], [1.0, 2.0], multi_root=False)
    torch.testing.assert_close(ends.total, torch.tensor([11.0, 11.0]).double())
    torch.testing.assert_close(ends.absorption, torch.tensor([[0.0, 2 / 5], [1 / 3, 0.0]]).double())
    assert not ends.multi_root.any()


def test_a_token_that_leads_to_none_that_remains_depends_on_the_root():
    # 2 leads to the root alone, so it is its dependent: 1 and 3 lead to it, or to each other
    arcs = [[0.0, 3.0, 1.0], [0.0, 0.0, 0.0], [2.0, 4.0, 0.0]]
    ends = ends_of(arcs, [7.0, 5.0, 9.0], multi_root=False)
    torch.testing.assert_close(ends.total, torch.full((3,), 5.0 * (3 * 4 + 1 * 4 + 3 * 2)).double())
    assert ends.multi_root.tolist() == [True, False, True]
    torch.testing.assert_close(ends.absorption[0], torch.tensor([0.0, 1.0, 4 / 6]).double())


def test_two_tokens_that_lead_to_none_leave_no_tree():
    arcs = [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
    ends = ends_of(arcs, [1.0, 1.0, 1.0], multi_root=False)
    assert not ends.total.any()
    ends = ends_of(arcs, [1.0, 1.0, 1.0], multi_root=True)
    torch.testing.assert_close(ends.total, torch.full((3,), 3.0).double())


# --- inference


@pytest.fixture(params=[True, False], ids=["single_root", "multi_root"])
def inference(request):
    return LogarithmicInference(request.param)


def test_log_partition_and_jvp_agree_with_differences(inference):
    scores, mask, direction = random_batch(1, 6, 6, kept=0.8)
    step = 1e-5 * direction.masked_fill(~mask, 0)
    total, marginals = inference.log_partition_and_marginals(scores, mask)
    ahead, back = (
        inference.log_partition_and_marginals(s, mask) for s in (scores + step, scores - step)
    )
    possible = total.isfinite()
    slope = (ahead[0] - back[0]) / 2e-5
    expected = (marginals * direction).sum((1, 2))
    torch.testing.assert_close(slope[possible], expected[possible], rtol=1e-6, atol=1e-8)
    jvp = inference.marginals_jvp(scores, mask, direction)
    torch.testing.assert_close(jvp, (ahead[1] - back[1]) / 2e-5, rtol=1e-6, atol=1e-8)
    assert not jvp[~possible].any()


def test_a_backward_pass_computes_the_jvp(inference):
    scores, mask, direction = random_batch(2, 3, 5)
    leaf = scores.requires_grad_()
    total = closed_form_autograd.log_partition(leaf, mask, inference)
    (marginals,) = torch.autograd.grad(total.sum(), leaf, create_graph=True)
    (gradient,) = torch.autograd.grad((marginals * direction).sum(), leaf)
    expected = inference.marginals_jvp(scores.detach(), mask, direction)
    torch.testing.assert_close(gradient, expected)


def test_the_jvp_along_a_constant_of_each_token_is_zero(inference):
    scores, mask, direction = random_batch(3, 4, 8, scale=100)
    constant = direction[:, :, :1].expand_as(direction)
    jvp = inference.marginals_jvp(scores, mask, constant)
    torch.testing.assert_close(jvp, torch.zeros_like(jvp), rtol=0, atol=1e-9)
