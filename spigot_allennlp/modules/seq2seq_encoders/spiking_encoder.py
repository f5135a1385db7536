"""A spiking network as AllenNLP's encoder of sequences to sequences: the spikes."""

from typing import Optional

from allennlp.modules import Seq2SeqEncoder
from torch import BoolTensor, Tensor

from spigot_allennlp.modules.network_encoder import NetworkEncoder


@Seq2SeqEncoder.register("spiking_encoder")
class SpikingSeq2SeqEncoder(NetworkEncoder, Seq2SeqEncoder):
    """
    What comes out are the spikes of the output neurons, zeros and ones; under HM2-BP, which knows
    counts alone, a count has the mean of the gradients of its spikes. See `NetworkEncoder` for what
    goes in, and for the parameters.

    Registered as a `Seq2SeqEncoder` with name "spiking_encoder".
    """

    def is_bidirectional(self) -> bool:
        return False

    def forward(self, inputs: Tensor, mask: Optional[BoolTensor] = None) -> Tensor:
        """
        Shape `(batch_size, steps, output_dim)`, given `(batch_size, steps, input_dim)`. No spike
        goes out at a step that is masked.
        """
        spikes = self.trains(inputs, mask).differentiable()
        return spikes if mask is None else spikes * mask.unsqueeze(-1).to(spikes.dtype)
