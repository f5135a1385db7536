import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.modules import Seq2SeqEncoder, Seq2VecEncoder
from torch.testing import assert_close

from spigot_allennlp.modules.spiking_gradient import SpikingGradient
from spigot_allennlp.modules.spiking_layer import SpikeTrains
from spigot_allennlp.modules.spiking_network import SpikingNetwork

GRADIENTS = SpikingGradient.list_available()
IMAGES = [
    {"type": "convolution", "channels": 2, "size": 3, "threshold": 1.0},
    {"type": "pooling", "size": 2, "threshold": 1.0},
    {"type": "fully_connected", "units": 3, "threshold": 1.0, "inhibition": 0.5},
]
FLAT = [
    {"type": "fully_connected", "units": 5, "threshold": 1.0},
    {"type": "fully_connected", "units": 3, "threshold": 1.0},
]


def config(gradient="hm2_bp", input_shape=(6, 6, 1), layers=IMAGES):
    return {
        "input_shape": list(input_shape),
        "layers": [dict(layer) for layer in layers],
        "gradient": {"type": gradient},
    }


def network(*arguments, **options):
    torch.manual_seed(1)
    return SpikingNetwork.from_params(Params(config(*arguments, **options)))


def trains(number, steps=40):
    generator = torch.Generator().manual_seed(1)
    return SpikeTrains.of(torch.rand(2, steps, number, generator=generator) < 0.2)


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_every_gradient_reaches_all_weights(gradient):
    model = network(gradient)
    layers = model(trains(36))
    assert [layer.counts.shape for layer in layers] == [(2, 32), (2, 8), (2, 3)]
    (layers[-1].counts - 10).square().sum().backward()
    for parameter in model.parameters():
        assert torch.isfinite(parameter.grad).all() and parameter.grad.abs().sum() > 0


def test_all_gradients_see_the_same_spikes():
    counts = [network(gradient)(trains(36))[-1].counts for gradient in GRADIENTS]
    for other in counts[1:]:
        assert_close(other, counts[0])


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_without_gradients_the_spikes_are_the_same(gradient):
    model = network(gradient)
    with torch.no_grad():
        counts = model(trains(36))[-1].counts
    assert_close(counts, model(trains(36))[-1].counts.detach())


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_descending_lowers_the_loss(gradient):
    model = network(gradient, input_shape=[6], layers=FLAT)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    target, losses = torch.tensor([[10.0, 0.0, 5.0], [0.0, 8.0, 5.0]]), []
    for _ in range(40):
        loss = (model(trains(6))[-1].counts - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert min(losses[-5:]) < 0.4 * losses[0]


@pytest.mark.parametrize("gradient", GRADIENTS)
@pytest.mark.parametrize("has_kernels", [True, False])
def test_autocast_changes_neither_spikes_nor_gradients(gradient, has_kernels, monkeypatch):
    if not has_kernels:
        for module in ("simulation", "hm2_bp", "psp"):
            monkeypatch.setattr(f"spigot_allennlp.nn.spiking.{module}.has_kernels", lambda _: False)
    found = []
    for enabled in (False, True):
        model = network(gradient)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            layers = model(trains(36))
            loss = (layers[-1].counts - 10).square().sum()
            spikes = [layer.fired for layer in layers]
        loss.backward()
        found.append((spikes, [parameter.grad for parameter in model.parameters()]))
    assert_close(found[1], found[0], rtol=0, atol=0)


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_torch_compile_runs_layers_as_they_are(gradient):
    model = encoder(Seq2VecEncoder, gradient)
    inputs = trains(model.get_input_dim()).spikes.float().requires_grad_()
    operations = []

    def backend(graph, _):
        operations.extend(graph.graph.nodes)
        return graph.forward

    def counts_and_gradient(function):
        counts = function(inputs)
        return counts, *torch.autograd.grad(counts.sum(), inputs)

    torch.compiler.reset()
    actual = counts_and_gradient(torch.compile(model, backend=backend))
    torch.compiler.reset()
    assert_close(actual, counts_and_gradient(model))
    assert len(operations) < 120  # those of the 40 steps are not among them


def test_pooling_has_nothing_to_be_trained():
    assert [name for name, _ in network().named_parameters()] == [
        "layers.0.weight",
        "layers.2.weight",
    ]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"layers": []}, "at least its output layer"),
        ({"input_shape": []}, r"input_shape is \[\], but must be .* as \[784\]"),
        ({"input_shape": [0]}, r"input_shape is \[0\], but must be"),
        ({"input_shape": [-6, 6, -1]}, r"input_shape is \[-6, 6, -1\], but must be"),
        (
            {"input_shape": [36]},
            r"shape \[height, width, channels\] but found \[36",
        ),
        ({"input_shape": [2, 2, 1]}, "between 1 and 2, the extent of its inputs, but found 3"),
        ({"layers": [{**FLAT[0], "threshold": 0.0}]}, "threshold must be positive but is 0.0"),
        ({"layers": [{**FLAT[0], "synapse_time": 90.0}]}, "synapse_time 90.0 and membrane_time 64"),
        ({"layers": [{**FLAT[0], "refractory": -1}]}, "refractory must be at least 0 but is -1"),
        ({"layers": [{**FLAT[0], "refractory": 257}]}, "refractory 257 and membrane_time 64"),
        ({"layers": [{**FLAT[0], "units": 0}]}, "units must be at least 1 but is 0"),
        ({"layers": [{**FLAT[0], "units": -1}]}, "units must be at least 1 but is -1"),
        ({"layers": [{**IMAGES[0], "channels": 0}]}, "channels must be at least 1 but is 0"),
        ({"layers": [{**FLAT[0], "inhibition": -1.0}]}, "inhibition must be at least 0 but is -1"),
        ({"layers": [{**FLAT[0], "weight_range": -1.0}]}, "weight_range must be positive but is"),
        ({"layers": [{**FLAT[0], "weight_range": 0.0}]}, "weight_range must be positive but is"),
        ({"layers": [{**FLAT[0], "membrane_time": float("inf")}]}, "and membrane_time inf"),
    ],
)
def test_a_network_that_cannot_be_says_why(change, message):
    with pytest.raises(ConfigurationError, match=message):
        SpikingNetwork.from_params(Params({**config(), **change}))


def test_inputs_of_another_size_are_refused():
    with pytest.raises(ConfigurationError, match="has 36 inputs .* but was given 7"):
        network()(trains(7))


def encoder(base, gradient):
    torch.manual_seed(1)
    inner = config(gradient, input_shape=[6], layers=FLAT)
    return base.from_params(Params({"type": "spiking_encoder", "network": inner}))


def lengths_mask(*lengths):
    return torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)


@pytest.mark.parametrize("gradient", GRADIENTS)
@pytest.mark.parametrize("base", [Seq2VecEncoder, Seq2SeqEncoder])
def test_what_a_sequence_gives_does_not_depend_on_its_padding(base, gradient):
    model = encoder(base, gradient)
    first, second = (layer.weight.data for layer in model.network.layers)
    first.abs_(), second.abs_()
    second[:, 0] = -1  # a neuron that is silent, but wanted to spike
    tokens = trains(6, steps=60).spikes.float()
    results = []
    for lengths in ([20], [20, 60]):
        sequences = tokens[: len(lengths)].clone()
        mask = lengths_mask(*lengths)
        sequences = sequences[:, : mask.size(1)]
        sequences[~mask] = torch.nan  # whatever stands there
        sequences.requires_grad_()
        output = model(sequences, mask)[0]
        output = output if output.dim() == 1 else output[:20]
        goal = torch.tensor([9.0, 2.0, 0.0])
        inputs = [*model.parameters(), sequences]
        *of_weights, of_tokens = torch.autograd.grad((output - goal).square().sum(), inputs)
        assert (of_tokens[~mask] == 0).all()
        results.append([output.detach(), *of_weights, of_tokens[0, :20]])
    alone, padded = results
    assert alone[0].sum() > 0 and all(gradient.abs().sum() > 0 for gradient in alone[1:])
    for expected, actual in zip(alone, padded, strict=True):
        assert_close(actual, expected)


@pytest.mark.parametrize("base", [Seq2VecEncoder, Seq2SeqEncoder])
def test_an_encoder_raises_the_weights_of_a_silent_neuron_that_should_spike(base):
    # whatever loss follows: the rate correction is bounded
    model = encoder(base, "hm2_bp")
    first, second = (layer.weight for layer in model.network.layers)
    first.data.abs_()
    second.data[:, 0] = -3
    output = model(trains(6).spikes.float())
    (-output[..., 0].sum()).backward()
    assert (output[..., 0] == 0).all() and (second.grad[:, 0] < 0).all()


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_masked_steps_are_silent_in_every_layer_with_and_without_gradients(gradient):
    model = network(gradient)
    for parameter in model.parameters():
        parameter.data.abs_()
    spikes, mask = trains(36).spikes, lengths_mask(40, 15)
    spikes[~mask] = False
    with_gradient = model(SpikeTrains.of(spikes), mask)
    with torch.no_grad():
        without = model(SpikeTrains.of(spikes), mask)
    unmasked = model(SpikeTrains.of(spikes))
    for layer, other, longer in zip(with_gradient, without, unmasked, strict=True):
        assert not layer.fired[1, 15:].any() and longer.fired[1, 15:].any()
        assert torch.equal(layer.fired[mask], longer.fired[mask])
        assert torch.equal(layer.fired, other.fired)
        assert_close(layer.counts.detach(), layer.fired.sum(1).float())


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_a_sequence_that_is_masked_altogether_counts_nothing(gradient):
    model = encoder(Seq2VecEncoder, gradient)
    mask = lengths_mask(40, 0)
    vectors = model(trains(6).spikes.float(), mask)
    assert (vectors[1] == 0).all() and vectors[0].sum() > 0
    (vectors - 9).square().sum().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters())


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_as_an_encoder_of_sequences_to_vectors_it_counts(gradient):
    model = encoder(Seq2VecEncoder, gradient)
    tokens = trains(6).spikes.float().requires_grad_()
    vectors = model(tokens, torch.ones(2, 40, dtype=torch.bool))
    assert vectors.shape == (2, model.get_output_dim()) and model.get_input_dim() == 6
    (vectors - 9).square().sum().backward()
    assert tokens.grad.abs().sum() > 0


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_as_an_encoder_of_sequences_to_sequences_it_spikes_where_nothing_is_masked(gradient):
    model = encoder(Seq2SeqEncoder, gradient)
    mask = torch.ones(2, 40, dtype=torch.bool)
    mask[1, 20:] = False
    spikes = model(trains(6).spikes.float(), mask)
    assert spikes.shape == (2, 40, model.get_output_dim()) and not model.is_bidirectional()
    assert set(spikes.detach().round(decimals=4).unique().tolist()) == {0, 1}
    assert (spikes[1, 20:] == 0).all()
    spikes.square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.parameters())


@pytest.mark.parametrize(
    "options, message",
    [
        ({"type": "hm2_bp", "injected_spikes": -1}, "injected_spikes must be at least 0 but is -1"),
        ({"type": "surrogate", "slope": 0.0}, "slope must be positive but is 0.0"),
    ],
)
def test_a_gradient_that_cannot_be_says_why(options, message):
    with pytest.raises(ConfigurationError, match=message):
        SpikingGradient.from_params(Params(options))
