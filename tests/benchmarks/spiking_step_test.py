import time

import pytest
import torch

from benchmarks.spiking_step import (
    SnnTorchNetwork,
    _our_network,
    _sample_spikes,
    spiking_limit,
    spiking_steps,
)


def test_ours_are_compared_with_snntorch_in_training_and_inference():
    pytest.importorskip("snntorch")
    metrics = spiking_steps(time.process_time, 0.01, batch_size=2, steps=5)
    rows = ["training step", "training step, surrogate gradient", "inference"]
    assert [metric.label for metric in metrics] == rows
    for metric in metrics:
        assert metric.value > 0 and "snnTorch" in metric.detail


def test_theirs_spike_and_can_be_trained():
    pytest.importorskip("snntorch")
    torch.manual_seed(1)
    model = SnnTorchNetwork([5, 4, 3], [0.1, 0.1], 64.0, 8.0)
    counts = model((torch.rand(2, 30, 5) < 0.5).float())
    assert counts.shape == (2, 3) and counts.sum() > 0
    counts.sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_the_limit_counts_what_the_spikes_make_necessary():
    (metric,) = spiking_limit(time.process_time, 0.01, batch_size=2, steps=5)
    assert metric.row == "spiking_limit" and metric.value > 0
    torch.manual_seed(1)
    _our_network([784, 800, 10])
    spikes, _ = _sample_spikes(2, 5)
    # no hidden neuron spikes in five steps
    expected = 1600 * (int(spikes.sum()) + int(spikes.any(1).sum()))
    assert f"{expected / 2e6:.1f} million accumulations" in metric.detail
