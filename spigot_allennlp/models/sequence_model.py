"""What all models of long sequences have in common: the input, the encoder, the figures."""

from typing import Dict, Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import TextFieldTensors, Vocabulary
from allennlp.models import Model
from allennlp.modules import Seq2SeqEncoder, TextFieldEmbedder
from allennlp.nn import RegularizerApplicator
from allennlp.nn.util import get_text_field_mask
from torch import BoolTensor, Tensor

from spigot_allennlp.metrics.item_mean import ItemMean


class SequenceModel(Model):
    """
    Encodes a sequence of tokens or of vectors; a subclass makes something of that.

    # Parameters

    vocab : `Vocabulary`
    encoder : `Seq2SeqEncoder`
    text_field_embedder : `TextFieldEmbedder`, optional (default = `None`)
        Wanted where the data has tokens.
    dropout : `float`, optional (default = `0.0`)
        Of the encoder's output.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        encoder: Seq2SeqEncoder,
        text_field_embedder: Optional[TextFieldEmbedder] = None,
        dropout: float = 0.0,
        regularizer: Optional[RegularizerApplicator] = None,
    ) -> None:
        super().__init__(vocab, regularizer)
        self.encoder = encoder
        self.text_field_embedder = text_field_embedder
        self._dropout = torch.nn.Dropout(dropout)
        self._means: Dict[str, ItemMean] = {}

    def encode(
        self,
        tokens: Optional[TextFieldTensors],
        inputs: Optional[Tensor],
        mask: Optional[BoolTensor],
    ) -> Tuple[Tensor, BoolTensor]:
        """
        The encoded sequences, `(batch_size, length, dim)`, and which steps they have,
        `(batch_size, length)`: of `tokens`, or of `inputs`, `(batch_size, length, input_size)`, as
        far as `mask` goes (all of it, if there is none).
        """
        if tokens is not None:
            if self.text_field_embedder is None:
                raise ConfigurationError(
                    "The data has tokens, but the model no text_field_embedder to make vectors of "
                    "them. Give it one."
                )
            inputs, mask = self.text_field_embedder(tokens), get_text_field_mask(tokens)
        assert inputs is not None, "an instance has either tokens or inputs"
        if mask is None:
            mask = torch.ones(inputs.shape[:2], dtype=torch.bool, device=inputs.device)
        return self._dropout(self.encoder(inputs, mask)), mask

    def observe(self, **figures: Tensor) -> None:
        """Notes figures, one number for each item, of which `get_metrics` gives the means."""
        for name, values in figures.items():
            self._means.setdefault(name, ItemMean())(values)

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        means = {name: mean.get_metric(reset) for name, mean in self._means.items()}
        return {name: mean for name, mean in means.items() if mean is not None}


def last_step(encoded: Tensor, mask: BoolTensor) -> Tensor:
    """The vector of the last step of each sequence, `(batch_size, dim)`; of an empty one, any."""
    last = (mask.sum(dim=1) - 1).clamp(min=0)
    return encoded[torch.arange(len(encoded), device=encoded.device), last]
