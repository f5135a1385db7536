import torch

from spigot_allennlp.nn.spiking.counts import firing_counts


def test_counts_are_sums_over_the_steps():
    fired = torch.rand(3, 300, 7, generator=torch.Generator().manual_seed(1)) < 0.9
    assert torch.equal(firing_counts(fired, torch.double), fired.sum(1).double())


def test_spikes_may_lie_in_memory_as_they_like():
    fired = torch.rand(3, 7, 20, generator=torch.Generator().manual_seed(1)).transpose(1, 2) < 0.5
    assert torch.equal(firing_counts(fired, torch.float), fired.sum(1).float())
