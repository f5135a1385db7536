import torch
from torch.testing import assert_close

from spigot_allennlp.nn.spiking import torch_fallback
from spigot_allennlp.nn.spiking.rate_coding import BITS, sample_spikes

PROBABILITIES = torch.tensor([[[0.0, 0.1, 0.5, 1.0], [1.0, 0.5, 0.0, 0.2]]])


def seeds(*numbers):
    return torch.tensor(numbers)


def test_sources_spike_as_often_as_they_should_frame_by_frame():
    spikes = sample_spikes(PROBABILITIES, 4000, seeds(7)).float()
    rates = torch.stack([spikes[:, :4000].mean(1), spikes[:, 4000:].mean(1)], dim=1)
    assert_close(rates, PROBABILITIES, rtol=0, atol=0.03)
    assert torch.equal(rates == 0, PROBABILITIES == 0)
    assert torch.equal(rates == 1, PROBABILITIES == 1)


def test_kernels_and_torch_sample_the_same():
    generator = torch.Generator().manual_seed(1)
    probabilities = torch.rand(3, 2, 7, generator=generator)
    numbers = torch.randint(-(2**63), 2**63 - 1, (3,), generator=generator)
    bounds = (probabilities.double() * 2**BITS).long()
    expected = torch_fallback.sample_spikes(bounds, 30, numbers)
    assert torch.equal(sample_spikes(probabilities, 30, numbers), expected)


def test_a_seed_gives_the_same_spikes_whatever_else_is_in_the_batch():
    half = torch.full((3, 1, 50), 0.5)
    together = sample_spikes(half, 20, seeds(5, 6, 5))
    assert torch.equal(together[0], together[2]) and not torch.equal(together[0], together[1])
    assert torch.equal(together[1:2], sample_spikes(half[:1], 20, seeds(6)))


def test_steps_and_sources_are_independent():
    spikes = sample_spikes(torch.full((1, 1, 100), 0.5), 2000, seeds(1))[0].double()
    signs = 2 * spikes - 1
    by_sources = signs.t() @ signs / len(signs) - torch.eye(100)
    by_steps = (signs[1:] * signs[:-1]).mean(0)
    assert by_sources.abs().max() < 0.12 and by_steps.abs().max() < 0.12
