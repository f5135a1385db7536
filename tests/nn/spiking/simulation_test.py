import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spigot_allennlp.nn.spiking import torch_fallback
from spigot_allennlp.nn.spiking.connection import all_to_all, as_matrix
from spigot_allennlp.nn.spiking.neurons import Neurons
from spigot_allennlp.nn.spiking.simulation import firing_counts, simulate
from tests.nn.spiking import slow_spikes
from tests.nn.spiking.spiking_cases import CONNECTIONS, NEURONS, problem


@pytest.mark.parametrize("connection", CONNECTIONS.values(), ids=CONNECTIONS)
@pytest.mark.parametrize("neurons", NEURONS.values(), ids=NEURONS)
def test_kernels_and_torch_make_the_spikes_of_the_equations(connection, neurons):
    spikes, weight = problem(connection)
    matrix = as_matrix(connection, weight).numpy()
    expected = [slow_spikes.simulate(sample.numpy(), matrix, neurons) for sample in spikes]
    fired = simulate(spikes, weight, connection, neurons)
    assert fired.any() and not fired.all()
    assert numpy.array_equal(fired.numpy(), expected)
    assert torch.equal(torch_fallback.simulate(spikes, weight, connection, neurons), fired)


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    steps=st.integers(2, 40),
    threshold=st.sampled_from([0.5, 1.0, 3.0]),
    refractory=st.integers(0, 4),
    inhibition=st.sampled_from([0.0, 0.25]),
)
def test_any_layer_makes_the_spikes_of_the_equations(
    seed, steps, threshold, refractory, inhibition
):
    neurons = Neurons(threshold, 8.0, 4.0, refractory, inhibition)
    generator = torch.Generator().manual_seed(seed)
    spikes = torch.rand(2, steps, 3, generator=generator) < 0.4
    # quarters are exact, whatever the order in which they are added up
    weight = torch.randint(-8, 13, (3, 4), generator=generator).double() / 4
    expected = [slow_spikes.simulate(sample.numpy(), weight.numpy(), neurons) for sample in spikes]
    assert numpy.array_equal(simulate(spikes, weight, all_to_all(3, 4), neurons), expected)


def test_a_spike_arrives_one_step_later_and_the_neuron_then_rests():
    # Each step adds 4 / 4 = 1 to the potential at least, and the threshold is 1.
    spikes = torch.ones(1, 10, 1, dtype=torch.bool)
    neurons = Neurons(1.0, 64.0, 4.0, 2)
    (fired,) = simulate(spikes, torch.full((1, 1), 4.0), all_to_all(1, 1), neurons)
    assert fired[:, 0].nonzero().flatten().tolist() == [1, 4, 7]


def test_single_precision_does_as_well():
    connection = CONNECTIONS["all_to_all"]
    spikes, weight = problem(connection, dtype=torch.float)
    weight = (4 * weight).round() / 4
    fired = simulate(spikes, weight, connection, NEURONS["released"])
    assert torch.equal(fired, simulate(spikes, weight.double(), connection, NEURONS["released"]))


def test_a_sample_does_not_depend_on_the_others():
    connection = CONNECTIONS["convolution"]
    spikes, weight = problem(connection)
    together = simulate(spikes, weight, connection, NEURONS["short"])
    alone = [simulate(sample[None], weight, connection, NEURONS["short"]) for sample in spikes]
    assert torch.equal(torch.cat(alone), together)


def test_no_sample_at_all_is_no_problem():
    spikes = torch.zeros(0, 5, 9, dtype=torch.bool)
    weight = torch.ones(9, 5)
    fired = simulate(spikes, weight, CONNECTIONS["all_to_all"], NEURONS["released"])
    assert fired.shape == (0, 5, 5)


def test_counts_are_sums_over_the_steps():
    fired = torch.rand(3, 300, 7, generator=torch.Generator().manual_seed(1)) < 0.9
    assert torch.equal(firing_counts(fired, torch.double), fired.sum(1).double())


def test_spikes_may_lie_in_memory_as_they_like():
    fired = torch.rand(3, 7, 20, generator=torch.Generator().manual_seed(1)).transpose(1, 2) < 0.5
    assert torch.equal(firing_counts(fired, torch.float), fired.sum(1).float())
