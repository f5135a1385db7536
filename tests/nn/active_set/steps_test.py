import pytest
import torch

from spigot_allennlp.nn.active_set.active_set import hull_step, project_onto_hull
from spigot_allennlp.nn.simplex.simplex import box_step, capped_simplex_step, simplex_step
from tests.nn.active_set.hulls import BestTree, sentences, what_is_positive


@pytest.fixture(params=[True, False], ids=["single_root", "multi_root"])
def best_tree(request):
    return BestTree(single_root=request.param)


@pytest.mark.parametrize("size", [1e-3, 1e-8, 1e-12, 1e-20])
def test_from_a_vertex_a_tiny_step_keeps_its_size_and_direction(best_tree, size):
    mask, points = sentences(12, 7, 3, 0)
    vertex = best_tree(points, mask)
    step = torch.randn(points.shape, generator=torch.Generator().manual_seed(2)).double()
    usual = hull_step(best_tree, vertex, 1e-4 * step, mask) / 1e-4
    tiny = hull_step(best_tree, vertex.float(), (size * step).float(), mask)
    assert tiny.dtype == torch.float32 and usual.abs().max() > 0.1
    torch.testing.assert_close(tiny.double() / size, usual, rtol=1e-5, atol=1e-5)


def test_a_step_from_anywhere_ends_where_the_projection_is(best_tree):
    mask, points = sentences(8, 5, 1)
    inside = project_onto_hull(best_tree, points, mask).point
    for origin in (inside, torch.zeros_like(points), best_tree(points, mask), 3 * points):
        step = (origin - points.flip(0)).masked_fill(~mask, 0)
        moved = hull_step(best_tree, origin, step, mask)
        expected = project_onto_hull(best_tree, origin - step, mask).point
        torch.testing.assert_close((origin - moved).masked_fill(~mask, 0), expected)


def test_a_point_of_the_hull_stays_where_it_is(best_tree):
    mask, points = sentences(9, 6, 2)
    inside = project_onto_hull(best_tree, points, mask, tolerance=1e-14).point
    again = project_onto_hull(best_tree, inside, mask, tolerance=1e-14)
    torch.testing.assert_close(again.point, inside)
    no_step = hull_step(best_tree, inside, torch.zeros_like(inside), mask, tolerance=1e-14)
    torch.testing.assert_close(no_step, torch.zeros_like(inside), atol=1e-7, rtol=0)


# --- agreement with closed forms


def one_of_a_row(scores, mask):
    best = scores.masked_fill(~mask, -torch.inf).argmax(dim=-1, keepdim=True)
    return torch.zeros_like(scores).scatter_(-1, best, 1) * mask


def one_of_a_row_if_positive(scores, mask):
    return one_of_a_row(scores, mask) * what_is_positive(scores, mask)


@pytest.mark.parametrize(
    "argmax, closed_form",
    [
        (one_of_a_row, simplex_step),
        (what_is_positive, box_step),
        (one_of_a_row_if_positive, capped_simplex_step),
    ],
)
@pytest.mark.parametrize("scale", [1e-12, 1e-6, 0.3, 1.0, 100.0])
def test_steps_onto_polytopes_with_a_closed_form(argmax, closed_form, scale):
    generator = torch.Generator().manual_seed(6)
    step, scores = torch.randn(2, 8, 3, 5, generator=generator, dtype=torch.double)
    mask = torch.rand(8, 3, 5, generator=generator) < 0.8
    origin = argmax(scores, mask)
    moved = hull_step(argmax, origin, scale * step, mask)
    expected = closed_form(origin, scale * step, mask)
    tolerance = 1e-7 * expected.abs().max().item()
    torch.testing.assert_close(moved, expected, rtol=1e-6, atol=tolerance)
