"""Defines what classifiers share: the loss, the metrics, the readable output."""

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import torch
from allennlp.data import Instance, Vocabulary
from allennlp.models import Model
from allennlp.nn import RegularizerApplicator
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.config_checks import check_namespace
from spigot_allennlp.layers.structured_argmax_layer import FirstOutput, StructuredArgmaxLayer
from spigot_allennlp.metrics.class_scores import ClassScores
from spigot_allennlp.models.parsing_model import carried_over, in_evaluation, without_gold

LABELS = "labels"


class ClassifierOutput(NamedTuple):
    """
    The output of a classifier, and its loss.

    # Parameters

    logits : `Tensor`
        Shape `(batch_size, num_classes)`: the scores of the classes.
    loss : `Optional[Tensor]`
        A scalar; `None` without labels.
    """

    logits: Tensor
    loss: Optional[Tensor] = None


class ClassificationModel(Model):
    """
    A model that assigns each sentence (or point) a class of the vocabulary namespace "labels".

    The `forward` of a subclass calls `classify` or `classify_through`. It returns a dictionary with
    `logits`, `loss` if there is one and, for sentences, their `metadata`, from which
    `readable_classes` takes the words. A classifier of sentences sets `default_predictor` to
    "sentiment"; `allennlp parse` and `spigot_allennlp.load` then accept it.

    `get_metrics` returns the `accuracy` and the `macro_f1` of `ClassScores`, or nothing if no
    labels were seen.
    """

    def __init__(
        self, vocab: Vocabulary, regularizer: Optional[RegularizerApplicator] = None
    ) -> None:
        super().__init__(vocab, regularizer)
        check_namespace(vocab, LABELS, "classes")
        self.num_classes = vocab.get_vocab_size(LABELS)
        self._scores = ClassScores(self.num_classes)

    @property
    def scored_namespaces(self) -> Tuple[str, ...]:
        """Returns the namespace in which every entry has a score: it cannot grow after training."""
        return (LABELS,)

    def forward_on_instances(self, instances: List[Instance]) -> List[Dict[str, Any]]:
        """
        Returns the readable output of each instance, in order, without a loss even if they have
        labels. The model is in evaluation mode meanwhile.
        """
        if not instances:
            return []
        with in_evaluation(self):
            return super().forward_on_instances([without_gold(instance) for instance in instances])

    def classify(self, logits: Tensor, label: Optional[LongTensor]) -> ClassifierOutput:
        """Classifies without a latent object; the loss is the mean cross-entropy, in nats."""
        if label is None:
            return ClassifierOutput(logits)
        self._observe(logits, label)
        return ClassifierOutput(logits, torch.nn.functional.cross_entropy(logits, label))

    def classify_through(
        self,
        argmax: StructuredArgmaxLayer,
        scores: Tensor,
        mask: BoolTensor,
        logits_of: Callable[[Tensor], Tensor],
        label: Optional[LongTensor],
        allowed: Optional[BoolTensor] = None,
    ) -> ClassifierOutput:
        """
        Classifies with a latent object, which `argmax` chooses from `scores`; `logits_of` computes
        the logits from it. `mask` and `allowed` are as in `StructuredArgmaxLayer.forward`.
        """
        if label is None:
            latent = argmax(scores, mask, allowed=allowed)
            return ClassifierOutput(logits_of(latent.value))
        first = FirstOutput[Tensor]()

        def downstream(value: Tensor) -> Tensor:
            logits = logits_of(value)
            first.keep(logits.detach)
            return torch.nn.functional.cross_entropy(logits, label, reduction="none")

        latent = argmax(scores, mask, downstream, allowed)
        losses = latent.losses()
        self._observe(first.output, label)
        return ClassifierOutput(first.output, losses.mean() + argmax.auxiliary_loss(latent, losses))

    def _observe(self, logits: Tensor, label: LongTensor) -> None:
        self._scores(logits.argmax(dim=-1), label)

    def readable_classes(self, output_dict: Dict[str, Any]) -> Dict[str, Any]:
        """
        Returns the `label` of each sentence and the `probabilities` of all classes, computed from
        the `logits`, and the words of each sentence if there is `metadata`.
        """
        names = self.vocab.get_index_to_token_vocabulary(LABELS)
        probabilities = output_dict["logits"].softmax(dim=-1).tolist()
        return {
            **carried_over(output_dict),
            "label": [names[int(index)] for index in output_dict["logits"].argmax(dim=-1)],
            "probabilities": [
                {names[index]: p for index, p in enumerate(row)} for row in probabilities
            ],
        }

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        return self._scores.get_metric(reset)
