import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spigot_allennlp.nn.active_set import cpu
from spigot_allennlp.nn.active_set.active_set import hull_step, project_onto_hull
from spigot_allennlp.nn.arcs import arc_mask
from tests.nn.active_set.hulls import BestTree, check_mean, sentences, what_is_positive

best_tree = BestTree()


def counted(argmax):
    """Returns `argmax`, and a list of how many instances each call of it was about."""
    calls = []

    def argmax_and_count(scores, mask):
        calls.append(len(scores))
        return argmax(scores, mask)

    return argmax_and_count, calls


# --- the batch


def test_the_argmax_is_not_called_for_instances_that_are_done():
    argmax, calls = counted(best_tree)
    mask, points = sentences(15, 8, 3, 1, 0)
    active_set = project_onto_hull(argmax, points, mask)
    assert active_set.iterations[0] > active_set.iterations[2] > active_set.iterations[4] == 0
    # one call for the start, and one more than iterations
    assert calls[:2] == [5, 5] and calls[-1] == 1 and sorted(calls, reverse=True) == calls
    assert len(calls) == active_set.iterations.max() + 2
    assert sum(calls) == active_set.iterations.sum() + 2 * 5


def test_an_instance_alone_gives_what_it_gives_in_a_batch():
    mask, points = sentences(9, 4, 0, 6, 1)
    together = project_onto_hull(best_tree, points, mask)
    for index in range(5):
        single = slice(index, index + 1)
        alone = project_onto_hull(best_tree, points[single], mask[single])
        torch.testing.assert_close(alone.point, together.point[single], atol=1e-12, rtol=0)
        assert alone.iterations == together.iterations[single]


def test_repeating_the_batch_changes_no_instance():
    mask, points = sentences(9, 4, 0, 6, 1)
    once = project_onto_hull(best_tree, points, mask)
    thrice = project_onto_hull(best_tree, points.repeat(3, 1, 1), mask.repeat(3, 1, 1))
    torch.testing.assert_close(thrice.point, once.point.repeat(3, 1, 1), atol=1e-12, rtol=0)


def test_threads_do_not_change_the_result(monkeypatch):
    monkeypatch.setattr(cpu, "MANY_INSTANCES", 2)
    mask, points = sentences(9, 4, 0, 6, 1, 7, 8)
    before = torch.get_num_threads()
    try:
        results = []
        for threads in (1, 3):
            torch.set_num_threads(threads)
            results.append(project_onto_hull(best_tree, points, mask).point)
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(*results, atol=1e-12, rtol=0)


def test_the_capacity_grows_with_the_number_and_the_size_of_the_vertices():
    # inside of a box, about as many vertices as parts are needed
    generator = torch.Generator().manual_seed(5)
    target = 0.2 + 0.6 * torch.rand(1, 40, generator=generator, dtype=torch.double)
    mask = torch.ones(1, 40, dtype=torch.bool)
    active_set = project_onto_hull(what_is_positive, target, mask, tolerance=0.0)
    check_mean(active_set)
    assert (active_set.weights > 0).sum() > 2 * cpu.INITIAL_CAPACITY
    torch.testing.assert_close(active_set.point, target, atol=1e-6, rtol=0)
    step = -target
    moved = hull_step(what_is_positive, torch.zeros_like(target), step, mask)
    torch.testing.assert_close(moved, step, atol=1e-6, rtol=0)


# --- odd input


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    batch_size=st.integers(0, 4),
    longest=st.integers(0, 6),
    scale=st.sampled_from([0.0, 1e-6, 1.0, 1e4]),
    kept=st.sampled_from([1.0, 0.7, 0.3, 0.0]),
    ties=st.booleans(),
    single_root=st.booleans(),
)
def test_odd_batches(seed, batch_size, longest, scale, kept, ties, single_root):
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(0, longest + 1, (batch_size, 1), generator=generator)
    mask = arc_mask(torch.arange(longest + 1) <= lengths)
    mask &= torch.rand(mask.shape, generator=generator) < kept
    points = torch.randn(mask.shape, generator=generator, dtype=torch.double)
    points = scale * (points.round() if ties else points)

    argmax = BestTree(single_root)
    active_set = project_onto_hull(argmax, points, mask)
    assert (active_set.gap <= 1e-9 + 1e-12 * scale).all()
    assert not active_set.point[~mask].any()
    possible = argmax(points, mask).flatten(1).any(dim=1)
    heads = active_set.point.sum(dim=2)
    # one head for every token, or nothing at all
    expected = (mask.any(dim=2) & possible.unsqueeze(1)).double()
    torch.testing.assert_close(heads, expected)
    if batch_size:
        check_mean(active_set)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_lower_precision_gives_the_same_rounded(dtype):
    mask, points = sentences(7, 3, 0)
    rounded = points.to(dtype)
    active_set = project_onto_hull(best_tree, rounded, mask)
    exact = project_onto_hull(best_tree, rounded.double(), mask)
    assert active_set.point.dtype == active_set.vertices.dtype == dtype
    torch.testing.assert_close(active_set.point, exact.point.to(dtype))
    vertex = best_tree(points, mask)
    moved = hull_step(best_tree, vertex.to(dtype), rounded, mask)
    assert moved.dtype == dtype
    exact_step = hull_step(best_tree, vertex, rounded.double(), mask)
    torch.testing.assert_close(moved, exact_step.to(dtype))


def test_non_contiguous_tensors():
    mask, points = sentences(7, 3, 4)
    scattered = [tensor.transpose(0, 2).contiguous().transpose(0, 2) for tensor in (points, mask)]
    active_set = project_onto_hull(best_tree, *scattered)
    assert torch.equal(active_set.point, project_onto_hull(best_tree, points, mask).point)
    repeated_mask, repeated_point = mask[:1].expand(3, -1, -1), points[:1].expand(3, -1, -1)
    same = project_onto_hull(best_tree, repeated_point, repeated_mask).point
    assert torch.equal(same, active_set.point[:1].expand(3, -1, -1))


def test_what_stands_in_illegal_places_does_not_matter():
    mask, points = sentences(7, 3, 0)
    clean = project_onto_hull(best_tree, points, mask)
    vertex, step = best_tree(points, mask), points.flip(0)
    clean_step = hull_step(best_tree, vertex, step, mask)
    for rubbish in (torch.nan, torch.inf, -torch.inf, 1e30):
        dirty = project_onto_hull(best_tree, points.masked_fill(~mask, rubbish), mask)
        assert torch.equal(dirty.point, clean.point)
        dirty_step = hull_step(best_tree, vertex, step.masked_fill(~mask, rubbish), mask)
        assert torch.equal(dirty_step, clean_step)


def test_the_tensors_of_the_caller_are_left_alone():
    mask, points = sentences(7, 3, 0)
    vertex = best_tree(points, mask)
    arguments = [mask, points.requires_grad_(), vertex]
    copies = [argument.detach().clone() for argument in arguments]
    active_set = project_onto_hull(best_tree, points, mask)
    moved = hull_step(best_tree, vertex, points, mask)
    assert not active_set.point.requires_grad and not moved.requires_grad
    for argument, copy in zip(arguments, copies, strict=True):
        assert torch.equal(argument, copy)


def test_a_point_that_is_not_a_number_ends_the_search_and_shows_in_the_gap():
    mask, points = sentences(5, 5, 5)
    points[1, 2, 1] = torch.nan
    active_set = project_onto_hull(best_tree, points, mask)
    assert active_set.gap[1].isnan() and (active_set.gap[[0, 2]] < 1e-9).all()


# --- a wrong argmax


def test_an_argmax_that_repeats_itself_ends_the_search():
    objects = torch.eye(3).double()

    def stubborn(scores, mask):
        return objects[:1].expand(len(scores), 3)

    mask = torch.ones(2, 3, dtype=torch.bool)
    active_set = project_onto_hull(stubborn, torch.randn(2, 3), mask)
    assert torch.equal(active_set.point.double(), objects[:1].expand(2, 3))


def test_a_random_argmax_ends_with_the_iterations():
    generator = torch.Generator().manual_seed(4)

    def arbitrary(scores, mask):
        return (torch.rand(scores.shape, generator=generator) < 0.5).to(scores.dtype)

    mask = torch.ones(6, 10, dtype=torch.bool)
    active_set = project_onto_hull(arbitrary, 0.3 * torch.ones(6, 10), mask, max_iterations=200)
    check_mean(active_set)
    assert (active_set.iterations <= 200).all()
