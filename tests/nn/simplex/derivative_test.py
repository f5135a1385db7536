import pytest
import torch

from spigot_allennlp.nn.simplex.derivative import (
    box_derivative,
    capped_simplex_derivative,
    simplex_derivative,
)
from spigot_allennlp.nn.simplex.simplex import box_step, capped_simplex_step, simplex_step

KINDS = pytest.mark.parametrize(
    "step, derivative",
    [
        (box_step, box_derivative),
        (simplex_step, simplex_derivative),
        (capped_simplex_step, capped_simplex_derivative),
    ],
    ids=["box", "simplex", "capped simplex"],
)


@pytest.fixture
def batch():
    torch.manual_seed(0)
    points, directions = torch.randn(2, 200, 6, dtype=torch.double)
    mask = torch.rand(200, 6) < 0.8
    return points / 2, directions, mask


@KINDS
def test_it_agrees_with_finite_differences(step, derivative, batch):
    points, directions, mask = batch

    def project(point):
        return -step(torch.zeros_like(point), -point, mask)

    size = 1e-7
    ahead, behind = (project(points + sign * size * directions) for sign in (1, -1))
    found = derivative(project(points), directions)
    torch.testing.assert_close(found, (ahead - behind) / (2 * size), atol=1e-6, rtol=0)
    assert found.any() and not found[~mask].any()


@KINDS
def test_the_matrix_is_symmetric_and_a_projection(step, derivative, batch):
    points, directions, mask = batch
    point = -step(torch.zeros_like(points), -points, mask)
    other = directions.flip(0)
    ours, theirs = derivative(point, directions), derivative(point, other)
    torch.testing.assert_close((ours * other).sum(-1), (directions * theirs).sum(-1))
    torch.testing.assert_close(derivative(point, ours), ours)


def test_single_precision_tells_a_bound_that_is_reached_from_one_that_is_not():
    torch.manual_seed(1)
    points = 0.3 + torch.randn(500, 40) / 4
    mask = torch.ones_like(points, dtype=torch.bool)
    point = -capped_simplex_step(torch.zeros_like(points), -points, mask)
    slope = capped_simplex_derivative(point, torch.ones_like(points))
    # A constant moves nothing where the bound is reached, which is everywhere here.
    assert slope.abs().max() < 1e-6
    free = capped_simplex_derivative(0.9 * point, torch.ones_like(points))
    torch.testing.assert_close(free, (point > 0).float())


@KINDS
def test_an_empty_row_stays_empty(step, derivative):
    assert not derivative(torch.zeros(1, 3), torch.ones(1, 3)).any()
