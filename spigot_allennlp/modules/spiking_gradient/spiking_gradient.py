"""How a layer of spiking neurons is run, and what gradient goes back through it."""

import torch
from allennlp.common import Registrable

from spigot_allennlp.modules.spike_trains import SpikeTrains
from spigot_allennlp.modules.spiking_layer.spiking_layer import SpikingLayer


class SpikingGradient(torch.nn.Module, Registrable):
    """
    All gradients see the same spikes go out for the same spikes that come in; what they differ in
    is the gradient of the weights and of what came in.
    """

    def forward(self, trains: SpikeTrains, layer: SpikingLayer, is_output: bool) -> SpikeTrains:
        """
        # Parameters

        trains : `SpikeTrains`
            Of the inputs.
        layer : `SpikingLayer`
        is_output : `bool`
            Whether a loss has the last say about the firing counts of this layer.
        """
        raise NotImplementedError
