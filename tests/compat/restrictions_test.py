"""Tensors that may be made while an archive is loaded; what archives may do: archives_test.py."""

import subprocess
import sys

import pytest
import torch

from spigot_allennlp.compat.archive_contents import Weights
from spigot_allennlp.compat.restrictions import Restrictions, allocations_for
from spigot_allennlp.compat.unpacking import Refused

WEIGHTS = Weights(bytes=8, largest=8, longest=2, number=1, dtypes={})
MIB = 2**20


@pytest.mark.parametrize(
    "operation, first, second, size",
    [
        (torch.mul, torch.ones(3, 1), torch.ones(4), 48),
        (torch.add, torch.ones(3), torch.ones(3, dtype=torch.float64), 24),
        (torch.sub, torch.ones(2, 2), 0.5, 16),
        (torch.mul, torch.ones(5, dtype=torch.int8), 2, 5),
        (torch.mul, torch.ones(5, dtype=torch.int8), 0.5, 20),
        (torch.mul, torch.ones(5), 1j, 40),
        (torch.mul, torch.ones(5), torch.tensor(2.0, dtype=torch.float64), 20),
    ],
)
def test_the_size_of_a_result_of_arithmetic_is_known_before(operation, first, second, size):
    with allocations_for(WEIGHTS, Restrictions("an archive", {})) as allocations:
        result = operation(first, second)
    assert allocations.bytes == size == result.numel() * result.element_size()


def test_a_result_that_is_too_large_is_refused_before_it_is_there():
    side, row = torch.ones(8 * MIB, 1), torch.ones(1, 2**20)
    restrictions = Restrictions("an archive", {})
    with pytest.raises(Refused, match=f"cannot fill .{4 * 8 * MIB * 2**20} bytes"):
        with allocations_for(WEIGHTS, restrictions):
            side * row  # 32 TiB


def test_the_compiler_of_pytorch_is_not_imported_for_it():
    code = """
import sys, torch
import spigot_allennlp
from spigot_allennlp.compat.archive_contents import Weights
from spigot_allennlp.compat.restrictions import Restrictions, allocations_for
with allocations_for(Weights(8, 8, 2, 1, {}), Restrictions("an archive", {})):
    weight = torch.nn.Linear(3, 2).weight
    torch.nn.LSTM(3, 2)
    torch.nn.init.xavier_uniform_(torch.empty(3, 3) * 2.0)
assert "torch._dynamo" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
