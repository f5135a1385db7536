"""A class for a whole sequence, told from its last step."""

from typing import Any, Dict, Optional

import torch
from allennlp.data import TextFieldTensors, Vocabulary
from allennlp.models import Model
from allennlp.modules import Seq2SeqEncoder
from allennlp.nn import InitializerApplicator
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.models.sequence_model import SequenceModel, last_step


@Model.register("sequence_classifier")
class SequenceClassifier(SequenceModel):
    """
    Gives a sequence a class, at its last step: whatever the encoder has not carried there, over all
    of the sequence, is lost.

    `get_metrics` gives `accuracy` and `cross_entropy`, in nats.

    Registered as a `Model` with name "sequence_classifier".

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

    def forward(  # type: ignore[override]
        self,
        tokens: Optional[TextFieldTensors] = None,
        label: Optional[LongTensor] = None,
        inputs: Optional[Tensor] = None,
        mask: Optional[BoolTensor] = None,
    ) -> Dict[str, Any]:
        """
        # Parameters

        tokens, inputs, mask
            See `SequenceModel.encode`.
        label : `LongTensor`, optional
            Shape `(batch_size,)`.
        """
        logits = self.output(last_step(*self.encode(tokens, inputs, mask)))
        output: Dict[str, Any] = {"logits": logits}
        if label is not None:
            losses = torch.nn.functional.cross_entropy(logits, label, reduction="none")
            output["loss"] = losses.mean()
            self.observe(accuracy=logits.argmax(dim=-1) == label, cross_entropy=losses)
        return output

    def make_output_human_readable(self, output_dict: Dict[str, Any]) -> Dict[str, Any]:
        """`label`: the best class."""
        names = self.vocab.get_index_to_token_vocabulary(self._label_namespace)
        best = output_dict["logits"].argmax(dim=-1).tolist()
        return {**output_dict, "label": [names[index] for index in best]}
