import pytest
import torch

from spigot_allennlp.nn.instances import at_least_single, clip_norm, flatten_parts, per_instance


def test_flatten_parts_keeps_instances_apart():
    assert flatten_parts(torch.arange(12).reshape(2, 3, 2))[1].tolist() == [6, 7, 8, 9, 10, 11]
    assert flatten_parts(torch.zeros(3)).shape == (3, 1)
    assert flatten_parts(torch.zeros(0, 3, 2)).shape == (0, 6)


def test_per_instance_weights_multiply_all_parts_of_their_instance():
    parts = torch.ones(2, 3, 2)
    weighted = parts * per_instance(torch.tensor([2.0, 3.0]), parts)
    assert weighted.flatten(1).unique(dim=1).tolist() == [[2.0], [3.0]]


def test_each_instance_is_scaled_by_its_own_norm():
    tensor = torch.tensor([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]])
    clipped = clip_norm(tensor, 1.0)
    torch.testing.assert_close(clipped, torch.tensor([[0.6, 0.8], [0.3, 0.4], [0.0, 0.0]]))


def test_the_norm_runs_over_all_parts_of_an_instance():
    torch.manual_seed(0)
    clipped = clip_norm(torch.randn(5, 3, 3, 2, dtype=torch.double) * 10, 0.5)
    torch.testing.assert_close(clipped.flatten(1).norm(dim=1), torch.full((5,), 0.5).double())


@pytest.mark.parametrize(
    "dtype, size", [(torch.float16, 1e4), (torch.float32, 1e20), (torch.float32, 8e37)]
)
def test_a_gradient_whose_square_overflows_is_scaled_like_any_other(dtype, size):
    clipped = clip_norm(torch.tensor([[3.0, 4.0]], dtype=dtype) * size, 1.0)
    torch.testing.assert_close(clipped, torch.tensor([[0.6, 0.8]], dtype=dtype))


@pytest.mark.parametrize("shape", [(0, 3), (2, 0)])
def test_nothing_stays_nothing(shape):
    assert clip_norm(torch.zeros(shape), 1.0).shape == shape


def test_what_is_shorter_is_unchanged_bit_by_bit():
    tensor = torch.full((2, 3), 1e-12)
    assert torch.equal(clip_norm(tensor, 5 / 32), tensor)


@pytest.mark.parametrize(
    "dtype, expected",
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_half_precision_becomes_single_and_more_is_kept(dtype, expected):
    assert at_least_single(torch.ones(1, dtype=dtype)).dtype == expected
