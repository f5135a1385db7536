import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spigot_allennlp.nn.active_set.active_set import hull_step, project_onto_hull
from spigot_allennlp.nn.simplex.simplex import box_step, capped_simplex_step, simplex_step
from tests.nn.active_set.hulls import (
    BestTree,
    argmax_of,
    check_mean,
    gap_of,
    nearest_by_least_squares,
    random_family,
    sentences,
    what_is_positive,
)
from tests.nn.dependency_trees import legal_trees

SCALES = [0.05, 0.3, 1.0, 10.0, 1e4]


@pytest.fixture(params=[True, False], ids=["single_root", "multi_root"])
def best_tree(request):
    return BestTree(single_root=request.param)


# --- the nearest point


@pytest.mark.parametrize("scale", SCALES)
def test_the_nearest_tree_mean_is_that_of_least_squares_over_all_trees(best_tree, scale):
    mask, points = sentences(4, 4, 3, 2, 1)
    active_set = project_onto_hull(best_tree, scale * points, mask)
    check_mean(active_set)
    for legal, target, point in zip(mask, scale * points, active_set.point, strict=True):
        trees = legal_trees(legal, projective=True, single_root=best_tree.single_root)
        expected = nearest_by_least_squares(trees, target.masked_fill(~legal, 0))
        torch.testing.assert_close(point, expected, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("scale", SCALES)
def test_the_nearest_mean_of_pruned_trees_is_that_of_least_squares(best_tree, scale):
    mask, points = sentences(4, 4, 4, 4, 3, 3)
    mask &= torch.rand(mask.shape, generator=torch.Generator().manual_seed(1)) < 0.7
    active_set = project_onto_hull(best_tree, scale * points, mask)
    for legal, target, point in zip(mask, scale * points, active_set.point, strict=True):
        trees = legal_trees(legal, projective=True, single_root=best_tree.single_root)
        target = target.masked_fill(~legal, 0)
        expected = nearest_by_least_squares(trees, target) if len(trees) else 0 * target
        torch.testing.assert_close(point, expected, atol=1e-6, rtol=1e-6)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    num_objects=st.integers(1, 30),
    num_parts=st.integers(1, 8),
    scale=st.sampled_from([0.0, 1e-9, 0.1, 1.0, 1e4]),
    ties=st.booleans(),
)
def test_no_point_of_the_hull_of_any_family_is_nearer(seed, num_objects, num_parts, scale, ties):
    generator = torch.Generator().manual_seed(seed)
    objects = random_family(generator, num_objects, num_parts)
    target = torch.randn(1, num_parts, generator=generator, dtype=torch.double)
    target = scale * (target.round() if ties else target)
    mask = objects.any(dim=0).unsqueeze(0)
    active_set = project_onto_hull(argmax_of([objects]), target, mask)
    check_mean(active_set)
    assert not active_set.point[~mask].any()
    assert gap_of(objects, target, active_set.point) <= 1e-9 + 1e-12 * scale
    there = (active_set.vertices[0].unsqueeze(1) == objects).all(dim=2).any(dim=1)
    assert there[active_set.weights[0] > 0].all()


def test_none_of_a_hundred_points_of_the_hull_is_nearer(best_tree):
    mask, points = sentences(4, 3)
    active_set = project_onto_hull(best_tree, points, mask)
    for legal, target, point in zip(mask, points, active_set.point, strict=True):
        trees = legal_trees(legal, projective=True, single_root=best_tree.single_root)
        weights = torch.empty(100, len(trees), dtype=torch.double).exponential_()
        others = torch.tensordot(weights / weights.sum(dim=1, keepdim=True), trees, 1)
        target = target.masked_fill(~legal, 0)
        distances = (others - target).flatten(1).norm(dim=1)
        assert (distances >= (point - target).norm() - 1e-9).all()


def test_three_numbers_by_hand():
    objects = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]).double()
    target = torch.tensor([[0.7, 0.1, -0.4]]).double()
    active_set = project_onto_hull(argmax_of([objects]), target, torch.ones(1, 3, dtype=torch.bool))
    torch.testing.assert_close(active_set.point, torch.tensor([[0.8, 0.2, 0.0]]).double())
    assert active_set.iterations.tolist() == [1] and active_set.vertices.shape == (1, 2, 3)


# --- accuracy


def test_the_gap_bounds_the_missing_decrease_after_any_iteration(best_tree):
    mask, points = sentences(10, 8, 5)
    best = project_onto_hull(best_tree, points, mask, tolerance=0.0)
    target = points.masked_fill(~mask, 0)

    def half_squares(active_set):
        return (active_set.point - target).square().flatten(1).sum(dim=1) / 2

    before = None
    for max_iterations in (0, 1, 2, 3, 5, 8, 13):
        active_set = project_onto_hull(best_tree, points, mask, max_iterations, tolerance=0.0)
        check_mean(active_set)
        assert (active_set.iterations <= max_iterations).all()
        missing = half_squares(active_set) - half_squares(best)
        assert (missing <= active_set.gap + 1e-12).all() and (missing >= -1e-12).all()
        squares = (active_set.point - best.point).square().flatten(1).sum(dim=1)
        assert (squares <= active_set.gap + 1e-12).all()
        assert before is None or (missing <= before + 1e-12).all()
        before = missing
    assert (best.gap < 1e-12).all()


@pytest.mark.parametrize("tolerance", [1e-1, 1e-3, 1e-5, 1e-9])
def test_the_gap_reaches_the_tolerance(best_tree, tolerance):
    mask, points = sentences(20, 12)
    active_set = project_onto_hull(best_tree, 0.3 * points, mask, tolerance=tolerance)
    assert (active_set.gap <= tolerance).all() and (active_set.gap >= 0).all()


@pytest.mark.parametrize("max_iterations", [1, 5, 20, 40, 60])
def test_after_any_step_the_mean_is_the_best_of_the_vertices_in_use(best_tree, max_iterations):
    mask, points = sentences(14, 12, 10, 8)
    # for a point inside of the polytope many vertices are added and removed
    points = project_onto_hull(best_tree, points, mask).point
    active_set = project_onto_hull(best_tree, points, mask, max_iterations)
    # a vertex that is better than another would be given more weight
    slopes = (active_set.vertices * (points - active_set.point).unsqueeze(1)).flatten(2).sum(dim=2)
    mean = (slopes * active_set.weights).sum(dim=1, keepdim=True)
    differences = (slopes - mean).masked_fill(active_set.weights == 0, 0)
    torch.testing.assert_close(differences, torch.zeros_like(slopes), atol=1e-10, rtol=0)
    num_vertices = (active_set.weights > 0).sum(dim=1)
    assert max_iterations < 40 or (active_set.iterations + 1 > num_vertices).all()


# --- Jacobian-vector product


def test_the_jvp_is_the_derivative_of_the_nearest_point(best_tree):
    mask, points = sentences(6, 4, 1, 0)
    active_set = project_onto_hull(best_tree, points, mask, tolerance=0.0)
    tangent = torch.randn(points.shape, generator=torch.Generator().manual_seed(3)).double()
    ahead, behind = [
        project_onto_hull(best_tree, points + step * tangent, mask, tolerance=0.0).point
        for step in (1e-6, -1e-6)
    ]
    jvp = active_set.jvp(tangent)
    torch.testing.assert_close(jvp, (ahead - behind) / 2e-6, atol=1e-6, rtol=1e-6)
    assert jvp.abs().max() > 0.1
    torch.testing.assert_close(active_set.jvp(jvp), jvp)


# --- steps


@pytest.mark.parametrize("size", [1e-3, 1e-8, 1e-12, 1e-20])
def test_from_a_vertex_a_tiny_step_keeps_its_size_and_direction(best_tree, size):
    mask, points = sentences(12, 7, 3, 0)
    vertex = best_tree(points, mask)
    step = torch.randn(points.shape, generator=torch.Generator().manual_seed(2)).double()
    expected = hull_step(best_tree, vertex, 1e-4 * step, mask) / 1e-4
    tiny = hull_step(best_tree, vertex.float(), (size * step).float(), mask)
    assert tiny.dtype == torch.float32 and expected.abs().max() > 0.1
    torch.testing.assert_close(tiny.double() / size, expected, rtol=1e-5, atol=1e-5)


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


# --- steps onto polytopes with a closed form


def best_of_each_row(scores, mask):
    best = scores.masked_fill(~mask, -torch.inf).argmax(dim=-1, keepdim=True)
    return torch.zeros_like(scores).scatter_(-1, best, 1) * mask


def best_of_each_row_if_positive(scores, mask):
    return best_of_each_row(scores, mask) * what_is_positive(scores, mask)


@pytest.mark.parametrize(
    "argmax, closed_form",
    [
        (best_of_each_row, simplex_step),
        (what_is_positive, box_step),
        (best_of_each_row_if_positive, capped_simplex_step),
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
