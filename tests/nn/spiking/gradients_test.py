import numpy
import pytest
import torch
from torch.testing import assert_close

from spigot_allennlp.nn.spiking.connection import as_matrix
from spigot_allennlp.nn.spiking.gradient_problem import SpikeGradientProblem
from spigot_allennlp.nn.spiking.gradients import gradients, gradients_by_steps
from spigot_allennlp.nn.spiking.options import Options
from spigot_allennlp.nn.spiking.simulation import simulate
from tests.nn.spiking import slow_spikes
from tests.nn.spiking.spiking_cases import CONNECTIONS, NEURONS, problem

OPTIONS = {
    "released": Options(),
    "without_own_rate": Options(own_rate=False),
    "other_guards": Options(silent_potential=0.3, silent_ratio=0.2),
}


def given(connection, neurons, seed=1):
    spikes, weight = problem(connection, seed=seed)
    fired = simulate(spikes, weight, connection, neurons)
    generator = torch.Generator().manual_seed(seed)
    shape = len(spikes), connection.num_neurons
    delta, factor = (torch.randn(shape, generator=generator).double() for _ in range(2))
    delta[1] = 0
    return spikes, fired, weight, delta, factor


def expected(spikes, fired, weight, delta, factor, connection, neurons, options):
    """By the equations, pair by pair; weights that are shared add up."""
    matrix = as_matrix(connection, weight).numpy()
    connected = as_matrix(connection, torch.ones_like(weight)).numpy() > 0
    samples = zip(spikes.numpy(), fired.numpy(), delta.numpy(), factor.numpy(), strict=True)
    found = [
        slow_spikes.gradients(x, o, matrix, connected, d, f, neurons, options)
        for x, o, d, f in samples
    ]
    for_matrix = torch.from_numpy(numpy.sum([each[0] for each in found], axis=0))
    leaf = weight.clone().requires_grad_()
    as_matrix(connection, leaf).backward(for_matrix)
    return leaf.grad, torch.from_numpy(numpy.stack([each[1] for each in found]))


@pytest.mark.parametrize("connection", CONNECTIONS.values(), ids=CONNECTIONS)
@pytest.mark.parametrize("neurons", NEURONS.values(), ids=NEURONS)
@pytest.mark.parametrize("compute", [gradients, gradients_by_steps])
def test_gradients_are_those_of_the_equations(connection, neurons, compute):
    case = given(connection, neurons)
    settings = connection, neurons, Options()
    for_weight, for_counts = compute(SpikeGradientProblem(*case, *settings, True))
    true_for_weight, true_for_counts = expected(*case, *settings)
    assert_close(for_weight, true_for_weight, rtol=1e-9, atol=1e-11)
    assert_close(for_counts, true_for_counts, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("compute", [gradients, gradients_by_steps])
def test_every_option_does_what_the_equations_say(options, compute):
    connection, neurons = CONNECTIONS["all_to_all"], NEURONS["short"]
    case = given(connection, neurons, seed=2)
    assert (case[1].sum(1) == 0).any() and (case[0].sum(1) == 0).any()
    for_weight, for_counts = compute(
        SpikeGradientProblem(*case, connection, neurons, options, True)
    )
    true_for_weight, true_for_counts = expected(*case, connection, neurons, options)
    assert_close(for_weight, true_for_weight, rtol=1e-9, atol=1e-11)
    assert_close(for_counts, true_for_counts, rtol=1e-9, atol=1e-11)


def test_the_gradient_of_a_batch_is_the_sum_over_its_samples():
    connection, neurons = CONNECTIONS["convolution"], NEURONS["released"]
    whole = SpikeGradientProblem(
        *given(connection, neurons), connection, neurons, Options(), for_counts=False
    )
    together, none = gradients(whole)
    alone = torch.zeros_like(together)
    for number in range(len(whole.spikes)):
        one = slice(number, number + 1)
        batched = ("spikes", "fired", "delta", "factor")
        alone += gradients(whole._replace(**{n: getattr(whole, n)[one] for n in batched}))[0]
    assert none is None
    assert_close(together, alone)


def test_two_threads_find_the_same(monkeypatch):
    connection, neurons = CONNECTIONS["all_to_all"], NEURONS["released"]
    case = given(connection, neurons)
    problem = SpikeGradientProblem(*case, connection, neurons, Options(), True)
    one = gradients(problem)
    monkeypatch.setattr("torch.get_num_threads", lambda: 2)
    monkeypatch.setattr("spigot_allennlp.nn.spiking.processor.MANY", 0)
    two = gradients(problem)
    assert_close(one, two)
