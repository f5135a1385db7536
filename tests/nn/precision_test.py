import pytest
import torch

from spigot_allennlp.nn.precision import at_least_single


@pytest.mark.parametrize(
    "given, expected",
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_half_precision_becomes_single_and_more_is_kept(given, expected):
    assert at_least_single(torch.ones(1, dtype=given)).dtype == expected
