import numpy
import pytest
import torch
from torch.testing import assert_close

from spigot_allennlp.nn.spiking import torch_fallback
from spigot_allennlp.nn.spiking.connection import (
    ImageShape,
    all_to_all,
    as_matrix,
    convolution,
)
from spigot_allennlp.nn.spiking.gradient_problem import HM2BPOptions, SpikeGradientProblem
from spigot_allennlp.nn.spiking.hm2_bp import (
    HM2BPLayer,
    gradients,
    inhibition_factor,
    spiking_layer,
    with_injected_spikes,
)
from spigot_allennlp.nn.spiking.neurons import Neurons
from spigot_allennlp.nn.spiking.simulation import simulate
from tests.nn.spiking import slow_spikes
from tests.nn.spiking.spiking_cases import CONNECTIONS, NEURONS, problem

OPTIONS = {
    "released": HM2BPOptions(),
    "without_rate_correction": HM2BPOptions(rate_correction=False),
    "other_guards": HM2BPOptions(subthreshold_potential=0.3, subthreshold_ratio=0.2),
    "bounded_rate_correction": HM2BPOptions(bounds_rate_correction=True),
}


def layer_in_use(connection, neurons, seed=1):
    spikes, weight = problem(connection, seed=seed)
    fired = simulate(spikes, weight, connection, neurons)
    generator = torch.Generator().manual_seed(seed)
    shape = len(spikes), connection.num_neurons
    delta, factor = (torch.randn(shape, generator=generator).double() for _ in range(2))
    delta[1] = 0
    return spikes, fired, weight, delta, factor


def slow_gradients_of_batch(spikes, fired, weight, delta, factor, connection, neurons, options):
    """By the equations, pair by pair; weights that are shared add up."""
    matrix = as_matrix(connection, weight).numpy()
    connected = as_matrix(connection, torch.ones_like(weight)).numpy() > 0
    samples = zip(spikes.numpy(), fired.numpy(), delta.numpy(), factor.numpy(), strict=True)
    per_sample = [
        slow_spikes.gradients(x, o, matrix, connected, d, f, neurons, options)
        for x, o, d, f in samples
    ]
    for_matrix = torch.from_numpy(numpy.sum([of_sample[0] for of_sample in per_sample], axis=0))
    leaf = weight.clone().requires_grad_()
    as_matrix(connection, leaf).backward(for_matrix)
    return leaf.grad, torch.from_numpy(numpy.stack([of_sample[1] for of_sample in per_sample]))


@pytest.mark.parametrize("connection", CONNECTIONS.values(), ids=CONNECTIONS)
@pytest.mark.parametrize("neurons", NEURONS.values(), ids=NEURONS)
@pytest.mark.parametrize("compute", [gradients, torch_fallback.gradients])
def test_gradients_are_those_of_the_equations(connection, neurons, compute):
    case = layer_in_use(connection, neurons)
    settings = connection, neurons, HM2BPOptions()
    for_weight, for_counts = compute(SpikeGradientProblem(*case, *settings, True))
    true_for_weight, true_for_counts = slow_gradients_of_batch(*case, *settings)
    assert_close(for_weight, true_for_weight, rtol=1e-9, atol=1e-11)
    assert_close(for_counts, true_for_counts, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("compute", [gradients, torch_fallback.gradients])
def test_every_option_does_what_the_equations_say(options, compute):
    connection, neurons = CONNECTIONS["all_to_all"], NEURONS["short"]
    case = layer_in_use(connection, neurons, seed=2)
    assert (case[1].sum(1) == 0).any() and (case[0].sum(1) == 0).any()
    for_weight, for_counts = compute(
        SpikeGradientProblem(*case, connection, neurons, options, True)
    )
    true_for_weight, true_for_counts = slow_gradients_of_batch(*case, connection, neurons, options)
    assert_close(for_weight, true_for_weight, rtol=1e-9, atol=1e-11)
    assert_close(for_counts, true_for_counts, rtol=1e-9, atol=1e-11)


# More neurons than are simulated together, and fewer. At the low threshold they spike more often
# than their inputs, by whose spikes the kernels sum then; at the high one by those of the neurons.
@pytest.mark.parametrize("num_neurons", [150, 64, 10])
@pytest.mark.parametrize("threshold", [10.0, 80.0])
@pytest.mark.parametrize("inhibition", [0.0, 0.5])
@pytest.mark.parametrize("dtype, tolerance", [(torch.double, 1e-12), (torch.float, 1e-5)])
def test_kernels_and_torch_agree_on_large_layers(
    num_neurons, threshold, inhibition, dtype, tolerance
):
    neurons = Neurons(threshold, inhibition=inhibition)
    check_kernels_against_torch(all_to_all(70, num_neurons), neurons, dtype, tolerance)


# More channels than a vector has lanes, and fewer; more neurons than are worked on together.
@pytest.mark.parametrize("num_channels", [20, 3])
@pytest.mark.parametrize("neurons", [Neurons(8.0), Neurons(2.0, 6.0, 3.0, 2, inhibition=0.1)])
@pytest.mark.parametrize("dtype, tolerance", [(torch.double, 1e-12), (torch.float, 1e-5)])
def test_kernels_and_torch_agree_on_convolutions(num_channels, neurons, dtype, tolerance):
    connection = convolution(ImageShape(7, 12, 2), num_channels, 3)
    check_kernels_against_torch(connection, neurons, dtype, tolerance)


def check_kernels_against_torch(connection, neurons, dtype, tolerance):
    generator = torch.Generator().manual_seed(1)
    spikes = torch.rand(2, 400, connection.num_inputs, generator=generator) < 0.1
    spikes[:, :, ::3] = False
    shape = connection.num_rows, connection.width
    weight = 2 * torch.randn(shape, generator=generator, dtype=dtype) + 0.3
    fired = simulate(spikes, weight, connection, neurons)
    assert fired.any() and torch.equal(
        fired, torch_fallback.simulate(spikes, weight, connection, neurons)
    )
    delta = torch.randn(2, connection.num_neurons, generator=generator, dtype=dtype)
    task = SpikeGradientProblem(
        spikes,
        fired,
        weight,
        delta,
        torch.ones_like(delta),
        connection,
        neurons,
        HM2BPOptions(),
        True,
    )
    for by_kernels, by_torch in zip(gradients(task), torch_fallback.gradients(task), strict=True):
        assert_close(by_kernels, by_torch, rtol=0, atol=tolerance * float(by_torch.abs().max()))


@pytest.mark.parametrize("neurons", NEURONS.values(), ids=NEURONS)
def test_sparse_spikes_give_the_gradients_of_the_equations(neurons):
    """Neurons that spike seldom, so that spikes of their inputs leave the window."""
    connection = all_to_all(6, 12)
    generator = torch.Generator().manual_seed(2)
    spikes = torch.rand(2, 60, 6, generator=generator) < 0.6
    fired = torch.zeros(2, 60, 12, dtype=torch.bool)
    for neuron in range(12):  # every neuron at another rate, none before it is ready
        fired[:, neuron + 1 :: neuron + 7, neuron] = True
    weight = torch.rand(6, 12, generator=generator).double()
    delta = torch.randn(2, 12, generator=generator).double()
    case = spikes, fired, weight, delta, torch.ones_like(delta), connection, neurons, HM2BPOptions()
    for_weight, for_counts = gradients(SpikeGradientProblem(*case, True))
    true_for_weight, true_for_counts = slow_gradients_of_batch(*case)
    assert_close(for_weight, true_for_weight, rtol=1e-9, atol=1e-11)
    assert_close(for_counts, true_for_counts, rtol=1e-9, atol=1e-11)


def test_the_gradient_of_a_batch_is_the_sum_over_its_samples():
    connection, neurons = CONNECTIONS["convolution"], NEURONS["released"]
    whole = SpikeGradientProblem(
        *layer_in_use(connection, neurons),
        connection,
        neurons,
        HM2BPOptions(),
        needs_count_gradient=False,
    )
    together, none = gradients(whole)
    alone = torch.zeros_like(together)
    for number in range(len(whole.spikes)):
        batched = ("spikes", "fired", "delta", "inhibition_factor")
        sample = {name: getattr(whole, name)[number : number + 1] for name in batched}
        alone += gradients(whole._replace(**sample)).weight
    assert none is None
    assert_close(together, alone)


def test_what_torch_func_cannot_transform_is_refused_with_the_way_out():
    layer = HM2BPLayer(all_to_all(2, 3), Neurons(1.0), HM2BPOptions(), 1.0, False, 0)
    spikes = torch.ones(1, 9, 2, dtype=torch.bool)
    counts = torch.full((1, 2), 9.0)

    def total(weight):
        return spiking_layer(counts, weight, spikes, layer)[0].sum()

    with pytest.raises(NotImplementedError, match="call torch.autograd.grad"):
        torch.func.grad(total)(torch.ones(2, 3))


def test_two_threads_find_the_same(monkeypatch):
    connection, neurons = CONNECTIONS["all_to_all"], NEURONS["released"]
    case = layer_in_use(connection, neurons)
    whole = SpikeGradientProblem(*case, connection, neurons, HM2BPOptions(), True)
    by_one_thread = gradients(whole)
    monkeypatch.setattr("torch.get_num_threads", lambda: 2)
    monkeypatch.setattr("spigot_allennlp.nn.spiking.cpu.MANY_ENTRIES", 0)
    assert_close(by_one_thread, gradients(whole))


def test_the_gradient_is_the_same_in_whichever_order_threads_end(monkeypatch):
    connection = all_to_all(30, 20)
    generator = torch.Generator().manual_seed(1)
    spikes = torch.rand(6, 60, 30, generator=generator) < 0.1
    weight = torch.randn(30, 20, generator=generator)
    neurons = Neurons(2.0)
    fired = simulate(spikes, weight, connection, neurons)
    delta = torch.randn(6, 20, generator=generator)
    case = spikes, fired, weight, delta, torch.ones_like(delta), connection, neurons
    task = SpikeGradientProblem(*case, HM2BPOptions(), False)
    monkeypatch.setattr("torch.get_num_threads", lambda: 6)
    monkeypatch.setattr("spigot_allennlp.nn.spiking.cpu.MANY_ENTRIES", 0)
    found = []
    for order in ([0, 1, 2, 3, 4, 5], [5, 3, 1, 0, 2, 4], [2, 5, 4, 3, 1, 0]):
        monkeypatch.setattr(
            "spigot_allennlp.nn.spiking.cpu.call_in_threads",
            lambda function, parts, _, order=order: [function(parts[place]) for place in order],
        )
        found.append(gradients(task).weight)
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])


HIDDEN, OUTPUT = Neurons(2.0, 20.0, 5.0), Neurons(1.5, 20.0, 5.0, inhibition=0.5)


def two_layers(seed=1):
    generator = torch.Generator().manual_seed(seed)
    spikes = torch.rand(2, 40, 6, generator=generator) < 0.2
    weights = [
        (2 * torch.rand(shape, generator=generator).double() - 0.7).requires_grad_()
        for shape in ((6, 5), (5, 3))
    ]
    return spikes, weights


def layer_of(connection, neurons, injected_spikes=0):
    inhibits = neurons.inhibition != 0
    return HM2BPLayer(
        connection, neurons, HM2BPOptions(), neurons.threshold, inhibits, injected_spikes
    )


def run(spikes, weights, injected_spikes=0):
    counts = spikes.sum(1).double()
    hidden, fired = spiking_layer(counts, weights[0], spikes, layer_of(all_to_all(6, 5), HIDDEN))
    last = layer_of(all_to_all(5, 3), OUTPUT, injected_spikes=injected_spikes)
    return spiking_layer(hidden, weights[1], fired, last)


def slow_gradients(spikes, weights, gradient, wanted):
    """By the equations, through both layers of one sample."""
    first, second = (weight.detach().numpy() for weight in weights)
    hidden = slow_spikes.simulate(spikes, first, HIDDEN)
    fired = slow_spikes.simulate(hidden, second, OUTPUT)
    factor = slow_spikes.inhibition_factor(fired, wanted, OUTPUT)
    delta = gradient / OUTPUT.threshold
    every = second == second
    of_second, of_hidden = slow_spikes.gradients(
        hidden, fired, second, every, delta, factor, OUTPUT, HM2BPOptions()
    )
    delta = of_hidden / HIDDEN.threshold
    every, ones = first == first, 1 + 0 * delta
    of_first, _ = slow_spikes.gradients(
        spikes, hidden, first, every, delta, ones, HIDDEN, HM2BPOptions()
    )
    return torch.from_numpy(of_first), torch.from_numpy(of_second)


def test_the_gradient_of_a_network_is_that_of_the_equations_layer_by_layer():
    spikes, weights = two_layers()
    counts, _ = run(spikes, weights)
    gradient = torch.tensor([[1.0, -2.0, 0.5], [-1.0, 0.3, 2.0]]).double()
    counts.backward(gradient)
    expected = [
        slow_gradients(x.numpy(), weights, g.numpy(), g.numpy() < 0)
        for x, g in zip(spikes, gradient, strict=True)
    ]
    assert_close(weights[0].grad, sum(of_sample[0] for of_sample in expected), rtol=1e-5, atol=1e-7)
    assert_close(weights[1].grad, sum(of_sample[1] for of_sample in expected), rtol=1e-5, atol=1e-7)


def test_counts_are_those_of_the_spikes():
    spikes, weights = two_layers()
    counts, fired = run(spikes, weights)
    assert torch.equal(counts, fired.sum(1).double())
    assert not fired.requires_grad


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_counts_are_exact_whatever_the_type_of_the_weights(dtype):
    connection, neurons = all_to_all(4, 3), Neurons(0.5, refractory=0)
    spikes = torch.rand(2, 3000, 4, generator=torch.Generator().manual_seed(1)) < 0.9
    weight = torch.tensor([[0.9, 0.7, 0.6]] * 4, dtype=dtype).requires_grad_()
    sent = spikes.sum(1).to(dtype)
    counts, fired = spiking_layer(sent, weight, spikes, layer_of(connection, neurons))
    assert fired.sum(1).max() > 2100 and torch.equal(counts.double(), fired.sum(1).double())
    counts.sum().backward()
    assert weight.grad.dtype == dtype


def test_a_mean_of_losses_gives_the_mean_of_the_gradients():
    spikes, weights = two_layers()
    run(spikes, weights)[0].square().sum(1).mean().backward()
    together = [weight.grad.clone() for weight in weights]
    for weight in weights:
        weight.grad = None
    for sample in spikes:
        run(sample[None], weights)[0].square().sum().backward()
    for mean, weight in zip(together, weights, strict=True):
        assert_close(mean, weight.grad / 2)


def test_silent_neurons_that_are_wanted_get_spikes_evenly_spread():
    fired = torch.zeros(1, 12, 3, dtype=torch.bool)
    fired[0, 5, 1] = True
    wanted = torch.tensor([[True, True, False]])
    injected = with_injected_spikes(fired, wanted, 3, refractory=2)
    assert injected[0, :, 0].nonzero().flatten().tolist() == [4, 8]
    assert torch.equal(injected[:, :, 1:], fired[:, :, 1:])
    assert fired.sum() == 1


def test_injected_spikes_respect_the_refractory_period():
    fired = torch.zeros(1, 12, 1, dtype=torch.bool)
    injected = with_injected_spikes(fired, torch.tensor([[True]]), 100, refractory=3)
    assert injected[0, :, 0].nonzero().flatten().tolist() == [4, 8]


def test_injection_gives_a_silent_neuron_a_gradient_and_leaves_what_went_out_alone():
    spikes, weights = two_layers()
    with torch.no_grad():
        weights[1][:, 0] = -1
    gradients = []
    for number in (0, 8):
        counts, _ = run(spikes, weights, injected_spikes=number)
        assert (counts[:, 0] == 0).all()
        (gradient,) = torch.autograd.grad(-counts[:, 0].sum(), weights[1])
        gradients.append(gradient[:, 0].abs().sum())
    assert gradients[1] > 2 * gradients[0] > 0


def test_the_factor_of_inhibition_stays_finite_and_positive_where_inhibition_is_strong():
    fired = torch.zeros(1, 40, 10, dtype=torch.bool)
    fired[:, 5::3] = True
    factor = inhibition_factor(fired, fired[:, 0], Neurons(0.5, inhibition=1.0))
    assert torch.isfinite(factor).all() and (factor > 1).all() and (factor < 10.01).all()


@pytest.mark.parametrize("wanted", [False, True])
def test_the_factor_of_inhibition_is_that_of_the_equations(wanted):
    generator = torch.Generator().manual_seed(3)
    spikes = torch.rand(1, 60, 6, generator=generator) < 0.2
    weight = torch.rand(6, 4, generator=generator) - 0.2
    weight[:, 2] = -1
    neurons = Neurons(3.0, 20.0, 5.0, inhibition=0.3)
    fired = simulate(spikes, weight, all_to_all(6, 4), neurons)
    wants = torch.tensor([[False, False, wanted, False]])
    expected = slow_spikes.inhibition_factor(fired[0].numpy(), wants[0].numpy(), neurons)
    factor = inhibition_factor(fired, wants, neurons)[0].double()
    assert_close(factor, torch.from_numpy(expected), rtol=1e-4, atol=1e-4)
    assert (factor[2] == 1) == (not wanted)


def test_no_sample_at_all_has_a_gradient_of_zero():
    connection = CONNECTIONS["all_to_all"]
    spikes, weight = problem(connection, batch_size=0)
    weight.requires_grad_()
    layer = layer_of(connection, NEURONS["released"])
    counts, _ = spiking_layer(spikes.sum(1).double(), weight, spikes, layer)
    counts.sum().backward()
    assert torch.equal(weight.grad, torch.zeros_like(weight))
