import time

import pytest
import torch

pytest.importorskip("snntorch")

from benchmarks.peers import snntorch  # noqa: E402
from benchmarks.spiking_step import spiking_steps  # noqa: E402


def test_ours_are_compared_with_snntorch_in_training_and_in_use():
    figures = spiking_steps(time.process_time, 0.01, batch_size=2, steps=5)
    assert [figure.label for figure in figures] == ["training step", "inference"]
    for figure in figures:
        assert figure.value > 0 and "snnTorch" in figure.detail


def test_theirs_spike_and_can_be_trained():
    torch.manual_seed(1)
    model = snntorch.Perceptron([5, 4, 3], [0.1, 0.1], 64.0, 8.0)
    counts = model((torch.rand(2, 30, 5) < 0.5).float())
    assert counts.shape == (2, 3) and counts.sum() > 0
    counts.sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
