"""What all classifiers have in common: the loss, the figures, the readable output."""

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import torch
from allennlp.data import Vocabulary
from allennlp.nn import RegularizerApplicator
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.metrics.class_scores import ClassScores
from spigot_allennlp.models.parsing_model import ParsingModel
from spigot_allennlp.modules.structured_argmax_layer import StructuredArgmaxLayer

LABELS = "labels"


class Classified(NamedTuple):
    """
    The classes' scores, `(batch_size, num_classes)`, and the loss, a scalar, if there was a label.
    """

    logits: Tensor
    loss: Optional[Tensor] = None


class ClassificationModel(ParsingModel):
    """
    A model that gives every sentence, or point, one of the classes of the vocabulary namespace
    "labels".

    `get_metrics` gives the `accuracy` and the `macro_f1` of `ClassScores`, and neither if no label
    was seen.
    """

    default_predictor: Optional[str] = "sentiment"

    def __init__(
        self, vocab: Vocabulary, regularizer: Optional[RegularizerApplicator] = None
    ) -> None:
        super().__init__(vocab, regularizer)
        self.num_classes = vocab.get_vocab_size(LABELS)
        self._scores = ClassScores(self.num_classes)

    @property
    def scored_namespaces(self) -> Tuple[str, ...]:
        return (LABELS,)

    def classify(self, logits: Tensor, label: Optional[LongTensor]) -> Classified:
        """Without anything latent: the loss is the mean cross-entropy, in nats."""
        if label is None:
            return Classified(logits)
        self._observe(logits, label)
        return Classified(logits, torch.nn.functional.cross_entropy(logits, label))

    def classify_through(
        self,
        argmax: StructuredArgmaxLayer,
        scores: Tensor,
        mask: BoolTensor,
        logits_of: Callable[[Tensor], Tensor],
        label: Optional[LongTensor],
        allowed: Optional[BoolTensor] = None,
    ) -> Classified:
        """
        With a latent object, chosen by `argmax` from `scores`; `logits_of` gives the logits that
        follow from it. `mask` and `allowed` as in `StructuredArgmaxLayer.forward`.
        """
        if label is None:
            latent = argmax(scores, mask, allowed=allowed)
            return Classified(logits_of(latent.value))
        logits: List[Tensor] = []

        def downstream(value: Tensor) -> Tensor:
            found = logits_of(value)
            if not logits:  # the first time: an estimator may ask again, at another object
                logits.append(found.detach())
            return torch.nn.functional.cross_entropy(found, label, reduction="none")

        latent = argmax(scores, mask, downstream, allowed)
        losses = latent.losses()
        self._observe(logits[0], label)
        return Classified(logits[0], losses.mean() + argmax.auxiliary_loss(latent, losses))

    def _observe(self, logits: Tensor, label: LongTensor) -> None:
        self._scores(logits.argmax(dim=-1), label)

    def readable_classes(self, output_dict: Dict[str, Any]) -> Dict[str, Any]:
        """Per sentence the `label`, and the `probabilities` of all classes, from its `logits`."""
        names = self.vocab.get_index_to_token_vocabulary(LABELS)
        probabilities = output_dict["logits"].softmax(dim=-1).tolist()
        return {
            **self.carried_over(output_dict),
            "label": [names[int(index)] for index in output_dict["logits"].argmax(dim=-1)],
            "probabilities": [
                {names[index]: p for index, p in enumerate(row)} for row in probabilities
            ],
        }

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        return self._scores.get_metric(reset)
