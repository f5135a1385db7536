"""A class for a whole sequence, told from its last step."""

from typing import Any, Dict, Optional

import torch
from allennlp.data import TextFieldTensors
from allennlp.models import Model
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.models.classifying_sequence_model import ClassifyingSequenceModel
from spigot_allennlp.models.sequence_model import last_step


@Model.register("sequence_classifier")
class SequenceClassifier(ClassifyingSequenceModel):
    """
    Gives a sequence a class, at its last step: whatever the encoder has not carried there, over all
    of the sequence, is lost.

    `get_metrics` gives `accuracy` and `cross_entropy`, in nats.

    Registered as a `Model` with name "sequence_classifier". Parameters: `ClassifyingSequenceModel`.
    """

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
