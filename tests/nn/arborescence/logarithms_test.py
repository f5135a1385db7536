import pytest
import torch

from spigot_allennlp.nn import closed_form_autograd
from spigot_allennlp.nn.arborescence.logarithms import SumOverTrees
from tests.nn.random_batches import random_batch


@pytest.fixture(params=[True, False], ids=["single_root", "multi_root"])
def inference(request):
    return SumOverTrees(request.param)


def test_derivatives_agree_with_differences(inference):
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
    found = inference.marginals_jvp(scores, mask, direction)
    torch.testing.assert_close(found, (ahead[1] - back[1]) / 2e-5, rtol=1e-6, atol=1e-8)
    assert not found[~possible].any()


def test_a_derivative_is_found_inside_of_a_backward_pass(inference):
    scores, mask, direction = random_batch(2, 3, 5)
    leaf = scores.requires_grad_()
    total = closed_form_autograd.log_partition(leaf, mask, inference)
    (marginals,) = torch.autograd.grad(total.sum(), leaf, create_graph=True)
    (gradient,) = torch.autograd.grad((marginals * direction).sum(), leaf)
    expected = inference.marginals_jvp(scores.detach(), mask, direction)
    torch.testing.assert_close(gradient, expected)


def test_a_derivative_along_a_constant_of_each_token_is_none(inference):
    scores, mask, direction = random_batch(3, 4, 8, scale=100)
    constant = direction[:, :, :1].expand_as(direction)
    found = inference.marginals_jvp(scores, mask, constant)
    torch.testing.assert_close(found, torch.zeros_like(found), rtol=0, atol=1e-9)
