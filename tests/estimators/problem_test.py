from contextlib import nullcontext

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from torch.nn.functional import dropout

from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.structures.categorical import Categorical
from tests.estimators.backward import quadratic

SCORES = torch.tensor([[2.0, 0.0, 1.0], [0.0, 1.0, 9.0]])
MASK = torch.tensor([[True, True, True], [True, True, False]])


def problem(downstream=None, scores=SCORES):
    return ArgmaxProblem(Categorical(), scores, MASK, downstream)


def test_argmax_and_marginals_are_those_of_the_structure():
    assert problem().argmax().tolist() == [[1, 0, 0], [0, 1, 0]]
    torch.testing.assert_close(
        problem().marginals(), SCORES.masked_fill(~MASK, -torch.inf).softmax(-1)
    )


def test_the_same_problem_with_other_scores():
    here = problem(quadratic(SCORES))
    there = here.at(-SCORES)
    assert there.argmax().tolist() == [[0, 1, 0], [1, 0, 0]]
    assert there.downstream is here.downstream and there.trace is here.trace


def test_the_downstream_gradient_is_that_of_each_instance_and_of_legal_parts():
    target, point = torch.ones(2, 3), torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]])
    gradient = problem(quadratic(target)).downstream_gradient(point)
    assert gradient.tolist() == [[0, -1, -1], [-0.5, -0.5, 0]]


def test_the_downstream_gradient_is_zero_if_the_loss_ignores_the_object():
    weights = torch.ones(2, requires_grad=True)
    assert not problem(lambda value: weights * 2).downstream_gradient(SCORES).any()


def test_the_downstream_gradient_works_where_gradients_are_switched_off():
    with torch.no_grad():
        gradient = problem(quadratic(torch.zeros(2, 3))).downstream_gradient(torch.ones(2, 3))
    assert gradient.tolist() == [[1, 1, 1], [1, 1, 0]] and not gradient.requires_grad


def test_the_downstream_gradient_leaves_those_of_the_parameters_alone():
    weights = torch.ones(3, requires_grad=True)
    problem(lambda value: (value * weights).sum(-1)).downstream_gradient(SCORES)
    assert weights.grad is None


def with_dropout(value):
    return dropout(value, 0.5).pow(2).sum(-1) / 2


def test_running_downstream_again_repeats_its_dropout():
    torch.manual_seed(1)
    point = torch.ones(2, 3)
    here = problem(with_dropout)
    leaf = point.clone().requires_grad_()
    here.losses(leaf).sum().backward()
    torch.rand(7)  # whatever else the model draws
    again = here.downstream_gradient(point)
    assert torch.equal(again, leaf.grad.masked_fill(~MASK, 0)) and len(again.unique()) > 1


def test_running_downstream_again_leaves_the_generator_where_it_was():
    here = problem(with_dropout)
    here.losses(SCORES)
    before = torch.get_rng_state()
    here.downstream_gradient(SCORES)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_generator_is_put_back_even_if_downstream_fails():
    def fails(value):
        torch.rand(1)
        raise ValueError("on purpose")

    before = torch.get_rng_state()
    with pytest.raises(ValueError, match="on purpose"):
        problem(fails).downstream_gradient(SCORES)
    assert torch.equal(torch.get_rng_state(), before)


def test_running_downstream_again_repeats_its_types_under_autocast():
    types = []
    weights = torch.ones(3, 1)

    def downstream(value):
        product = value @ weights
        types.append(product.dtype)
        return product.squeeze(-1)

    here = problem(downstream)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        here.losses(SCORES)
    here.downstream_gradient(SCORES)  # as in a backward pass, outside autocast
    assert types == [torch.bfloat16, torch.bfloat16]


@pytest.mark.parametrize(
    "reduce, weights",
    [
        (torch.mean, [0.5, 0.5]),
        (torch.sum, [1, 1]),
        (lambda losses: losses.mean() / 4, [0.125, 0.125]),
        (lambda losses: losses.mean() * 2**16, [2**15, 2**15]),
        (lambda losses: losses[0] * 3, [3, 0]),
    ],
    ids=["mean", "sum", "accumulated", "scaled", "one of them"],
)
def test_the_weight_of_each_loss_is_read_off(reduce, weights):
    here = problem(quadratic(torch.zeros(2, 3)))
    leaf = torch.ones(2, 3, requires_grad=True)
    reduce(here.losses(leaf)).backward()
    assert here.instance_weights().tolist() == [[weight] for weight in weights]


@pytest.mark.parametrize(
    "downstream, error, words",
    [
        (lambda value: value.sum(-1).mean(), ValueError, r"shape \(2,\), but found shape \(\)"),
        (lambda value: value.sum(-1, keepdim=True), ValueError, r"but found shape \(2, 1\)"),
        (lambda value: value, ValueError, r"but found shape \(2, 3\)"),
        (lambda value: value.sum().item(), TypeError, "but found a float"),
    ],
    ids=["a mean", "a column", "no sum", "a number"],
)
def test_what_is_no_loss_of_each_instance_is_refused_where_it_is_made(downstream, error, words):
    with pytest.raises(error, match=f"downstream must return the loss of each.*{words}"):
        problem(downstream).losses(SCORES)


def test_of_a_reward_the_downstream_gradient_is_that_of_its_negative():
    point, target = torch.ones(2, 3), torch.zeros(2, 3)
    here = problem(lambda value: -quadratic(target)(value))
    leaf = torch.ones(2, 3, requires_grad=True)
    (-here.losses(leaf).mean()).backward()
    expected = problem(quadratic(target)).downstream_gradient(point)
    assert torch.equal(here.downstream_gradient(point), expected)


def test_without_a_trace_the_loss_is_taken_for_a_mean():
    assert problem().instance_weights().tolist() == [[0.5], [0.5]]


def test_losses_of_a_problem_without_downstream_are_a_mistake_of_ours():
    with pytest.raises(AssertionError, match="downstream"):
        problem().losses(SCORES)


def test_losses_whose_gradient_is_not_needed_weigh_nothing():
    class NeedsNone(torch.autograd.Function):
        @staticmethod
        def forward(ctx, losses):
            return losses.clone()

        @staticmethod
        def backward(ctx, gradient):
            return None

    here = problem(quadratic(torch.zeros(2, 3)))
    leaf = torch.ones(2, 3, requires_grad=True)
    (NeedsNone.apply(here.losses(leaf)).sum() + 0 * leaf.sum()).backward()
    assert here.instance_weights().tolist() == [[0], [0]] and not leaf.grad.any()


@pytest.mark.parametrize("kind", ["cuda", "mps", "xpu"])
def test_the_generator_of_any_accelerator_is_put_back(kind, monkeypatch):
    class Accelerator:
        state = torch.zeros(1)

        @classmethod
        def get_rng_state(cls, device):
            assert device.type == kind
            return cls.state.clone()

        @classmethod
        def set_rng_state(cls, state, device):
            assert device.type == kind
            cls.state = state

    class OnAccelerator(torch.Tensor):
        device = torch.device(kind)

    seen = []

    def downstream(value):
        seen.append(Accelerator.state.item())
        Accelerator.state = Accelerator.state + 1  # as dropout does
        return value.sum(dim=1).as_subclass(torch.Tensor)

    monkeypatch.setattr(torch, kind, Accelerator)
    monkeypatch.setattr(
        "spigot_allennlp.estimators.problem.autocast_as_now", lambda device: nullcontext()
    )
    here, value = problem(downstream), torch.ones(2, 3).as_subclass(OnAccelerator)
    here.losses(value)
    here.repeated_losses(value)
    assert seen == [0, 0] and Accelerator.state == 1


def test_an_estimator_that_does_not_say_that_it_runs_the_model_again_is_told_how():
    for rerun in (problem().downstream_gradient, problem().repeated_losses):
        with pytest.raises(ConfigurationError, match="Override its property reevaluates"):
            rerun(SCORES)
