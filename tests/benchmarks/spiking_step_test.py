import time

import pytest
import torch

pytest.importorskip("snntorch")

from benchmarks.spiking_step import SnnTorchNetwork, spiking_steps  # noqa: E402


def test_ours_are_compared_with_snntorch_in_training_and_inference():
    metrics = spiking_steps(time.process_time, 0.01, batch_size=2, steps=5)
    assert [metric.label for metric in metrics] == ["training step", "inference"]
    for metric in metrics:
        assert metric.value > 0 and "snnTorch" in metric.detail


def test_theirs_spike_and_can_be_trained():
    torch.manual_seed(1)
    model = SnnTorchNetwork([5, 4, 3], [0.1, 0.1], 64.0, 8.0)
    counts = model((torch.rand(2, 30, 5) < 0.5).float())
    assert counts.shape == (2, 3) and counts.sum() > 0
    counts.sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
