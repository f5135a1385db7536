import pytest
import torch
from torch.testing import assert_close

from spigot_allennlp.modules.spiking_gradient import HM2BP
from spigot_allennlp.modules.spiking_layer import FullyConnected, Pooling, SpikeTrains
from spigot_allennlp.nn.spiking.connection import as_matrix
from spigot_allennlp.nn.spiking.gradient_problem import HM2BPOptions
from spigot_allennlp.nn.spiking.hm2_bp import HM2BPLayer, spiking_layer
from tests.nn.spiking import slow_spikes


def sent(num_inputs, steps=40):
    generator = torch.Generator().manual_seed(1)
    spikes = torch.rand(2, steps, num_inputs, generator=generator) < 0.2
    return SpikeTrains(spikes, spikes.sum(1).float().requires_grad_())


def layer_with_silent_neurons():
    torch.manual_seed(1)
    layer = FullyConnected([6], units=5, threshold=1.0, inhibition=0.2)
    layer.weight.data.abs_()
    layer.weight.data[:, :2] *= -2  # never spike; the first of them is wanted to
    return layer


WANTED = torch.tensor([-1.0, 2.0, -3.0, 1.0, 0.5])


def gradients(counts, trains, layer):
    return torch.autograd.grad((counts * WANTED).sum(), [layer.weight, trains.counts])


def of_config(options, is_output=True):
    trains, layer = sent(6), layer_with_silent_neurons()
    output = HM2BP(**options)(trains, layer, is_output)
    counts = output.counts.detach()
    assert (counts[:, :2] == 0).all() and (counts[:, 2:] > 0).any(0).all()
    return gradients(output.counts, trains, layer)


def of_equations(options=HM2BPOptions(), corrects_inhibition=True, injected_spikes=35):  # noqa: B008
    trains, layer = sent(6), layer_with_silent_neurons()
    settings = HM2BPLayer(
        layer.connection, layer.neurons, options, 1.0, corrects_inhibition, injected_spikes
    )
    counts, _ = spiking_layer(trains.counts, layer.weight, trains.fired, settings)
    return gradients(counts, trains, layer)


@pytest.mark.parametrize(
    "options, same",
    [
        ({"own_rate": False}, {"options": HM2BPOptions(rate_correction=False)}),
        ({"silent_potential": 0.7}, {"options": HM2BPOptions(subthreshold_potential=0.7)}),
        ({"silent_ratio": 0.1}, {"options": HM2BPOptions(subthreshold_ratio=0.1)}),
        ({"inhibition_factor": False}, {"corrects_inhibition": False}),
        ({"injected_spikes": 0}, {"injected_spikes": 0}),
        ({"injected_spikes": 4}, {"injected_spikes": 4}),
        (
            {"bounds_rate_correction": True},
            {"options": HM2BPOptions(bounds_rate_correction=True)},
        ),
    ],
    ids=str,
)
def test_every_key_reaches_the_gradient(options, same):
    found, expected, by_default = of_config(options), of_equations(**same), of_config({})
    assert_close(found, expected, rtol=0, atol=0)
    assert not torch.equal(found[0], by_default[0])


def test_without_any_key_the_gradient_is_that_of_the_authors():
    assert_close(of_config({}), of_equations(), rtol=0, atol=0)


def test_spikes_are_injected_into_the_output_layer_alone():
    hidden = of_config({"injected_spikes": 8}, is_output=False)
    assert_close(hidden, of_config({"injected_spikes": 0}), rtol=0, atol=0)


def test_through_a_pooling_layer_gradients_are_divided_by_the_area_of_a_tile():
    layer, trains = Pooling([4, 4, 2], size=2, threshold=0.7), sent(32)
    output = HM2BP()(trains, layer, False)
    gradient = torch.randn(2, 8, generator=torch.Generator().manual_seed(2))
    (found,) = torch.autograd.grad((output.counts * gradient).sum(), trains.counts)
    matrix = as_matrix(layer.connection, layer.weight)
    expected = [
        slow_spikes.gradients(
            trains.fired[sample].numpy(),
            output.fired[sample].numpy(),
            matrix.numpy(),
            matrix.numpy() > 0,
            gradient[sample].numpy() / 4,
            torch.ones(8).numpy(),
            layer.neurons,
            HM2BPOptions(),
        )[1]
        for sample in range(2)
    ]
    assert output.fired.any() and found.abs().sum() > 0
    for sample in range(2):
        assert_close(
            found[sample].double(), torch.from_numpy(expected[sample]), rtol=1e-4, atol=1e-5
        )
