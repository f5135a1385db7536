"""The baseline: backpropagation through time, with a surrogate for the derivative of a spike."""

import torch
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.modules.spike_trains import SpikeTrains
from spigot_allennlp.modules.spiking_gradient.spiking_gradient import SpikingGradient
from spigot_allennlp.modules.spiking_layer.spiking_layer import SpikingLayer
from spigot_allennlp.nn.spiking.simulation import simulate
from spigot_allennlp.nn.spiking.surrogate_simulation import simulate_differentiably


@SpikingGradient.register("surrogate")
class Surrogate(SpikingGradient):
    """
    The derivative of a spike with respect to the potential is taken to be
    `1 / (1 + slope * |potential - threshold|) ** 2`, that of SuperSpike
    ([Zenke & Ganguli, 2018](https://arxiv.org/abs/1705.11146)), in every step; the rest is autograd
    through the unrolled simulation, without the reset.

    Registered as a `SpikingGradient` with name "surrogate".

    # Parameters

    slope : `float`, optional (default = `1.0`)
        By one over the potential: thresholds of 10 want a smaller one than thresholds of 1.
    """

    def __init__(self, slope: float = 1.0) -> None:
        super().__init__()
        if not slope > 0:
            raise ConfigurationError(f"slope must be positive but found {slope}.")
        self._slope = slope

    def forward(self, trains: SpikeTrains, layer: SpikingLayer, is_output: bool) -> SpikeTrains:
        del is_output
        given = layer.weight, layer.connection, layer.neurons
        if not torch.is_grad_enabled():
            return SpikeTrains.of(simulate(trains.fired, *given))
        return SpikeTrains.of(simulate_differentiably(trains.spikes, *given, self._slope))
