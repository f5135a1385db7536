"""A class for each step of a sequence."""

import math
from typing import Any, Dict, Optional

import torch
from allennlp.data import TextFieldTensors
from allennlp.models import Model
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.models.classifying_sequence_model import ClassifyingSequenceModel


@Model.register("step_classifier")
class StepClassifier(ClassifyingSequenceModel):
    """
    Gives each step of a sequence a class, from what came up to there: the next character, say, or
    what is to be remembered. The loss is the mean over the steps that are scored.

    `get_metrics` gives, over all steps that are scored, `accuracy`, `cross_entropy` in nats, and
    `bits`, the same in bits: of characters, the bits per character.

    Registered as a `Model` with name "step_classifier". Parameters: `ClassifyingSequenceModel`.
    """

    def forward(  # type: ignore[override]
        self,
        tokens: Optional[TextFieldTensors] = None,
        labels: Optional[LongTensor] = None,
        scored: Optional[BoolTensor] = None,
        inputs: Optional[Tensor] = None,
        mask: Optional[BoolTensor] = None,
    ) -> Dict[str, Any]:
        """
        # Parameters

        tokens, inputs, mask
            See `SequenceModel.encode`.
        labels : `LongTensor`, optional
            Shape `(batch_size, length)`.
        scored : `BoolTensor`, optional
            Which steps count, `(batch_size, length)`; all, if it is left out.
        """
        encoded, mask = self.encode(tokens, inputs, mask)
        logits = self.output(encoded)
        output: Dict[str, Any] = {"logits": logits, "mask": mask}
        if labels is not None:
            counts = mask if scored is None else mask & scored
            found, wanted = logits[counts], labels[counts]
            losses = torch.nn.functional.cross_entropy(found, wanted, reduction="none")
            output["loss"] = losses.sum() / max(len(losses), 1)
            self.observe(accuracy=found.argmax(dim=-1) == wanted, cross_entropy=losses)
        return output

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        means = super().get_metrics(reset)
        if means:
            means["bits"] = means["cross_entropy"] / math.log(2)
        return means

    def make_output_human_readable(self, output_dict: Dict[str, Any]) -> Dict[str, Any]:
        """`labels`: the best class of each step."""
        names = self.vocab.get_index_to_token_vocabulary(self._label_namespace)
        best, lengths = output_dict["logits"].argmax(dim=-1), output_dict["mask"].sum(dim=1)
        labels = [
            [names[index] for index in row[:length]]
            for row, length in zip(best.tolist(), lengths.tolist(), strict=True)
        ]
        return {**output_dict, "labels": labels}
