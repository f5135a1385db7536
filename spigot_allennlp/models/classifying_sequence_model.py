"""What models that give classes to sequences, or to their steps, have in common."""

from typing import Any

import torch
from allennlp.data import Vocabulary
from allennlp.modules import Seq2SeqEncoder
from allennlp.nn import InitializerApplicator

from spigot_allennlp.models.sequence_model import SequenceModel


class ClassifyingSequenceModel(SequenceModel):
    """
    A `SequenceModel` with an output layer that has an entry for each class.

    # Parameters

    label_namespace : `str`, optional (default = `"labels"`)
        See `SequenceModel` for the others.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        encoder: Seq2SeqEncoder,
        label_namespace: str = "labels",
        initializer: InitializerApplicator = InitializerApplicator(),  # noqa: B008 (AllenNLP's idiom)
        **kwargs: Any,
    ) -> None:
        super().__init__(vocab, encoder, **kwargs)
        self._label_namespace = label_namespace
        num_classes = vocab.get_vocab_size(label_namespace)
        self.output = torch.nn.Linear(encoder.get_output_dim(), num_classes)
        initializer(self)
