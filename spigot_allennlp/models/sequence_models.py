"""
Defines models of long sequences: a class for each step, a class or a number for the whole.

`SequenceModel` encodes tokens or vectors; a subclass reads the encoder's states.
"""

import math
from typing import Any, ClassVar, Dict, List, Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError, check_dimensions_match
from allennlp.common.util import is_distributed
from allennlp.data import DataLoader, Instance, TextFieldTensors, Vocabulary
from allennlp.models import Model
from allennlp.modules import Seq2SeqEncoder, TextFieldEmbedder
from allennlp.nn import InitializerApplicator, RegularizerApplicator
from allennlp.nn.util import get_text_field_mask
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.config_checks import PlainConfigurationError, check_namespace
from spigot_allennlp.metrics.item_mean import ItemMean
from spigot_allennlp.modules.stateful_encoders import is_stateful, stateful_encoders


class SequenceModel(Model):
    """
    Encodes a sequence of tokens or of vectors. A subclass uses the encoding, and lists in
    `metric_names` the metrics that it counts with `observe`.

    # Parameters

    vocab : `Vocabulary`
    encoder : `Seq2SeqEncoder`
        If it is stateful, its state is reset whenever `train` or `eval` is called (at the start of
        each epoch and of each evaluation), and before and after predictions, which do not depend on
        what was predicted before. The data loader must fulfil `check_loader`.
    text_field_embedder : `TextFieldEmbedder`, optional (default = `None`)
        Needed if the data has tokens.
    dropout : `float`, optional (default = `0.0`)
        The dropout of the encoder's output.
    """

    metric_names: ClassVar[Tuple[str, ...]] = ()

    def __init__(
        self,
        vocab: Vocabulary,
        encoder: Seq2SeqEncoder,
        text_field_embedder: Optional[TextFieldEmbedder] = None,
        dropout: float = 0.0,
        regularizer: Optional[RegularizerApplicator] = None,
    ) -> None:
        super().__init__(vocab, regularizer)
        if text_field_embedder is not None:
            check_dimensions_match(
                text_field_embedder.get_output_dim(),
                encoder.get_input_dim(),
                "the output size of the text_field_embedder",
                "the input size of the encoder",
            )
        self.encoder = encoder
        self.text_field_embedder = text_field_embedder
        self._dropout = torch.nn.Dropout(dropout)
        # They exist before the first batch, because a resumed run restores them.
        self._means = {name: ItemMean() for name in self.metric_names}

    def train(self, mode: bool = True) -> "SequenceModel":
        self._reset_encoders()
        return super().train(mode)

    def forward_on_instances(self, instances: List[Instance]) -> List[Dict[str, Any]]:
        """Returns the readable output of each instance, in order; each is a sequence of its own."""
        self._reset_encoders()
        try:
            return super().forward_on_instances(instances)
        finally:
            self._reset_encoders()

    def _reset_encoders(self) -> None:
        for _, encoder in stateful_encoders(self):
            encoder.reset_states()

    def check_loader(self, loader: DataLoader, key: str) -> None:
        """
        Checks that each batch of a loader continues the one before, if the encoder is stateful.
        Errors name the loader by its `key` in the config.

        # Raises

        `ConfigurationError` if the loader shuffles, groups by length or reads in several processes,
        or if its batches are not of as many pieces as its reader has streams.
        """
        # An ELMo among the embedders is stateful, too, and may have its batches in any order.
        if not is_stateful(self.encoder):
            return
        num_streams = getattr(getattr(loader, "reader", None), "num_streams", None)
        processes = torch.distributed.get_world_size() if is_distributed() else 1
        batch_size = getattr(loader, "batch_size", None)
        if getattr(loader, "shuffle", False):
            fault = "shuffle must be false"
        elif getattr(loader, "batch_sampler", None) is not None:
            fault = "it must have a batch_size and no batch_sampler"
        elif getattr(loader, "num_workers", 0) > 1:
            fault = f"num_workers must be 0 or 1 but is {loader.num_workers}"  # type: ignore
        elif num_streams is not None and batch_size is not None:
            if batch_size * processes == num_streams:
                return
            in_each = f" in each of {processes} processes" if processes > 1 else ""
            fault = (
                f"batch_size is {batch_size}{in_each}, but the reader has num_streams {num_streams}"
            )
        else:
            return
        raise PlainConfigurationError(
            f"{key}: {fault}. The encoder is stateful, so each batch must continue the "
            'one before. Or write "stateful": false.'
        )

    def encode(
        self,
        tokens: Optional[TextFieldTensors],
        inputs: Optional[Tensor],
        mask: Optional[BoolTensor],
    ) -> Tuple[Tensor, BoolTensor]:
        """
        Returns the encoded sequences, `(batch_size, length, dim)`, and the mask of their steps,
        `(batch_size, length)`. Encodes `tokens`, or `inputs`, `(batch_size, length, input_size)`,
        where `mask` is True (everywhere without a mask).
        """
        if tokens is not None:
            if self.text_field_embedder is None:
                raise ConfigurationError(
                    "The data has tokens, but the model no text_field_embedder to make vectors of "
                    "them. Give it one."
                )
            inputs, mask = self.text_field_embedder(tokens), get_text_field_mask(tokens)
        if inputs is None:
            raise ConfigurationError(
                "An instance has neither tokens nor inputs. Have the reader give one of them."
            )
        # readers give single precision, whatever the model has
        inputs = inputs.to(next(self.parameters()).dtype)
        if mask is None:
            mask = torch.ones(inputs.shape[:2], dtype=torch.bool, device=inputs.device)
        return self._dropout(self.encoder(inputs, mask)), mask

    def observe(self, **metrics: Tensor) -> None:
        """
        Counts values, one number per item; `get_metrics` returns their means. The names must be in
        `metric_names`.
        """
        for name, values in metrics.items():
            self._means[name](values)

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        means = {name: mean.get_metric(reset) for name, mean in self._means.items()}
        return {name: mean for name, mean in means.items() if mean is not None}


class ClassifyingSequenceModel(SequenceModel):
    """
    A `SequenceModel` whose output layer has one unit per class.

    # Parameters

    label_namespace : `str`, optional (default = `"labels"`)
        See `SequenceModel` for the other parameters.
    """

    metric_names = ("accuracy", "cross_entropy")

    def __init__(
        self,
        vocab: Vocabulary,
        encoder: Seq2SeqEncoder,
        label_namespace: str = "labels",
        text_field_embedder: Optional[TextFieldEmbedder] = None,
        dropout: float = 0.0,
        initializer: InitializerApplicator = InitializerApplicator(),  # noqa: B008 (AllenNLP's idiom)
        regularizer: Optional[RegularizerApplicator] = None,
    ) -> None:
        super().__init__(vocab, encoder, text_field_embedder, dropout, regularizer)
        self._label_namespace = label_namespace
        check_namespace(vocab, label_namespace, "classes")
        num_classes = vocab.get_vocab_size(label_namespace)
        self.output = torch.nn.Linear(encoder.get_output_dim(), num_classes)
        initializer(self)


@Model.register("step_classifier")
class StepClassifier(ClassifyingSequenceModel):
    """
    Assigns each step of a sequence a class, from the steps so far: the next character, say, or a
    symbol to be remembered. The loss is the mean over the steps that are scored.

    `get_metrics` returns, over all steps that are scored, `accuracy`, `cross_entropy` in nats, and
    `bits`, the same in bits (for characters, the bits per character).

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
            Which steps count, `(batch_size, length)`; all by default.
        """
        encoded, mask = self.encode(tokens, inputs, mask)
        logits = self.output(encoded)
        output: Dict[str, Any] = {"logits": logits, "mask": mask}
        if labels is not None:
            counts = mask if scored is None else mask & scored
            scored_logits, gold = logits[counts], labels[counts]
            losses = torch.nn.functional.cross_entropy(scored_logits, gold, reduction="none")
            output["loss"] = losses.sum() / max(len(losses), 1)
            self.observe(accuracy=scored_logits.argmax(dim=-1) == gold, cross_entropy=losses)
        return output

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        means = super().get_metrics(reset)
        if means:
            means["bits"] = means["cross_entropy"] / math.log(2)
        return means

    def make_output_human_readable(self, output_dict: Dict[str, Any]) -> Dict[str, Any]:
        """Adds `labels`, the best class of each unmasked step."""
        names = self.vocab.get_index_to_token_vocabulary(self._label_namespace)
        best, mask = output_dict["logits"].argmax(dim=-1), output_dict["mask"]
        labels = [
            [names[index] for index in row[steps].tolist()]
            for row, steps in zip(best, mask, strict=True)
        ]
        return {**output_dict, "labels": labels}


@Model.register("sequence_classifier")
class SequenceClassifier(ClassifyingSequenceModel):
    """
    Assigns a sequence a class, at its last step: the encoder has to carry all information there.

    `get_metrics` returns `accuracy` and `cross_entropy`, in nats.

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
        """Adds `label`, the best class."""
        names = self.vocab.get_index_to_token_vocabulary(self._label_namespace)
        best = output_dict["logits"].argmax(dim=-1).tolist()
        return {**output_dict, "label": [names[index] for index in best]}


@Model.register("sequence_regressor")
class SequenceRegressor(SequenceModel):
    """
    Assigns a sequence a number, at its last step. `get_metrics` returns the `mean_squared_error`,
    which is also the loss.

    Registered as a `Model` with name "sequence_regressor". See `SequenceModel` for the parameters.
    """

    metric_names = ("mean_squared_error",)

    def __init__(
        self,
        vocab: Vocabulary,
        encoder: Seq2SeqEncoder,
        text_field_embedder: Optional[TextFieldEmbedder] = None,
        dropout: float = 0.0,
        initializer: InitializerApplicator = InitializerApplicator(),  # noqa: B008 (AllenNLP's idiom)
        regularizer: Optional[RegularizerApplicator] = None,
    ) -> None:
        super().__init__(vocab, encoder, text_field_embedder, dropout, regularizer)
        self.output = torch.nn.Linear(encoder.get_output_dim(), 1)
        initializer(self)

    def forward(  # type: ignore[override]
        self,
        tokens: Optional[TextFieldTensors] = None,
        value: Optional[Tensor] = None,
        inputs: Optional[Tensor] = None,
        mask: Optional[BoolTensor] = None,
    ) -> Dict[str, Any]:
        """
        # Parameters

        tokens, inputs, mask
            See `SequenceModel.encode`.
        value : `Tensor`, optional
            Shape `(batch_size,)` or `(batch_size, 1)`.
        """
        values = self.output(last_step(*self.encode(tokens, inputs, mask))).squeeze(-1)
        output: Dict[str, Any] = {"value": values}
        if value is not None:
            errors = (values - value.view_as(values)) ** 2
            output["loss"] = errors.mean()
            self.observe(mean_squared_error=errors)
        return output


def last_step(encoded: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns the vector of the last unmasked step of each sequence, `(batch_size, dim)`; zeros for a
    sequence without any.
    """
    if not mask.size(1):
        return encoded.new_zeros(len(encoded), encoded.size(2))
    steps = torch.arange(mask.size(1), device=mask.device)
    last = torch.where(mask, steps, 0).amax(dim=1)
    of_last = encoded[torch.arange(len(encoded), device=encoded.device), last]
    return of_last * mask.any(dim=1, keepdim=True)
