import pytest
import torch

from spigot_allennlp.nn import invalid_scores
from spigot_allennlp.nn.invalid_scores import (
    are_finite,
    compute_valid,
    invalid_instances,
    is_score,
    is_step,
    known_moderate,
    without_excess,
    without_overflow,
)

MASK = torch.tensor([[True, True, False]]).expand(3, -1)


@pytest.fixture(params=[True, False], ids=["looks", "does not wait"], autouse=True)
def looks(request, monkeypatch):
    monkeypatch.setattr(invalid_scores, "answers_at_once", lambda device: request.param)
    return request.param


@pytest.mark.parametrize("rubbish", [torch.nan, torch.inf, -torch.inf])
def test_what_stands_on_an_illegal_part_makes_nothing_invalid(rubbish, looks):
    scores = torch.tensor([[1.0, -torch.inf, rubbish]]).expand(3, -1)
    invalid = invalid_instances(MASK, is_score, scores)
    assert invalid is None if looks else not invalid.any()


def test_scores_and_steps_and_finite_numbers():
    infinity = torch.inf
    first = torch.tensor([[infinity, 0.0, 0.0], [-infinity, 0.0, 0.0], [torch.nan, 0.0, 0.0]])
    zero = torch.zeros(3, 3)
    for is_valid, tensors, expected in [
        (is_score, (first,), [True, False, True]),
        (is_step, (zero, first), [False, True, True]),
        (is_step, (first, zero), [True, True, True]),
        (are_finite, (zero, first), [True, True, True]),
    ]:
        assert invalid_instances(MASK, is_valid, *tensors).tolist() == expected


def test_only_invalid_instances_become_nan_with_all_their_derivatives():
    scores = torch.tensor([[1.0, 2.0, 3.0], [torch.nan, 2.0, 3.0], [4.0, 5.0, 6.0]])
    scores.requires_grad_()
    seen = []

    def cubes(point, mask):
        seen.append(point)
        return (point.masked_fill(~mask, 0) ** 3).sum(dim=1)

    total = compute_valid(cubes, invalid_instances(MASK, is_score, scores), MASK, scores)
    assert seen[0].isfinite().all()
    (first,) = torch.autograd.grad(total.sum(), scores, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), scores, create_graph=True)
    (third,) = torch.autograd.grad(second.sum(), scores)
    for derivative, power, factor in ((first, 2, 3), (second, 1, 6), (third, 0, 6)):
        assert derivative[1, :2].isnan().all() and not derivative[:, 2].any()
        expected = factor * scores.detach()[[0, 2], :2] ** power
        assert torch.equal(derivative[[0, 2], :2], expected)
    assert total.isnan().tolist() == [False, True, False]


def test_a_derivative_that_nothing_asks_for_is_nan_in_invalid_instances_too():
    scores = torch.tensor([[1.0], [torch.nan]], requires_grad=True)
    mask = torch.ones(2, 1, dtype=torch.bool)
    total = compute_valid(
        lambda point, mask: point.sum(dim=1), torch.tensor([False, True]), mask, scores
    )
    (gradient,) = torch.autograd.grad(total, scores, torch.zeros(2))
    assert gradient[0] == 0 and gradient[1].isnan()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_large_scores_are_scaled_down_exactly_and_others_left_alone(dtype):
    most = torch.finfo(dtype).max
    rows = [[most, -most, 0.0], [-torch.inf, 1.0, most], [most / 2, 3.0, 1.0]]
    scores = torch.tensor(rows, dtype=dtype)
    small = without_overflow(scores, MASK)
    assert torch.equal(small[1], scores[1])
    assert small[0, 0] == 2 * small[2, 0] == -small[0, 1] and 1e18 < small[0, 0] < 1e20


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_of_scores_to_draw_from_only_excessive_ones_are_scaled_and_by_the_least(dtype):
    most = torch.finfo(dtype).max
    rows = [[most, -most, 0.0], [-torch.inf, 1.0, most], [most / 2, 3.0, 1.0]]
    scores = torch.tensor(rows, dtype=dtype)
    small = without_excess(scores, MASK)
    assert torch.equal(small[1], scores[1])
    assert small[0, 0] == -small[0, 1]
    assert (small[[0, 2], 0] / 1e11 - 1).abs().max() < 1e-6


def test_the_quick_look_sees_whatever_could_overflow(looks):
    assert known_moderate(torch.randn(100)) == looks
    for number in (torch.nan, torch.inf, -torch.inf, 1e30):
        assert not known_moderate(torch.tensor([1.0, number]))
    assert not known_moderate(torch.tensor([1e30, -1e30]))
    assert not known_moderate(torch.tensor([1, 2]))
