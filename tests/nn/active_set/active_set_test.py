import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spigot_allennlp.nn.active_set.active_set import project_onto_hull
from tests.nn.active_set.hulls import (
    BestTree,
    argmax_of,
    check_mean,
    gap_of,
    nearest_by_least_squares,
    random_family,
    sentences,
)
from tests.nn.dependency_trees import legal_trees

SCALES = [0.05, 0.3, 1.0, 10.0, 1e4]


@pytest.fixture(params=[True, False], ids=["single_root", "multi_root"])
def best_tree(request):
    return BestTree(single_root=request.param)


# --- the nearest point


@pytest.mark.parametrize("scale", SCALES)
def test_of_trees_it_is_what_least_squares_over_all_trees_finds(best_tree, scale):
    mask, points = sentences(4, 4, 3, 2, 1)
    found = project_onto_hull(best_tree, scale * points, mask)
    check_mean(found)
    for legal, target, point in zip(mask, scale * points, found.point, strict=True):
        trees = legal_trees(legal, projective=True, single_root=best_tree.single_root)
        expected = nearest_by_least_squares(trees, target.masked_fill(~legal, 0))
        torch.testing.assert_close(point, expected, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("scale", SCALES)
def test_of_pruned_trees_it_is_what_least_squares_finds(best_tree, scale):
    mask, points = sentences(4, 4, 4, 4, 3, 3)
    mask &= torch.rand(mask.shape, generator=torch.Generator().manual_seed(1)) < 0.7
    found = project_onto_hull(best_tree, scale * points, mask)
    for legal, target, point in zip(mask, scale * points, found.point, strict=True):
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
def test_of_any_family_no_point_is_nearer(seed, num_objects, num_parts, scale, ties):
    generator = torch.Generator().manual_seed(seed)
    objects = random_family(generator, num_objects, num_parts)
    target = torch.randn(1, num_parts, generator=generator, dtype=torch.double)
    target = scale * (target.round() if ties else target)
    mask = objects.any(dim=0).unsqueeze(0)
    found = project_onto_hull(argmax_of([objects]), target, mask)
    check_mean(found)
    assert not found.point[~mask].any()
    assert gap_of(objects, target, found.point) <= 1e-9 + 1e-12 * scale
    there = (found.vertices[0].unsqueeze(1) == objects).all(dim=2).any(dim=1)
    assert there[found.weights[0] > 0].all()


def test_among_a_hundred_points_of_the_hull_none_is_nearer(best_tree):
    mask, points = sentences(4, 3)
    found = project_onto_hull(best_tree, points, mask)
    for legal, target, point in zip(mask, points, found.point, strict=True):
        trees = legal_trees(legal, projective=True, single_root=best_tree.single_root)
        weights = torch.empty(100, len(trees), dtype=torch.double).exponential_()
        others = torch.tensordot(weights / weights.sum(dim=1, keepdim=True), trees, 1)
        target = target.masked_fill(~legal, 0)
        distances = (others - target).flatten(1).norm(dim=1)
        assert (distances >= (point - target).norm() - 1e-9).all()


def test_three_numbers_by_hand():
    objects = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]).double()
    target = torch.tensor([[0.7, 0.1, -0.4]]).double()
    found = project_onto_hull(argmax_of([objects]), target, torch.ones(1, 3, dtype=torch.bool))
    torch.testing.assert_close(found.point, torch.tensor([[0.8, 0.2, 0.0]]).double())
    assert found.iterations.tolist() == [1] and found.vertices.shape == (1, 2, 3)


# --- how good it is


def test_the_gap_bounds_what_is_missing_at_any_time(best_tree):
    mask, points = sentences(10, 8, 5)
    best = project_onto_hull(best_tree, points, mask, tolerance=0.0)
    target = points.masked_fill(~mask, 0)

    def half_squares(found):
        return (found.point - target).square().flatten(1).sum(dim=1) / 2

    before = None
    for max_iterations in (0, 1, 2, 3, 5, 8, 13):
        found = project_onto_hull(best_tree, points, mask, max_iterations, tolerance=0.0)
        check_mean(found)
        assert (found.iterations <= max_iterations).all()
        missing = half_squares(found) - half_squares(best)
        assert (missing <= found.gap + 1e-12).all() and (missing >= -1e-12).all()
        squares = (found.point - best.point).square().flatten(1).sum(dim=1)
        assert (squares <= found.gap + 1e-12).all()
        assert before is None or (missing <= before + 1e-12).all()
        before = missing
    assert (best.gap < 1e-12).all()


@pytest.mark.parametrize("tolerance", [1e-1, 1e-3, 1e-5, 1e-9])
def test_the_gap_asked_for_is_reached(best_tree, tolerance):
    mask, points = sentences(20, 12)
    found = project_onto_hull(best_tree, 0.3 * points, mask, tolerance=tolerance)
    assert (found.gap <= tolerance).all() and (found.gap >= 0).all()


@pytest.mark.parametrize("max_iterations", [1, 5, 20, 40, 60])
def test_after_any_step_the_mean_is_the_best_of_the_vertices_in_use(best_tree, max_iterations):
    mask, points = sentences(14, 12, 10, 8)
    # of a point of the polytope, found step by step, many vertices enter and leave
    points = project_onto_hull(best_tree, points, mask).point
    found = project_onto_hull(best_tree, points, mask, max_iterations)
    # a vertex that is better than another would be given more weight
    slopes = (found.vertices * (points - found.point).unsqueeze(1)).flatten(2).sum(dim=2)
    mean = (slopes * found.weights).sum(dim=1, keepdim=True)
    differences = (slopes - mean).masked_fill(found.weights == 0, 0)
    torch.testing.assert_close(differences, torch.zeros_like(slopes), atol=1e-10, rtol=0)
    assert max_iterations < 40 or (found.iterations + 1 > (found.weights > 0).sum(dim=1)).all()


# --- derivative


def test_the_derivative_is_that_of_the_nearest_point(best_tree):
    mask, points = sentences(6, 4, 1, 0)
    found = project_onto_hull(best_tree, points, mask, tolerance=0.0)
    direction = torch.randn(points.shape, generator=torch.Generator().manual_seed(3)).double()
    ahead, behind = [
        project_onto_hull(best_tree, points + way * direction, mask, tolerance=0.0).point
        for way in (1e-6, -1e-6)
    ]
    derivative = found.derivative(direction)
    torch.testing.assert_close(derivative, (ahead - behind) / 2e-6, atol=1e-6, rtol=1e-6)
    assert derivative.abs().max() > 0.1
    torch.testing.assert_close(found.derivative(derivative), derivative)
