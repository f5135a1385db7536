"""A spiking network as AllenNLP's encoder of sequences to sequences: the spikes."""

from typing import Optional

from allennlp.modules import Seq2SeqEncoder
from torch import BoolTensor, Tensor

from spigot_allennlp.modules.seq2vec_encoders.spiking_encoder import trains_of
from spigot_allennlp.modules.spiking_network import SpikingNetwork


@Seq2SeqEncoder.register("spiking_encoder")
class SpikingSeq2SeqEncoder(Seq2SeqEncoder):
    """
    A step of the sequence is a step of time; an input spikes where it is greater than a half. What
    comes out are the spikes of the output neurons, zeros and ones; under HM2-BP, which knows counts
    alone, a count has the mean of the gradients of its spikes.

    Registered as a `Seq2SeqEncoder` with name "spiking_encoder".

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

    def is_bidirectional(self) -> bool:
        return False

    def forward(self, inputs: Tensor, mask: Optional[BoolTensor] = None) -> Tensor:
        """
        Shape `(batch_size, steps, output_dim)`, given `(batch_size, steps, input_dim)`. Masked
        steps have no spikes, neither coming in nor going out.
        """
        spikes = self.network(trains_of(inputs, mask))[-1].differentiable()
        return spikes if mask is None else spikes * mask.unsqueeze(-1).to(spikes.dtype)
