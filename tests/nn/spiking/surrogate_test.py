import pytest
import torch
from torch.testing import assert_close

from spigot_allennlp.nn.spiking import surrogate
from spigot_allennlp.nn.spiking.connection import all_to_all
from spigot_allennlp.nn.spiking.neurons import Neurons
from spigot_allennlp.nn.spiking.simulation import simulate
from spigot_allennlp.nn.spiking.surrogate import simulate_differentiably
from tests.nn.spiking.spiking_cases import CONNECTIONS, NEURONS, problem

ALL = pytest.mark.parametrize("connection", CONNECTIONS.values(), ids=CONNECTIONS)
OF_ALL_KINDS = pytest.mark.parametrize("neurons", NEURONS.values(), ids=NEURONS)


@pytest.mark.parametrize("connection", CONNECTIONS.values(), ids=CONNECTIONS)
@pytest.mark.parametrize("neurons", NEURONS.values(), ids=NEURONS)
def test_differentiable_spikes_are_those_of_the_simulation(connection, neurons):
    spikes, weight = problem(connection)
    fired = simulate_differentiably(spikes, weight, connection, neurons, 1.0)
    expected = simulate(spikes, weight, connection, neurons).double()
    assert torch.equal(fired.round(), expected)
    assert_close(fired, expected)


def test_the_derivative_of_a_spike_by_hand():
    # One input spikes at step 0: the potential of step 1 is weight / 4, that of the threshold 1.
    # By the synapse alone, of 4 steps: step 2 adds 3 / 16 of the weight to 3 / 4 of the potential.
    neurons = Neurons(1.0, 4.0, 4.0 - 1e-9, 0)
    spikes = torch.tensor([[[True], [False]]])
    weight = torch.tensor([[2.0]], dtype=torch.double, requires_grad=True)
    simulate_differentiably(spikes, weight, all_to_all(1, 1), neurons, 3.0).sum().backward()
    # 1 / (1 + 3 * |0.5 - 1|) ** 2 * 1 / 4
    assert weight.grad.item() == pytest.approx(0.25 / 2.5**2, rel=1e-5)


def unroll(*arguments):
    """Returns the spikes as autograd differentiates them, step by step."""
    return surrogate._unroll(*arguments)


def gradients(make_spikes, spikes, weight, *layer):
    """The gradients of a loss that weighs each spike, for inputs and weights."""
    leaves = [tensor.detach().clone().requires_grad_() for tensor in (spikes, weight)]
    fired = make_spikes(*leaves, *layer)
    generator = torch.Generator().manual_seed(3)
    weights = torch.randn(fired.shape, generator=generator, dtype=torch.double)
    (fired * weights.to(fired.dtype)).sum().backward()
    return [leaf.grad for leaf in leaves]


@ALL
@OF_ALL_KINDS
def test_the_gradient_is_that_of_autograd_through_the_unrolled_steps(connection, neurons):
    spikes, weight = problem(connection)
    layer = spikes.double(), weight, connection, neurons, 0.7
    for by_kernels, expected in zip(
        gradients(simulate_differentiably, *layer), gradients(unroll, *layer), strict=True
    ):
        assert expected.abs().sum() > 0
        assert_close(by_kernels, expected)


@pytest.mark.parametrize("num_neurons", [1, 16, 67])
@pytest.mark.parametrize("inhibition", [0.0, 0.3])
def test_so_it_is_for_any_number_of_neurons_in_single_precision(num_neurons, inhibition):
    connection = all_to_all(30, num_neurons)
    spikes, weight = problem(connection, dtype=torch.float)
    layer = spikes.float(), weight, connection, Neurons(2.0, 6.0, 3.0, 2, inhibition), 0.5
    for by_kernels, expected in zip(
        gradients(simulate_differentiably, *layer), gradients(unroll, *layer), strict=True
    ):
        assert_close(by_kernels, expected, rtol=1e-4, atol=1e-4)


def test_the_gradient_is_itself_differentiable():
    connection, neurons = CONNECTIONS["all_to_all"], NEURONS["inhibiting"]
    spikes, weight = problem(connection, batch_size=2, steps=12)
    results = []
    for make_spikes in simulate_differentiably, unroll:
        leaf = weight.clone().requires_grad_()
        fired = make_spikes(spikes, leaf, connection, neurons, 0.7)
        (gradient,) = torch.autograd.grad(fired.sum(), leaf, create_graph=True)
        results.append(torch.autograd.grad(gradient.square().sum(), leaf)[0])
    assert results[1].abs().sum() > 0
    assert_close(*results)


def test_inputs_that_are_no_spikes_are_multiplied_by_the_weights():
    connection, neurons = CONNECTIONS["all_to_all"], NEURONS["short"]
    spikes, weight = problem(connection)
    halves = simulate_differentiably(spikes.double() / 2, 2 * weight, connection, neurons, 1.0)
    assert torch.equal(halves, simulate_differentiably(spikes, weight, connection, neurons, 1.0))
    layer = spikes.double() / 2, weight, connection, neurons, 1.0
    for found, expected in zip(
        gradients(simulate_differentiably, *layer), gradients(unroll, *layer), strict=True
    ):
        assert torch.equal(found, expected)


@pytest.mark.parametrize("size, steps", [(0, 5), (2, 0), (2, 1)])
@pytest.mark.parametrize("has_kernels", [True, False])
def test_no_samples_and_no_steps_are_no_problem(size, steps, has_kernels, monkeypatch):
    monkeypatch.setattr(surrogate, "has_kernels", lambda device: has_kernels)
    spikes = torch.ones(size, steps, 9, dtype=torch.bool)
    weight = torch.ones(9, 5, requires_grad=True)
    fired = simulate_differentiably(
        spikes, weight, CONNECTIONS["all_to_all"], NEURONS["released"], 1.0
    )
    fired.sum().backward()
    assert fired.shape == (size, steps, 5)
    assert torch.equal(weight.grad, torch.zeros(9, 5))


def test_large_batches_are_shared_among_threads_with_the_same_gradient():
    connection, neurons = all_to_all(64, 24), NEURONS["short"]
    spikes, weight = problem(connection, batch_size=80)  # 256,000 spikes at most
    layer = spikes.double(), weight, connection, neurons, 0.7
    before = torch.get_num_threads()
    results = []
    try:
        for threads in 1, 2:
            torch.set_num_threads(threads)
            results.append(gradients(simulate_differentiably, *layer))
    finally:
        torch.set_num_threads(before)
    for alone, together in zip(*results, strict=True):
        assert_close(together, alone)
