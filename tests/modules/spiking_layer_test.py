import torch

from spigot_allennlp.modules.spiking_layer import SpikeTrains


def test_truth_values_have_counts_without_a_gradient():
    spikes = torch.tensor([[[True, False], [True, True]]])
    trains = SpikeTrains.of(spikes)
    assert trains.counts.tolist() == [[2, 1]]
    assert trains.fired is spikes


def test_a_sum_over_the_steps_is_differentiated_as_the_counts_are():
    counts = torch.tensor([[2.0, 1.0]], requires_grad=True)
    trains = SpikeTrains(torch.tensor([[[True, False], [True, True]]]), counts)
    spikes = trains.differentiable()
    assert spikes.tolist() == [[[1, 0], [1, 1]]]
    (spikes.sum(1) * torch.tensor([3.0, 5.0])).sum().backward()
    assert counts.grad.tolist() == [[3, 5]]


def test_counts_of_floats_are_exact_whatever_their_type():
    trains = SpikeTrains.of(torch.ones(1, 2101, 1, dtype=torch.bfloat16))
    assert trains.counts.tolist() == [[2101]]


def test_floats_keep_their_own_gradient():
    spikes = torch.ones(1, 2, 1, requires_grad=True)
    trains = SpikeTrains.of(spikes)
    assert trains.differentiable() is spikes and trains.counts.requires_grad
    assert trains.fired.dtype == torch.bool
