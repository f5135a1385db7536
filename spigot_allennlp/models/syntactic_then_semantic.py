"""Puts a dependency tree in the middle of a semantic parser."""

from contextlib import nullcontext
from typing import Any, Dict, List, Optional, Tuple

from allennlp.common.checks import ConfigurationError
from allennlp.data import TextFieldTensors, Vocabulary
from allennlp.models import Model
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.config_checks import check_least
from spigot_allennlp.layers.structured_argmax_layer import FirstOutput, StructuredArgmaxLayer
from spigot_allennlp.models.parsing_model import (
    GoldLosses,
    ParsingModel,
    summed_penalties,
    warn_of_two_structures,
    without_dropout,
)
from spigot_allennlp.models.pruner import prune
from spigot_allennlp.models.semantic_parser import NO_ARC, SemanticParser, gold_labels
from spigot_allennlp.models.syntactic_parser import SyntacticParser


@Model.register("syntactic_then_semantic")
class SyntacticThenSemantic(ParsingModel):
    """
    A syntactic parser's tree is an input of a semantic parser, and the semantic loss reaches the
    syntactic parser through the tree, by the estimator of `argmax`
    ([Peng et al., 2018](https://aclanthology.org/P18-1173), section 4). The two share nothing else.

    A batch of sentences with trees trains the syntactic parser, a batch with graphs trains the
    semantic parser (and, through the tree, the syntactic one), and a batch with both does both.

    Registered as a `Model` with name "syntactic_then_semantic".

    # Parameters

    vocab : `Vocabulary`
    syntactic_parser : `Model`
        A "syntactic_parser", or "pretrained" to start from a trained one. To freeze it, list its
        parameters in the trainer's `no_grad`.
    semantic_parser : `Model`
        A "semantic_parser" with an `arc_encoder`.
    argmax : `StructuredArgmaxLayer`
        Its estimator is what an ablation varies. Its structure should be that of the syntactic
        parser, whose trees are shown and scored; if they differ, a warning says so.
    syntactic_loss_weight : `float`, optional (default = `1.0`)
        The weight of the syntactic parser's own loss in batches that have trees.
    dropout_in_tree : `bool`, optional (default = `False`)
        Whether the syntactic parser's dropout (including word dropout) is on while it computes the
        tree for the semantic parser. In the original code it is off.
    """

    # A batch has trees, or graphs, or both: in distributed training, see `compat/pytorch.py`.
    leaves_parameters_unused = True

    def __init__(
        self,
        vocab: Vocabulary,
        syntactic_parser: Model,
        semantic_parser: Model,
        argmax: StructuredArgmaxLayer,
        syntactic_loss_weight: float = 1.0,
        dropout_in_tree: bool = False,
    ) -> None:
        super().__init__(vocab)
        check_least(0, syntactic_loss_weight=syntactic_loss_weight)
        argmax.check_dimensions(("dependent", "head"), "syntactic_then_semantic")
        _check_parts(syntactic_parser, semantic_parser)
        warn_of_two_structures(argmax.structure, syntactic_parser.structure, "syntactic_parser")
        self.syntactic_parser = syntactic_parser
        self.semantic_parser = semantic_parser
        self.argmax = argmax
        self._syntactic_loss_weight = syntactic_loss_weight
        self._dropout_in_tree = dropout_in_tree

    def forward(  # type: ignore[override]
        self,
        tokens: TextFieldTensors,
        heads: Optional[LongTensor] = None,
        relations: Optional[LongTensor] = None,
        graph: Optional[LongTensor] = None,
        tops: Optional[LongTensor] = None,
        metadata: Optional[List[Dict[str, Any]]] = None,
        **other_layers: Any,
    ) -> Dict[str, Any]:
        """Parameters as in `SyntacticParser.forward` and `SemanticParser.forward`."""
        losses: List[Tensor] = []
        output: Dict[str, Any] = {"metadata": metadata}
        arc_scores = None
        if heads is not None or not self.training:
            syntax = self.syntactic_parser(tokens, heads, relations, metadata)
            output.update(mask=syntax["mask"], heads=syntax["heads"])
            for name in ("relations", "head_probabilities"):
                if name in syntax:
                    output[name] = syntax[name]
            if "loss" in syntax:
                losses.append(self._syntactic_loss_weight * syntax["loss"])
            if self._dropout_in_tree or not self.training:
                # The semantic parser reads the tree that is shown, even one of minimum risk, unless
                # it does not read a single tree at all.
                reads_tree = not (self.training or self.argmax.estimator.relaxed)
                arc_scores = syntax["decoding_scores" if reads_tree else "arc_scores"]
        if graph is not None or not self.training:
            if arc_scores is None:
                arc_scores = self._arc_scores(tokens)
            semantics, loss = self._semantics(tokens, arc_scores, graph, tops, metadata)
            if loss is not None:
                losses.append(loss)
            output.update(mask=semantics["mask"], graph=semantics["graph"])
            if "arc_probabilities" in semantics:
                output["arc_probabilities"] = semantics["arc_probabilities"]
        if losses:
            output["loss"] = sum(losses)
        return output

    def _semantics(
        self,
        tokens: TextFieldTensors,
        arc_scores: Tensor,
        graph: Optional[LongTensor],
        tops: Optional[LongTensor],
        metadata: Optional[List[Dict[str, Any]]],
    ) -> Tuple[Dict[str, Any], Optional[Tensor]]:
        """
        Returns the output of the semantic parser, and its loss; `None` if there is no gold graph.
        """
        parser = self.semantic_parser
        states, mask = parser.encoder(tokens)
        candidates = parser.candidates(tokens)
        if graph is None:
            arcs = self.argmax(arc_scores, mask).value
            return parser.parse(states, mask, metadata, arcs, candidates), None
        labels = gold_labels(graph, tops)
        of_loss = parser.candidates_of_loss(candidates, labels != NO_ARC)
        first = FirstOutput[Tuple[Dict[str, Any], BoolTensor]]()

        def downstream(arcs: Tensor) -> Tensor:
            scores = parser.scores(states, mask, arcs)
            gold = parser.losses(prune(scores, of_loss), mask, labels, metadata)
            first.keep(
                lambda: (
                    parser.decode(prune(scores.detach(), candidates), mask, metadata),
                    gold.counted,
                )
            )
            return gold.losses

        latent = self.argmax(arc_scores, mask, downstream)
        losses = latent.losses()
        output, counted = first.output
        parser.observe(output, mask, labels, counted)
        loss = GoldLosses(losses, counted).mean() + self.argmax.auxiliary_loss(latent, losses)
        return output, loss

    def _arc_scores(self, tokens: TextFieldTensors) -> Tensor:
        """Returns the syntactic parser's scores, shape `(batch_size, dependent, head)`."""
        with nullcontext() if self._dropout_in_tree else without_dropout(self.syntactic_parser):
            parser = self.syntactic_parser
            return prune(parser.arc_scores(*parser.encoder(tokens)), parser.candidates(tokens))

    def make_output_human_readable(self, output_dict: Dict[str, Any]) -> Dict[str, Any]:
        """Returns the readable forms of both the tree and the graph."""
        readable = self.semantic_parser.make_output_human_readable(output_dict)
        return {**self.syntactic_parser.make_output_human_readable(output_dict), **readable}

    def get_regularization_penalty(self) -> Optional[Tensor]:
        """Returns the sum of the penalties of both parsers' `regularizer`s."""
        parsers = (self.syntactic_parser, self.semantic_parser)
        return summed_penalties(*(parser.get_regularization_penalty() for parser in parsers))

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        """Returns the metrics of the semantic and the syntactic parser."""
        return {
            **self.semantic_parser.get_metrics(reset),
            **self.syntactic_parser.get_metrics(reset),
        }


def _check_parts(syntactic_parser: Model, semantic_parser: Model) -> None:
    if not isinstance(syntactic_parser, SyntacticParser):
        raise ConfigurationError(
            "syntactic_parser must be a 'syntactic_parser' but is a "
            f"{type(syntactic_parser).__name__}."
        )
    if not isinstance(semantic_parser, SemanticParser):
        raise ConfigurationError(
            "semantic_parser must be a 'semantic_parser' but is a "
            f"{type(semantic_parser).__name__}."
        )
    if semantic_parser.tree is not None:
        raise ConfigurationError(
            "The semantic_parser of 'syntactic_then_semantic' has a tree of its own. Leave "
            "semantic_parser.tree out, or train the model 'semantic_parser' alone."
        )
    if semantic_parser.arc_encoder is None:
        raise ConfigurationError(
            "The semantic_parser of 'syntactic_then_semantic' has no arc_encoder, so that the tree "
            "could not reach it. Add arc_encoder: {} to it, or train the model 'semantic_parser' "
            "alone."
        )
