"""Puts a semantic graph in the middle of a sentence classifier."""

import copy
from contextlib import nullcontext
from functools import partial
from typing import Any, Dict, List, Optional

import torch
from allennlp.common import Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.data import TextFieldTensors, Vocabulary
from allennlp.models import Model
from allennlp.nn import InitializerApplicator, RegularizerApplicator
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.config_checks import check_interval, check_least
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.metrics.graph_difference import GraphDifference
from spigot_allennlp.models.classification_model import ClassificationModel, ClassifierOutput
from spigot_allennlp.models.parsing_model import (
    summed_penalties,
    warn_of_two_structures,
    without_dropout,
)
from spigot_allennlp.models.pruner import prune
from spigot_allennlp.models.semantic_parser import ROLES, SemanticParser
from spigot_allennlp.modules.graph_encoder import GraphEncoder
from spigot_allennlp.modules.sentence_classifier import SentenceClassifier
from spigot_allennlp.modules.sentence_encoder import SentenceEncoder
from spigot_allennlp.nn.arcs import predicate_parts


@Model.register("semantic_then_sentiment")
class SemanticThenSentiment(ClassificationModel):
    """
    A semantic parser's graph is the input of a sentence classifier, and the classifier's loss
    reaches the parser through the graph, by the estimator of `argmax`
    ([Peng et al., 2018](https://aclanthology.org/P18-1173)). The two share nothing else.

    A batch of sentences with labels trains the classifier (and, through the graph, the parser), a
    batch with graphs trains the parser, and a batch with both does both. Without `parser`, `argmax`
    and `graph_encoder` the model is the baseline that sees no graph.

    Besides the metrics of the classes, `get_metrics` returns those of the parser and, in
    evaluation, `arcs_changed`: how many arcs of the sentences with labels differ from those of the
    parser before joint training; see `GraphDifference`. For this the model keeps a frozen copy of
    that parser.

    Registered as a `Model` with name "semantic_then_sentiment".

    # Parameters

    vocab : `Vocabulary`
    encoder : `SentenceEncoder`
        The encoder of the classifier.
    classifier : `Lazy[SentenceClassifier]`
    parser : `Model`, optional (default = `None`)
        A "semantic_parser" without `arc_encoder`, usually one that is already trained:
        "pretrained".
    argmax : `StructuredArgmaxLayer`, optional (default = `None`)
        Its estimator is what an ablation varies. Its structure should be that of the parser, whose
        graphs are shown and scored. If the two differ, a warning says so; if only one of them has
        predicates ("predicate_graph"), it is refused.
    graph_encoder : `Lazy[GraphEncoder]`, optional (default = `None`)
    min_probability : `float`, optional (default = `0.0`)
        Labelled arcs that are less probable than this under the parser before joint training are
        not candidates: they are never chosen, and no gradient reaches them. The original code also
        prunes, but with another parser. Without pruning, most arcs that the estimators change make
        no sense.
    parsing_loss_weight : `float`, optional (default = `1.0`)
        The weight of the parser's own loss in batches that have graphs.
    dropout_in_graph : `bool`, optional (default = `False`)
        Whether the parser's dropout (including word dropout) is on while it computes the graph for
        the classifier. In the original code it is off.
    """

    default_predictor = "sentiment"

    def __init__(
        self,
        vocab: Vocabulary,
        encoder: SentenceEncoder,
        classifier: Lazy[SentenceClassifier],
        parser: Optional[Model] = None,
        argmax: Optional[StructuredArgmaxLayer] = None,
        graph_encoder: Optional[Lazy[GraphEncoder]] = None,
        min_probability: float = 0.0,
        parsing_loss_weight: float = 1.0,
        dropout_in_graph: bool = False,
        initializer: InitializerApplicator = InitializerApplicator(),  # noqa: B008 (AllenNLP's idiom)
        regularizer: Optional[RegularizerApplicator] = None,
    ) -> None:
        super().__init__(vocab, regularizer)
        check_least(0, parsing_loss_weight=parsing_loss_weight)
        if argmax is not None:
            argmax.check_dimensions(("dependent", "head", "label"), "semantic_then_sentiment")
        _check_parts(parser, argmax, graph_encoder)
        self.encoder = encoder
        self.argmax = argmax
        # Archives hold the reference's weights under the name `_original`.
        self.graph_encoder = self.parser = self._original = None
        dim = encoder.get_output_dim()
        if graph_encoder is not None:
            self.graph_encoder = graph_encoder.construct(
                input_dim=dim, num_labels=vocab.get_vocab_size(ROLES)
            )
            dim = self.graph_encoder.output_dim
        self.classifier = classifier.construct(input_dim=dim, num_classes=self.num_classes)
        # A batch has labels, or graphs, or both: in distributed training, see `compat/pytorch.py`.
        self.leaves_parameters_unused = parser is not None
        self._parsing_loss_weight = parsing_loss_weight
        self._dropout_in_graph = dropout_in_graph
        self._change = GraphDifference()
        # The parser has its own weights, which this initializer must not touch.
        initializer(self)
        if isinstance(parser, SemanticParser):
            self.parser = parser
            self._original = ReferenceParser(parser, min_probability)

    def forward(  # type: ignore[override]
        self,
        tokens: TextFieldTensors,
        label: Optional[LongTensor] = None,
        graph: Optional[LongTensor] = None,
        tops: Optional[LongTensor] = None,
        metadata: Optional[List[Dict[str, Any]]] = None,
        **other_layers: Any,
    ) -> Dict[str, Any]:
        """
        # Parameters

        tokens : `TextFieldTensors`
        label : `LongTensor`, optional
            Shape `(batch_size,)`: the class of each sentence.
        graph, tops, metadata, other_layers
            As in `SemanticParser.forward`.
        """
        losses: List[Tensor] = []
        output: Dict[str, Any] = {"metadata": metadata}
        scores = None
        if graph is not None and self.parser is not None:
            parser_states, parser_mask = self.parser.encoder(tokens)
            candidates = self.parser.candidates(tokens)
            scores = self.parser.scores(parser_states, parser_mask)
            parsed = self.parser.learn(scores, parser_mask, graph, tops, metadata, candidates)
            scores = prune(scores, candidates)
            losses.append(self._parsing_loss_weight * parsed["loss"])
        if label is not None or not self.training:
            states, mask = self.encoder(tokens)
            if self.parser is None:
                classified = self.classify(self._logits(states, mask), label)
            else:
                if scores is None or self.training:
                    # Dropout is on or off here as for any graph that the classifier gets.
                    scores = self._graph_scores(self.parser, tokens)
                classified = self._classify_with_graph(tokens, scores, states, mask, label, output)
            output["logits"] = classified.logits
            if classified.loss is not None:
                losses.append(classified.loss)
        if losses:
            output["loss"] = sum(losses)
        return output

    def _classify_with_graph(
        self,
        tokens: TextFieldTensors,
        scores: Tensor,
        states: Tensor,
        mask: BoolTensor,
        label: Optional[LongTensor],
        output: Dict[str, Any],
    ) -> ClassifierOutput:
        """Classifies with the parser's graph, and in evaluation puts the graph into `output`."""
        assert self.parser is not None and self._original is not None and self.argmax is not None
        allowed = self.parser.meant_labels(scores.size(-1), scores)
        compared = label is not None and not self.training
        if compared or self._original.prunes:
            reference = self._original(tokens)
            allowed = allowed & self._original.candidates(reference, mask)
        if not self.training:
            output.update(self.parser.decode(scores, mask, output["metadata"], allowed))
        if compared:
            before = self.parser.decode(reference, mask, None, allowed)
            self._change(output["graph"], before["graph"], mask)
        logits_of = partial(self._logits, states, mask)
        return self.classify_through(self.argmax, scores, mask, logits_of, label, allowed)

    def _logits(self, states: Tensor, mask: BoolTensor, arcs: Optional[Tensor] = None) -> Tensor:
        """Scores the classes; the state of the root, a constant, is not pooled."""
        if self.graph_encoder is not None:
            if arcs is not None and self.argmax and self.argmax.structure.has_predicates:
                arcs = arcs.masked_fill(predicate_parts(arcs.shape, arcs.device), 0)
            states = self.graph_encoder(states, arcs)
        return self.classifier(states[:, 1:], mask[:, 1:])

    def _graph_scores(self, parser: SemanticParser, tokens: TextFieldTensors) -> Tensor:
        """Returns the parser's scores, shape `(batch_size, argument, predicate, label)`."""
        with nullcontext() if self._dropout_in_graph else without_dropout(parser):
            return prune(parser.scores(*parser.encoder(tokens)), parser.candidates(tokens))

    def make_output_human_readable(self, output_dict: Dict[str, Any]) -> Dict[str, Any]:
        """Returns `label`, `probabilities`, and the parser's readable form of the graph."""
        readable = self.readable_classes(output_dict)
        if self.parser is not None:
            readable.update(self.parser.make_output_human_readable(output_dict))
        return readable

    def get_regularization_penalty(self) -> Optional[Tensor]:
        """Returns the sum of the penalties of this model's `regularizer` and the parser's."""
        penalty = super().get_regularization_penalty()
        if self.parser is None:
            return penalty
        return summed_penalties(penalty, self.parser.get_regularization_penalty())

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        metrics = {**super().get_metrics(reset), **self._change.get_metric(reset)}
        if self.parser is not None:
            metrics.update(self.parser.get_metrics(reset))
        return metrics


def _check_parts(
    parser: Optional[Model],
    argmax: Optional[StructuredArgmaxLayer],
    graph_encoder: Optional[Lazy[GraphEncoder]],
) -> None:
    if parser is not None and not isinstance(parser, SemanticParser):
        kind = type(parser).__name__
        raise ConfigurationError(f"parser must be a 'semantic_parser' but is a {kind}.")
    for name, part in (("argmax", argmax), ("graph_encoder", graph_encoder)):
        if (parser is None) != (part is None):
            raise ConfigurationError(
                f"parser is {'missing' if parser is None else 'there'}, but {name} is "
                f"{'missing' if part is None else 'there'}. Give parser, argmax and graph_encoder, "
                "or, for a classifier that sees no graph, none of them."
            )
    if parser is None or argmax is None:
        return
    if parser.arc_encoder is not None:
        raise ConfigurationError(
            "The parser of 'semantic_then_sentiment' has an arc_encoder, which needs the arcs of "
            "another layer, but nothing hands them in. Train a semantic_parser without arc_encoder "
            "and tree for it, as semantic_parser/raw_text.jsonnet does."
        )
    if parser.structure.has_predicates != argmax.structure.has_predicates:
        structures = type(parser.structure).__name__, type(argmax.structure).__name__
        raise ConfigurationError(
            "Either the structures of parser and argmax have predicates, or neither has, but they "
            f"are {structures[0]} and {structures[1]}. Give argmax the structure of the parser."
        )
    warn_of_two_structures(argmax.structure, parser.structure, "parser")


class ReferenceParser(torch.nn.Module):
    """
    A frozen copy of a semantic parser as it was before joint training, always without dropout. The
    arcs of joint training are compared with its arcs, and its probabilities determine which arcs
    are candidates.

    # Parameters

    parser : `SemanticParser`
    min_probability : `float`
        The smallest probability of a candidate, a labelled arc, under the copy's distribution of
        graphs.
    """

    def __init__(self, parser: SemanticParser, min_probability: float) -> None:
        super().__init__()
        check_interval("[0, 1)", min_probability=min_probability)
        if min_probability and not parser.structure.provides("log_partition"):
            raise ConfigurationError(
                f"min_probability is {min_probability}, but the parser's structure has no "
                "probabilities (it does not provide log_partition; deterministic_roles take it "
                "away). Set it to 0."
            )
        self._parser = copy.deepcopy(parser).requires_grad_(False)
        self._min_probability = min_probability

    @property
    def prunes(self) -> bool:
        """Returns whether some arcs may be excluded as candidates."""
        return self._min_probability > 0

    @torch.no_grad()
    def forward(self, tokens: TextFieldTensors) -> Tensor:
        """Returns the scores, shape `(batch_size, argument, predicate, label)`."""
        with without_dropout(self._parser):
            scores = self._parser.scores(*self._parser.encoder(tokens))
            return prune(scores, self._parser.candidates(tokens))

    def candidates(self, scores: Tensor, mask: BoolTensor) -> BoolTensor:
        """Returns which labelled arcs are probable enough under `scores`, in their shape."""
        structure = self._parser.structure
        part_mask = structure.part_mask(mask, scores.shape)
        if not self.prunes:
            return part_mask
        return structure.marginals(scores, part_mask) >= self._min_probability
