"""A spiking network as AllenNLP's encoder of sequences to vectors: the firing counts."""

from typing import Optional

from allennlp.modules import Seq2VecEncoder
from torch import BoolTensor, Tensor

from spigot_allennlp.modules.network_encoder import NetworkEncoder


@Seq2VecEncoder.register("spiking_encoder")
class SpikingSeq2VecEncoder(NetworkEncoder, Seq2VecEncoder):
    """
    What comes out is how often each output neuron fired. See `NetworkEncoder` for what goes in, and
    for the parameters.

    Registered as a `Seq2VecEncoder` with name "spiking_encoder".
    """

    def forward(self, tokens: Tensor, mask: Optional[BoolTensor] = None) -> Tensor:
        """Shape `(batch_size, output_dim)`, given `(batch_size, steps, input_dim)`."""
        return self.trains(tokens, mask).counts
