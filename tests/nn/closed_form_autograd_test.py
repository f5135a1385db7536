import pytest
import torch

from spigot_allennlp.nn.closed_form_autograd import (
    log_partition,
    log_partition_and_marginals,
    value_and_gradient,
)


class SumOfFourthPowers:
    """
    Not a log-partition, but a function whose derivatives are known; counts what it is asked for.
    """

    def __init__(self):
        self.asked = []

    def log_partition_and_marginals(self, scores, mask):
        self.asked.append("log_partition_and_marginals")
        legal = scores.masked_fill(~mask, 0)
        return (legal**4).sum(dim=(1, 2)), 4 * legal**3

    def marginals_jvp(self, scores, mask, direction):
        self.asked.append("marginals_jvp")
        return 12 * scores.masked_fill(~mask, 0) ** 2 * direction


@pytest.fixture
def scores():
    torch.manual_seed(0)
    return torch.randn(3, 2, 2, dtype=torch.double, requires_grad=True)


@pytest.fixture
def mask():
    return torch.tensor([[True, False], [True, True]]).expand(3, 2, 2)


def test_value_and_gradient_are_those_of_the_inference(scores, mask):
    total = log_partition(scores, mask, SumOfFourthPowers())
    legal = scores.detach().masked_fill(~mask, 0)
    torch.testing.assert_close(total, (legal**4).sum(dim=(1, 2)))
    weights = torch.tensor([1.0, -2.0, 0.5], dtype=torch.double)
    (gradient,) = torch.autograd.grad(total @ weights, scores)
    torch.testing.assert_close(gradient, 4 * legal**3 * weights.reshape(3, 1, 1))


def test_first_and_second_derivatives_agree_with_differences(scores, mask):
    def function(point):
        return log_partition(point, mask, SumOfFourthPowers())

    assert torch.autograd.gradcheck(function, scores)
    assert torch.autograd.gradgradcheck(function, scores)


def test_a_gradient_of_the_first_order_costs_no_derivative_of_the_second(scores, mask):
    inference = SumOfFourthPowers()
    log_partition(scores, mask, inference).sum().backward()
    assert inference.asked == ["log_partition_and_marginals"]


def test_a_third_derivative_is_refused(scores, mask):
    total = log_partition(scores, mask, SumOfFourthPowers())
    (first,) = torch.autograd.grad(total.sum(), scores, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), scores, create_graph=True)
    with pytest.raises(NotImplementedError, match="twice"):
        second.sum().backward()


def test_without_gradients_no_graph_is_left_behind(scores, mask):
    with torch.no_grad():
        assert not log_partition(scores, mask, SumOfFourthPowers()).requires_grad


def test_the_marginals_come_along_and_are_differentiable(scores, mask):
    inference = SumOfFourthPowers()
    total, marginals = log_partition_and_marginals(scores, mask, inference)
    legal = scores.detach().masked_fill(~mask, 0)
    torch.testing.assert_close(marginals, 4 * legal**3)
    (gradient,) = torch.autograd.grad(marginals.sum() + total.sum(), scores)
    torch.testing.assert_close(gradient, 12 * legal**2 + 4 * legal**3)
    assert inference.asked == ["log_partition_and_marginals", "marginals_jvp"]


def test_value_and_gradient_by_autograd(scores, mask):
    def function(point, mask):
        return (point**4).sum(dim=(1, 2))

    total, gradient = value_and_gradient(function, scores, mask)
    (second,) = torch.autograd.grad(gradient.sum() + total.sum(), scores)
    exact = scores.detach()
    torch.testing.assert_close(second, 12 * exact**2 + 4 * exact**3)
    with torch.no_grad():
        assert not any(
            tensor.requires_grad for tensor in value_and_gradient(function, scores, mask)
        )
    assert not any(tensor.requires_grad for tensor in value_and_gradient(function, exact, mask))
    assert scores.grad is None and not exact.requires_grad
