"""Turns tokens into vectors, the root's first."""

from typing import Optional, Tuple

import torch
from allennlp.common import FromParams
from allennlp.common.checks import check_dimensions_match
from allennlp.data import TextFieldTensors
from allennlp.modules import Seq2SeqEncoder, TextFieldEmbedder
from allennlp.modules.seq2seq_encoders import PassThroughEncoder, PytorchSeq2SeqWrapper
from allennlp.nn.util import get_text_field_mask
from torch import BoolTensor, Tensor

from spigot_allennlp.config_checks import PlainConfigurationError
from spigot_allennlp.modules.stateful_encoders import is_stateful
from spigot_allennlp.modules.word_dropout import WordDropout
from spigot_allennlp.nn.dropout import Dropout
from spigot_allennlp.nn.padded_lstm import is_worthwhile, run_padded_lstm


class SentenceEncoder(torch.nn.Module, FromParams):
    """
    Embeds the tokens of a sentence, encodes them and prepends a learned vector for the root:
    position 0 of the result is the root, position i the i-th token. Any AllenNLP embedder and
    encoder will do.

    # Parameters

    text_field_embedder : `TextFieldEmbedder`
    encoder : `Seq2SeqEncoder`, optional (default = `None`)
        Without an encoder the embedded tokens are the states, as suits a pretrained transformer.
        It must not be stateful, since sentences do not continue each other.
    embedding_dropout : `float`, optional (default = `0.0`)
    dropout : `float`, optional (default = `0.0`)
        The dropout of the encoder's output.
    word_dropout : `WordDropout`, optional (default = `None`)

    # Raises

    `ConfigurationError` if the encoder is stateful, or does not fit the embedder.
    """

    def __init__(
        self,
        text_field_embedder: TextFieldEmbedder,
        encoder: Optional[Seq2SeqEncoder] = None,
        embedding_dropout: float = 0.0,
        dropout: float = 0.0,
        word_dropout: Optional[WordDropout] = None,
    ) -> None:
        super().__init__()
        if encoder is not None:
            check_dimensions_match(
                text_field_embedder.get_output_dim(),
                encoder.get_input_dim(),
                "the output size of the text_field_embedder",
                "the input size of the encoder",
            )
            if is_stateful(encoder):
                raise PlainConfigurationError(
                    "The encoder is stateful, so that the states of a sentence would depend on the "
                    'sentences that happen to be encoded before. Write "stateful": false.'
                )
        self._embedder = text_field_embedder
        self._encoder = encoder or PassThroughEncoder(text_field_embedder.get_output_dim())
        self._embedding_dropout = Dropout(embedding_dropout)
        self._dropout = Dropout(dropout)
        self._word_dropout = word_dropout or torch.nn.Identity()
        self._root = torch.nn.Parameter(torch.randn(self.get_output_dim()) * 0.1)

    def get_output_dim(self) -> int:
        """Returns the size of a token's vector."""
        return self._encoder.get_output_dim()

    def forward(self, tokens: TextFieldTensors) -> Tuple[Tensor, BoolTensor]:
        """
        # Returns

        states : `Tensor`
            Shape `(batch_size, 1 + length, output_dim)`.
        mask : `BoolTensor`
            Shape `(batch_size, 1 + length)`.
        """
        mask = get_text_field_mask(tokens)
        embedded = self._embedding_dropout(self._embedder(self._word_dropout(tokens)))
        encoded = self._dropout(encode(self._encoder, embedded, mask))
        root = self._root.to(encoded.dtype).expand(encoded.size(0), 1, -1)
        states = torch.cat([root, encoded], dim=1)
        return states, torch.nn.functional.pad(mask, (1, 0), value=True)


def encode(encoder: Seq2SeqEncoder, inputs: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns the encoding of padded sequences, `(batch_size, length, output_dim)`. For AllenNLP's
    "lstm" it computes the same up to rounding in less time, where possible.
    """
    if isinstance(encoder, PytorchSeq2SeqWrapper) and not encoder.stateful:
        if is_worthwhile(encoder._module, inputs, mask):
            return run_padded_lstm(encoder._module, inputs, mask)
    return encoder(inputs, mask)
