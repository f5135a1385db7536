"""A spiking network as AllenNLP's encoder of sequences to vectors: the firing counts."""

from typing import Optional

from allennlp.modules import Seq2VecEncoder
from torch import BoolTensor, Tensor

from spigot_allennlp.modules.spike_trains import SpikeTrains
from spigot_allennlp.modules.spiking_network import SpikingNetwork


@Seq2VecEncoder.register("spiking_encoder")
class SpikingSeq2VecEncoder(Seq2VecEncoder):
    """
    A step of the sequence is a step of time; an input spikes where it is greater than a half. What
    comes out is how often each output neuron fired.

    Registered as a `Seq2VecEncoder` with name "spiking_encoder".

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

    def forward(self, tokens: Tensor, mask: Optional[BoolTensor] = None) -> Tensor:
        """
        Shape `(batch_size, output_dim)`, given `(batch_size, steps, input_dim)`. Masked steps have
        no spikes.
        """
        return self.network(trains_of(tokens, mask))[-1].counts


def trains_of(tokens: Tensor, mask: Optional[BoolTensor]) -> SpikeTrains:
    """Zeros and ones, with the gradient of `tokens`."""
    if mask is not None:
        tokens = tokens * mask.unsqueeze(-1).to(tokens.dtype)
    spikes = (tokens > 0.5).to(tokens.dtype)
    return SpikeTrains.of(spikes + (tokens - tokens.detach()))
