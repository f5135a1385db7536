"""What both encoders of sequences that are made of a spiking network have in common."""

from typing import Optional

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.modules.spike_trains import SpikeTrains
from spigot_allennlp.modules.spiking_network import SpikingNetwork


class NetworkEncoder(torch.nn.Module):
    """
    A step of the sequence is a step of time; an input spikes where it is greater than a half. To
    stand before AllenNLP's class in the bases of an encoder.

    # Parameters

    network : `SpikingNetwork`
    """

    def __init__(self, network: SpikingNetwork) -> None:
        super().__init__()
        self.network = network

    def get_input_dim(self) -> int:
        return self.network.input_dim

    def get_output_dim(self) -> int:
        return self.network.output_dim

    def trains(self, tokens: Tensor, mask: Optional[BoolTensor]) -> SpikeTrains:
        """Of the output neurons; masked steps have no spikes that come in."""
        if mask is not None:
            tokens = tokens * mask.unsqueeze(-1).to(tokens.dtype)
        spikes = (tokens > 0.5).to(tokens.dtype)
        # with the gradient of what the spikes were made of
        return self.network(SpikeTrains.of(spikes + (tokens - tokens.detach())))[-1]
