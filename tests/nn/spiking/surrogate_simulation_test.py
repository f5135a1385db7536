import pytest
import torch
from torch.testing import assert_close

from spigot_allennlp.nn.spiking.connection import all_to_all
from spigot_allennlp.nn.spiking.neurons import Neurons
from spigot_allennlp.nn.spiking.simulation import simulate
from spigot_allennlp.nn.spiking.surrogate_simulation import simulate_differentiably
from tests.nn.spiking.spiking_cases import CONNECTIONS, NEURONS, problem


@pytest.mark.parametrize("connection", CONNECTIONS.values(), ids=CONNECTIONS)
@pytest.mark.parametrize("neurons", NEURONS.values(), ids=NEURONS)
def test_spikes_are_those_of_the_simulation(connection, neurons):
    spikes, weight = problem(connection)
    found = simulate_differentiably(spikes, weight, connection, neurons, 1.0)
    expected = simulate(spikes, weight, connection, neurons).double()
    assert torch.equal(found.round(), expected)
    assert_close(found, expected)


def test_the_derivative_of_a_spike_by_hand():
    # One input spikes at step 0: the potential of step 1 is weight / 4, that of the threshold 1.
    # By the synapse alone, of 4 steps: step 2 adds 3 / 16 of the weight to 3 / 4 of the potential.
    neurons = Neurons(1.0, 4.0, 4.0 - 1e-9, 0)
    spikes = torch.tensor([[[True], [False]]])
    weight = torch.tensor([[2.0]], dtype=torch.double, requires_grad=True)
    simulate_differentiably(spikes, weight, all_to_all(1, 1), neurons, 3.0).sum().backward()
    # 1 / (1 + 3 * |0.5 - 1|) ** 2 * 1 / 4
    assert weight.grad.item() == pytest.approx(0.25 / 2.5**2, rel=1e-5)
