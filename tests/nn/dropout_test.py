"""Dropout: which elements stay, how they are scaled, and that a seed decides."""

import pytest
import torch
from torch.testing import assert_close

from spigot_allennlp.nn.dropout import Dropout, dropout


@pytest.mark.parametrize("p", (0.05, 0.33, 0.5, 0.9))
@pytest.mark.parametrize("dtype", (torch.float, torch.double, torch.bfloat16))
def test_a_share_of_the_elements_stays_scaled(p, dtype):
    torch.manual_seed(0)
    ones = torch.ones(399, 501, dtype=dtype)
    result = dropout(ones, p)
    kept = result != 0
    assert result.dtype == dtype and result.shape == ones.shape
    assert_close(result[kept], torch.full_like(result[kept], 1 / (1 - p)), rtol=1e-2, atol=0)
    # Six standard deviations of a share, in all and at each of the four places of a random word.
    for share in (kept, *(kept.flatten()[place::4] for place in range(4))):
        deviation = (p * (1 - p) / share.numel()) ** 0.5
        assert abs(share.double().mean() - (1 - p)) < 6 * deviation


def test_neighbours_are_independent():
    torch.manual_seed(1)
    kept = (dropout(torch.ones(400_000), 0.3) != 0).double() - 0.7
    for distance in range(1, 9):
        assert abs((kept[distance:] * kept[:-distance]).mean()) < 6 * 0.21 / 400_000**0.5


def test_the_gradient_is_scaled_like_the_value():
    torch.manual_seed(2)
    point = torch.randn(7, 5, dtype=torch.double).requires_grad_()
    result = Dropout(0.4)(point)
    (gradient,) = torch.autograd.grad(result.sum(), point)
    assert_close(gradient * point, result)


def test_a_seed_decides():
    def drop():
        torch.manual_seed(3)
        return dropout(torch.ones(50), 0.5)

    assert drop().equal(drop()) and not drop().equal(dropout(torch.ones(50), 0.5))


@pytest.mark.parametrize("p", (0.0, 1e-9, 1.0))
def test_nothing_or_all(p):
    values = torch.randn(3, 0, 4), torch.randn(6)
    for value in values:
        assert_close(Dropout(p)(value), value * (p < 0.5))
        assert Dropout(p).eval()(value) is value
