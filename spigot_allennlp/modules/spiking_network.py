"""Layers of spiking neurons, one behind the other, and the gradient through all of them."""

import math
from typing import List

import torch
from allennlp.common import FromParams, Lazy
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.modules.spike_trains import SpikeTrains
from spigot_allennlp.modules.spiking_gradient.spiking_gradient import SpikingGradient
from spigot_allennlp.modules.spiking_layer.spiking_layer import SpikingLayer


class SpikingNetwork(torch.nn.Module, FromParams):
    """
    # Parameters

    input_shape : `List[int]`
        Of one step of a sample: `[num_inputs]`, or `[height, width, channels]`.
    layers : `List[Lazy[SpikingLayer]]`
        From the first to the last, which is the output.
    gradient : `SpikingGradient`
    """

    def __init__(
        self, input_shape: List[int], layers: List[Lazy[SpikingLayer]], gradient: SpikingGradient
    ) -> None:
        super().__init__()
        if not layers:
            raise ConfigurationError("layers is empty; a network needs at least its output layer.")
        self.input_dim = math.prod(input_shape)
        self.layers = torch.nn.ModuleList()
        shape = tuple(input_shape)
        for layer in layers:
            self.layers.append(layer.construct(input_shape=shape))
            shape = self.layers[-1].output_shape
        self.output_dim = math.prod(shape)
        self.gradient = gradient

    def forward(self, trains: SpikeTrains) -> List[SpikeTrains]:
        """
        The spike trains of all layers, given those of the inputs, `(batch_size, steps, input_dim)`.
        """
        if trains.spikes.size(2) != self.input_dim:
            raise ConfigurationError(
                f"The network has {self.input_dim} inputs (its input_shape), but was given "
                f"{trains.spikes.size(2)}."
            )
        found = []
        for number, layer in enumerate(self.layers, start=1):
            trains = self.gradient(trains, layer, number == len(self.layers))
            found.append(trains)
        return found
