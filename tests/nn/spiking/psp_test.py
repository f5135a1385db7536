import math

import numpy
import pytest
import torch
from torch.testing import assert_close

from spigot_allennlp.nn.spiking import torch_fallback
from spigot_allennlp.nn.spiking.neurons import Neurons
from spigot_allennlp.nn.spiking.psp import psp_per_spike, spike_train_psp
from tests.nn.spiking import slow_spikes
from tests.nn.spiking.spiking_cases import NEURONS


def trains(number, seed, pause=0, rate=0.2, steps=70):
    """Spikes, none in the first step and none for `pause` steps after a spike."""
    generator = torch.Generator().manual_seed(seed)
    spikes = torch.rand(2, steps, number, generator=generator) < rate
    spikes[:, 0] = False
    for step in range(1, steps):
        spikes[:, step] &= ~spikes[:, max(step - pause, 0) : step].any(1)
    return spikes


def spike_at(*steps, length=20):
    spikes = torch.zeros(1, length, 1, dtype=torch.bool)
    spikes[0, list(steps)] = True
    return spikes


@pytest.mark.parametrize("neurons", NEURONS.values(), ids=NEURONS)
def test_psp_by_the_spikes_of_the_inputs_is_the_sum_over_pairs_of_spikes(neurons):
    spikes, fired = trains(4, seed=1), trains(5, seed=2, pause=neurons.refractory)
    per_spike = psp_per_spike(fired, neurons, torch.double)
    psps = spikes.double().transpose(1, 2) @ per_spike
    pairs = zip(spikes.numpy(), fired.numpy(), strict=True)
    expected = [slow_spikes.spike_train_psps(*pair, neurons) for pair in pairs]
    assert_close(psps, torch.from_numpy(numpy.stack(expected)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("neurons", NEURONS.values(), ids=NEURONS)
def test_kernels_and_torch_agree(neurons):
    fired = trains(6, seed=3, pause=neurons.refractory)
    by_torch = torch_fallback.psp_per_spike(fired, neurons, torch.double)
    assert_close(psp_per_spike(fired, neurons, torch.double), by_torch, rtol=0, atol=1e-13)


def test_the_window_is_closed_exactly_four_membrane_times_before_the_spike():
    # t = 36 - 2 = 34 or less; where the synapse is slow, a step more would show
    neurons = Neurons(1.0, 9.0, 8.0, 2)
    per_spike = psp_per_spike(spike_at(40, length=50), neurons, torch.double)[0, :, 0]
    assert (per_spike[:4] == 0).all() and per_spike[4] > 1e-3
    late = psp_per_spike(spike_at(10, 40, length=50), neurons, torch.double)[0, :, 0]
    expected = slow_spikes.spike_train_psp(
        spike_at(4, length=50)[0, :, 0].numpy(),
        spike_at(10, 40, length=50)[0, :, 0].numpy(),
        neurons,
    )
    assert late[4].item() == pytest.approx(expected, rel=1e-12)


def test_a_pair_of_spikes_by_hand():
    # The input spikes at step 3, which arrives at step 5; the neuron spikes at step 10: t = 5, and
    # s = 9 since step 1.
    neurons = Neurons(1.0, 64.0, 8.0, 2)
    expected = (math.exp(-5 / 64) - math.exp(-5 / 8)) / (1 - 8 / 64)
    assert spike_train_psp(spike_at(3), spike_at(10), neurons).item() == pytest.approx(expected)


def test_what_arrives_before_the_last_spike_is_deferred_as_current_by_hand():
    # Ready again at step 6, by then the input's spike, arrived at step 4, is two steps old: s = 8,
    # t = 10. Towards the spike at step 4 it does not count, having just arrived.
    neurons = Neurons(1.0, 64.0, 8.0, 2)
    rise = (math.exp(-8 / 64) - math.exp(-8 / 8)) / (1 - 8 / 64)
    psp = spike_train_psp(spike_at(2), spike_at(4, 14), neurons).item()
    assert psp == pytest.approx(rise * math.exp(-2 / 8))


@pytest.mark.parametrize("compute", [psp_per_spike, torch_fallback.psp_per_spike])
@pytest.mark.parametrize("steps", [(1,), (1, 2, 6), (1, 15), (3, 4)])
def test_without_a_refractory_period_a_spike_at_step_one_has_had_no_time(steps, compute):
    neurons = Neurons(2.0, 4.0, 3.5, 0)
    fired = spike_at(*steps, length=24)
    per_spike = compute(fired, neurons, torch.double)[0, :, 0]
    expected = [
        slow_spikes.spike_train_psp(
            spike_at(sent, length=24)[0, :, 0].numpy(), fired[0, :, 0].numpy(), neurons
        )
        for sent in range(24)
    ]
    assert per_spike.tolist() == pytest.approx(expected, abs=1e-12)


def test_what_arrives_after_the_last_spike_counts_for_nothing():
    per_spike = psp_per_spike(spike_at(10), Neurons(1.0), torch.float)
    assert (per_spike[0, 8:] == 0).all() and (per_spike[0, 1:8] > 0).all()
