import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spigot_allennlp.nn.simplex import cpu, torch_fallback
from spigot_allennlp.nn.simplex.simplex import (
    box_step,
    capped_simplex_step,
    project_onto_simplex,
    simplex_step,
)

STEPS = [simplex_step, capped_simplex_step, box_step]


@pytest.fixture(params=[False, True], ids=["simplex", "capped"])
def capped(request):
    return request.param


def random_rows(seed, rows, size, scale=1.0, kept=1.0, dtype=torch.double):
    """Origins in the simplex, most of them vertices; steps; and a mask."""
    generator = torch.Generator().manual_seed(seed)
    steps, weights = torch.randn(2, rows, size, generator=generator, dtype=torch.double)
    mask = torch.rand(rows, size, generator=generator) < kept
    origins = weights.masked_fill(~mask, -torch.inf).mul(20).softmax(dim=-1).nan_to_num()
    origins[::2] = origins[::2].round()
    return origins.to(dtype), (scale * steps).to(dtype), mask


def check_agreement(origins, steps, mask, capped):
    projected = cpu.projected_step(origins, steps, mask, capped)
    expected = torch_fallback.projected_step(origins, steps, mask, capped)
    # relative to what moves at all, which may be tiny
    tolerance = 1e-5 * max(expected.abs().amax().item(), 1e-30) if expected.numel() else 0
    torch.testing.assert_close(projected, expected, rtol=1e-5, atol=tolerance)


@pytest.mark.parametrize("scale", [1e-12, 1e-8, 1e-3, 1.0, 1e3, 1e8])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_kernel_and_torch_agree_at_every_scale(scale, dtype, capped):
    check_agreement(*random_rows(1, 100, 20, scale, 0.8, dtype), capped)


# Few and short rows, tied or masked as rows rarely are.
ODD_ROWS = {
    "seed": st.integers(0, 10**6),
    "rows": st.integers(0, 4),
    "size": st.integers(1, 9),
    "scale": st.sampled_from([0.0, 1e-9, 1.0, 1e4]),
    "kept": st.sampled_from([1.0, 0.6, 0.0]),
    "ties": st.booleans(),
}


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    **ODD_ROWS,
    capped=st.booleans(),
)
def test_kernel_and_torch_agree_on_odd_rows(seed, rows, size, scale, kept, ties, capped):
    origins, steps, mask = random_rows(seed, rows, size, scale, kept)
    check_agreement(origins, steps.round() if ties else steps, mask, capped)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    **ODD_ROWS,
    impossible=st.booleans(),
    dtype=st.sampled_from([torch.float16, torch.float32, torch.float64]),
)
def test_a_projection_is_a_step_from_zero(seed, rows, size, scale, kept, ties, impossible, dtype):
    _, point, mask = random_rows(seed, rows, size, scale, kept, dtype)
    point = point.round() if ties else point
    if impossible:
        point = point.masked_fill(point < 0, -torch.inf)
    projected = project_onto_simplex(point, mask)
    exact = torch_fallback.projected_step(
        torch.zeros_like(point).double(), -point.double(), mask, False
    )
    torch.testing.assert_close(projected, (-exact).to(dtype), rtol=1e-3, atol=1e-6)


def test_a_projection_reads_scattered_tensors_and_threads_do_not_change_it(monkeypatch):
    monkeypatch.setattr(cpu, "MANY_ENTRIES", 10)
    point, mask = torch.randn(5, 7, 3).permute(2, 0, 1), torch.rand(7, 3, 5).permute(1, 2, 0) < 0.8
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        projected = project_onto_simplex(point, mask)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(projected, project_onto_simplex(point.contiguous(), mask.contiguous()))
    torch.testing.assert_close(projected.sum(dim=-1), mask.any(dim=-1).float())
    assert not projected[~mask].any()


def test_rows_of_many_equal_entries_are_shared_among_all(capped):
    zeros = torch.zeros(3, 1000)
    projected = cpu.projected_step(zeros, zeros - 2, torch.ones(3, 1000, dtype=torch.bool), capped)
    torch.testing.assert_close(projected, torch.full((3, 1000), -1e-3))


def test_threads_do_not_change_the_result(capped):
    arguments = *random_rows(2, 3000, 80), capped
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        serial = cpu.projected_step(*arguments)
        torch.set_num_threads(3)
        parallel = cpu.projected_step(*arguments)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(serial, parallel)


def test_what_is_no_number_is_not_hidden(capped):
    origins, steps, mask = random_rows(3, 4, 5)
    steps[1, 2] = torch.nan
    projected = cpu.projected_step(origins, steps, mask, capped)
    assert projected[1, 2].isnan() and projected[[0, 2, 3]].isfinite().all()


def test_an_origin_that_is_off_the_simplex_by_rounding_does_not_drown_a_step(capped):
    thirds = torch.full((1, 3), 1 / 3)
    assert thirds.double().sum() != 1
    tiny = 1e-12 * torch.tensor([[1.0, -2.0, 1.0]])
    for step in (cpu.projected_step, torch_fallback.projected_step):
        moved = step(thirds, tiny, torch.ones(1, 3, dtype=torch.bool), capped)
        torch.testing.assert_close(moved, tiny, rtol=1e-5, atol=0)


# --- what holds for every public step


@pytest.mark.parametrize("step_of", STEPS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_lower_precision_gives_the_same_rounded(step_of, dtype):
    origins, steps, mask = random_rows(4, 30, 7, kept=0.8, dtype=dtype)
    moved = step_of(origins, steps, mask)
    assert moved.dtype == dtype
    exact = step_of(origins.double(), steps.double(), mask)
    torch.testing.assert_close(moved.double(), exact, rtol=0, atol=4 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("step_of", STEPS)
def test_non_contiguous_tensors_of_any_number_of_dimensions(step_of):
    tensors = [tensor.view(4, 3, 5, 7) for tensor in random_rows(5, 60, 7, kept=0.8)]
    scattered = [tensor.transpose(0, 3).contiguous().transpose(0, 3) for tensor in tensors]
    assert torch.equal(step_of(*scattered), step_of(*tensors))
    assert torch.equal(
        step_of(*[tensor[1, 1, 1] for tensor in tensors]), step_of(*tensors)[1, 1, 1]
    )
    empty = torch.empty(0, 3, 7)
    assert step_of(empty, empty, empty.bool()).shape == empty.shape


@pytest.mark.parametrize("step_of", STEPS)
def test_a_shape_that_does_not_match_is_broadcast(step_of):
    origins, steps, mask = random_rows(6, 8, 5)
    expected = step_of(origins, steps, mask[:1].expand(8, 5))
    assert torch.equal(step_of(origins, steps, mask[0]), expected)


@pytest.mark.parametrize("step_of", STEPS)
def test_the_tensors_of_the_caller_are_left_alone(step_of):
    tensors = random_rows(7, 8, 5)
    copies = [tensor.clone() for tensor in tensors]
    origins, steps, mask = tensors
    step_of(origins, steps.requires_grad_(), mask)
    for tensor, copy in zip(tensors, copies, strict=True):
        assert torch.equal(tensor, copy)


@pytest.mark.parametrize("step_of", [simplex_step, capped_simplex_step])
def test_a_row_alone_gives_what_it_gives_in_a_batch(step_of):
    tensors = random_rows(8, 20, 9, kept=0.7)
    together = step_of(*tensors)
    for row in range(20):
        alone = step_of(*[tensor[row : row + 1] for tensor in tensors])
        assert torch.equal(alone[0], together[row])
