import pytest
import torch

from spigot_allennlp.nn.simplex.simplex import (
    box_jvp,
    box_step,
    capped_simplex_jvp,
    capped_simplex_step,
    project_onto_simplex,
    simplex_jvp,
    simplex_step,
)


def everything(tensor):
    return torch.ones_like(tensor, dtype=torch.bool)


def by_bisection(point, mask, total=1.0):
    """
    The projection onto the simplex, found by halving the interval that holds tau: independent of
    any sort.
    """
    point = point.masked_fill(~mask, -torch.inf)
    low, high = point.amax(-1, keepdim=True) - total, point.amax(-1, keepdim=True)
    for _ in range(100):
        middle = (low + high) / 2
        too_much = (point - middle).clamp(min=0).sum(-1, keepdim=True) > total
        low, high = torch.where(too_much, middle, low), torch.where(too_much, high, middle)
    return (point - low).clamp(min=0)


@pytest.fixture
def point():
    torch.manual_seed(5)
    return 2 * torch.randn(40, 7, dtype=torch.double)


@pytest.fixture
def mask(point):
    mask = torch.rand(point.shape) > 0.3
    mask[:, 0] = True
    return mask


def test_simplex_agrees_with_bisection(point, mask):
    projected = -simplex_step(torch.zeros_like(point), -point, mask)
    torch.testing.assert_close(projected, by_bisection(point, mask))


def test_a_projection_agrees_with_bisection(point, mask):
    torch.testing.assert_close(project_onto_simplex(point, mask), by_bisection(point, mask))


def test_capped_simplex_agrees_with_bisection_where_the_cap_binds(point, mask):
    projected = -capped_simplex_step(torch.zeros_like(point), -point, mask)
    clipped = point.clamp(min=0).masked_fill(~mask, 0)
    binds = clipped.sum(-1, keepdim=True) > 1
    assert binds.any() and not binds.all()
    torch.testing.assert_close(projected, torch.where(binds, by_bisection(point, mask), clipped))


def test_box_clips(point, mask):
    projected = -box_step(torch.zeros_like(point), -point, mask)
    torch.testing.assert_close(projected, point.clamp(0, 1).masked_fill(~mask, 0))


@pytest.mark.parametrize("step_of", [simplex_step, capped_simplex_step, box_step])
def test_a_step_from_anywhere_ends_where_the_projection_is(point, mask, step_of):
    origin = simplex_step(torch.zeros_like(point), -torch.rand_like(point), mask).neg()
    moved = step_of(origin, origin - point, mask)
    projected = -step_of(torch.zeros_like(point), -point, mask)
    torch.testing.assert_close(origin - moved, projected)


@pytest.mark.parametrize("step_of", [simplex_step, capped_simplex_step, box_step])
def test_in_single_precision_a_step_of_any_size_is_that_of_double_precision(step_of, point, mask):
    vertex = torch.zeros_like(point)
    vertex[:, 0] = 1
    for size in (1e-12, 1e-8, 1e-4, 1.0, 1e4, 1e8):
        step = (size * point).float()
        moved = step_of(vertex.float(), step, mask)
        # in double precision 1e-12 is still far from being lost
        exact = step_of(vertex, step.double(), mask)
        tolerance = 1e-6 * min(size, 1)
        torch.testing.assert_close(moved.double(), exact, rtol=1e-5, atol=tolerance)


def test_three_numbers_by_hand():
    vertex, step = torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.3, -0.1, 0.4])
    # point (.7, .1, -.4): tau = -.1 on the first two, so the projection is (.8, .2, 0)
    moved = simplex_step(vertex, step, everything(step))
    torch.testing.assert_close(moved, torch.tensor([0.2, -0.2, 0.0]))
    # the sum of (.7, .1, 0) is below one: the cap does not bind
    moved = capped_simplex_step(vertex, step, everything(step))
    torch.testing.assert_close(moved, torch.tensor([0.3, -0.1, 0.0]))
    moved = box_step(vertex, step, everything(step))
    torch.testing.assert_close(moved, torch.tensor([0.3, -0.1, 0.0]))


def test_a_constant_added_to_a_row_of_steps_changes_nothing():
    vertex, step = torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.25, -0.125, 0.5])
    moved = simplex_step(vertex, step, everything(step))
    assert torch.equal(simplex_step(vertex, step + 1024, everything(step)), moved)


def test_ties_are_shared():
    point = torch.tensor([2.0, 2.0, 1.0])
    assert simplex_step(torch.zeros(3), -point, everything(point)).tolist() == [-0.5, -0.5, 0.0]


@pytest.mark.parametrize("step_of", [simplex_step, capped_simplex_step, box_step])
def test_a_row_without_legal_entries_stays_where_it_is(step_of):
    step = torch.randn(2, 3)
    assert not step_of(torch.zeros(2, 3), step, torch.zeros(2, 3, dtype=torch.bool)).any()


@pytest.mark.parametrize("step_of", [simplex_step, capped_simplex_step, box_step])
def test_what_stands_in_illegal_places_does_not_matter(step_of, point, mask):
    origin = torch.zeros_like(point)
    clean = step_of(origin, point.masked_fill(~mask, 0), mask)
    for rubbish in (torch.nan, torch.inf, -torch.inf):
        dirty = step_of(origin, point.masked_fill(~mask, rubbish), mask)
        assert torch.equal(dirty, clean)


# --- how projections move

SETS = pytest.mark.parametrize(
    "step, jvp",
    [
        (box_step, box_jvp),
        (simplex_step, simplex_jvp),
        (capped_simplex_step, capped_simplex_jvp),
    ],
    ids=["box", "simplex", "capped simplex"],
)


@pytest.fixture
def batch():
    torch.manual_seed(0)
    points, directions = torch.randn(2, 200, 6, dtype=torch.double)
    mask = torch.rand(200, 6) < 0.8
    return points / 2, directions, mask


@SETS
def test_a_jvp_agrees_with_finite_differences(step, jvp, batch):
    points, directions, mask = batch

    def project(point):
        return -step(torch.zeros_like(point), -point, mask)

    size = 1e-7
    ahead, behind = (project(points + sign * size * directions) for sign in (1, -1))
    derivative = jvp(project(points), directions)
    torch.testing.assert_close(derivative, (ahead - behind) / (2 * size), atol=1e-6, rtol=0)
    assert derivative.any() and not derivative[~mask].any()


@SETS
def test_a_jacobian_is_symmetric_and_a_projection(step, jvp, batch):
    points, directions, mask = batch
    point = -step(torch.zeros_like(points), -points, mask)
    other = directions.flip(0)
    ours, theirs = jvp(point, directions), jvp(point, other)
    torch.testing.assert_close((ours * other).sum(-1), (directions * theirs).sum(-1))
    torch.testing.assert_close(jvp(point, ours), ours)


def test_single_precision_tells_a_bound_that_is_reached_from_one_that_is_not():
    torch.manual_seed(1)
    points = 0.3 + torch.randn(500, 40) / 4
    mask = torch.ones_like(points, dtype=torch.bool)
    point = -capped_simplex_step(torch.zeros_like(points), -points, mask)
    slope = capped_simplex_jvp(point, torch.ones_like(points))
    # A constant moves nothing where the bound is reached, which is everywhere here.
    assert slope.abs().max() < 1e-6
    free = capped_simplex_jvp(0.9 * point, torch.ones_like(points))
    torch.testing.assert_close(free, (point > 0).float())


@SETS
def test_a_jvp_of_an_empty_row_is_zero(step, jvp):
    assert not jvp(torch.zeros(1, 3), torch.ones(1, 3)).any()
