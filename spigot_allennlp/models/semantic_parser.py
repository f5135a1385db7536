"""Defines a semantic dependency parser, which scores labelled arcs one by one."""

from typing import Any, Dict, List, Optional, Tuple

import torch
from allennlp.common import Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.data import TextFieldTensors, Vocabulary
from allennlp.models import Model
from allennlp.nn import InitializerApplicator, RegularizerApplicator
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.config_checks import check_namespace
from spigot_allennlp.metrics.semantic_f1 import SemanticF1
from spigot_allennlp.models.parsing_model import (
    UNKNOWN,
    Decoding,
    GoldLosses,
    StructuredParser,
    carried_over,
)
from spigot_allennlp.models.pruner import Pruner, prune
from spigot_allennlp.modules.given_tree import GivenTree
from spigot_allennlp.modules.graph_encoder import ArcEncoder
from spigot_allennlp.modules.pair_scorer import PairScorer
from spigot_allennlp.modules.sentence_encoder import SentenceEncoder
from spigot_allennlp.modules.structured_loss import StructuredLoss
from spigot_allennlp.modules.token_scorer import TokenScorer
from spigot_allennlp.nn.arcs import predicate_parts
from spigot_allennlp.structures.structure import IndependentArcs, Structure

ROLES = "semantic_roles"
# The label of the arcs from the root. As a vocabulary index it is padding, so no role has it.
TOP = 0
NO_ARC = -1


@Model.register("semantic_parser")
class SemanticParser(StructuredParser):
    """
    Scores every labelled arc from the vectors of its two tokens, as the sum of a score of the arc
    and a score of the label, and chooses the best graph. Tops are arcs from the root. With an
    `arc_encoder` it also uses the arcs of another layer (a syntactic tree), which a larger model
    passes in.

    Registered as a `Model` with name "semantic_parser".

    # Parameters

    vocab : `Vocabulary`
    encoder : `SentenceEncoder`
    arc_scorer : `Lazy[PairScorer]`
    label_scorer : `Lazy[PairScorer]`
    structure : `Structure`
        The family of graphs: "semantic_graph", or "predicate_graph" with a `predicate_scorer`.
    loss : `StructuredLoss`
        "hinge" (the original's costs are 0.4 for a false positive and 0.6 for a false negative) or
        "log_likelihood".
    arc_encoder : `Lazy[ArcEncoder]`, optional (default = `None`)
        For models that use the arcs of another layer.
    tree : `GivenTree`, optional (default = `None`)
        Where these arcs come from if no larger model passes them in: "gold" or "neighbour". Needs
        an `arc_encoder`.
    predicate_scorer : `Lazy[TokenScorer]`, optional (default = `None`)
        Scores the predicates of a "predicate_graph".
    pruner : `Pruner`, optional (default = `None`)
        Selects which arcs are candidates: "arguments". In training, gold arcs always are. The
        metric `gold_arcs_pruned` is the share of gold arcs that the pruner removes. In evaluation,
        a gold graph with pruned arcs counts among the `graphs_outside_structure`.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        encoder: SentenceEncoder,
        arc_scorer: Lazy[PairScorer],
        label_scorer: Lazy[PairScorer],
        structure: Structure,
        loss: StructuredLoss,
        arc_encoder: Optional[Lazy[ArcEncoder]] = None,
        tree: Optional[GivenTree] = None,
        predicate_scorer: Optional[Lazy[TokenScorer]] = None,
        pruner: Optional[Pruner] = None,
        initializer: InitializerApplicator = InitializerApplicator(),  # noqa: B008 (AllenNLP's idiom)
        regularizer: Optional[RegularizerApplicator] = None,
    ) -> None:
        parts = ("dependent", "head", "label")
        structure.check_dimensions(parts, "A 'semantic_parser'", "structure")
        super().__init__(vocab, encoder, structure, loss, "graphs_outside_structure", regularizer)
        self.arc_encoder = None
        dim = encoder.get_output_dim()
        if arc_encoder is not None:
            self.arc_encoder = arc_encoder.construct(input_dim=dim)
            dim = self.arc_encoder.output_dim
        check_namespace(vocab, ROLES, "roles of a graph")
        num_labels = vocab.get_vocab_size(ROLES)
        if tree is not None and arc_encoder is None:
            raise ConfigurationError(
                "The tree of a semantic_parser enters by an arc_encoder, which is missing. Set "
                "arc_encoder: {}, or leave tree out."
            )
        self.tree = tree
        self._arc_scorer = arc_scorer.construct(input_dim=dim, num_outputs=1)
        self._label_scorer = label_scorer.construct(input_dim=dim, num_outputs=num_labels)
        if structure.has_predicates != (predicate_scorer is not None):
            raise ConfigurationError(
                f"The structure {type(structure).__name__} of this semantic_parser has "
                f"{'predicates' if structure.has_predicates else 'no predicates'}, but its "
                f"predicate_scorer is {'missing' if predicate_scorer is None else 'there'}. Give a "
                "structure 'predicate_graph' and a predicate_scorer, or neither of them."
            )
        self._predicate_scorer = None
        if predicate_scorer is not None:
            self._predicate_scorer = predicate_scorer.construct(input_dim=dim)
        self._f1 = SemanticF1()
        initializer(self)
        self.pruner = pruner

    @property
    def scored_namespaces(self) -> Tuple[str, ...]:
        return (ROLES,)

    def forward(  # type: ignore[override]
        self,
        tokens: TextFieldTensors,
        graph: Optional[LongTensor] = None,
        tops: Optional[LongTensor] = None,
        metadata: Optional[List[Dict[str, Any]]] = None,
        heads: Optional[LongTensor] = None,
        **other_layers: Any,
    ) -> Dict[str, Any]:
        """
        # Parameters

        tokens : `TextFieldTensors`
        graph : `LongTensor`, optional
            Shape `(batch_size, argument, predicate)`: the role of each arc, -1 where there is none.
        tops : `LongTensor`, optional
            Shape `(batch_size, length)`: 1 on the tops of the graph.
        metadata : `List[Dict[str, Any]]`, optional
        heads : `LongTensor`, optional
            Shape `(batch_size, length)`: the gold tree, which `tree` may use.
        other_layers
            Other annotation of the sentences (relations, a label); ignored.
        """
        if self.arc_encoder is not None and self.tree is None:
            raise ConfigurationError(
                "A semantic_parser with an arc_encoder needs the arcs of another layer, which a "
                "larger model hands in. Leave arc_encoder out, say by tree where they come from, "
                "or put the parser into the model 'syntactic_then_semantic'."
            )
        states, mask = self.encoder(tokens)
        arcs = None if self.tree is None else self.tree(mask, heads)
        candidates = self.candidates(tokens)
        if graph is None:
            return self.parse(states, mask, metadata, arcs, candidates)
        return self.learn(self.scores(states, mask, arcs), mask, graph, tops, metadata, candidates)

    def parse(
        self,
        states: Tensor,
        mask: BoolTensor,
        metadata: Optional[List[Dict[str, Any]]],
        arcs: Optional[Tensor] = None,
        candidates: Optional[BoolTensor] = None,
    ) -> Dict[str, Any]:
        """
        Returns the best graph, as `decode` does. States, mask and arcs are those of `scores`. If
        there are `candidates`, `(batch_size, 1 + length, 1 + length)`, the graph has no other arcs.
        If the structure chooses each arc independently, only the best label scores are kept.

        # Raises

        `ArithmeticError` if a score is not finite, where this is checked.
        """
        legal = self.structure.independent_arcs(mask, self._label_scorer.num_outputs)
        if legal is None or self.decoding != Decoding():
            return self.decode(prune(self.scores(states, mask, arcs), candidates), mask, metadata)
        if self.arc_encoder is not None:
            states = self.arc_encoder(states, arcs)
        with torch.no_grad():
            labels = legal.labels & self.meant_labels(self._label_scorer.num_outputs, mask)
            best = self._label_scorer.best_outputs(states, labels, mask)
            scores = self._arc_scorer(states, mask).squeeze(-1) + best.scores
        has_label = labels.any(dim=-1)
        possible = legal.arcs & has_label
        if candidates is not None:
            possible &= candidates
        if not (scores.isfinite() | ~possible).all():
            raise ArithmeticError("the scores of arcs and labels are not finite")
        graph = best.outputs.masked_fill(~possible | (scores <= 0), NO_ARC)
        return {"graph": graph, "mask": mask[:, 1:], "metadata": metadata}

    def learn(
        self,
        scores: Tensor,
        mask: BoolTensor,
        graph: LongTensor,
        tops: Optional[LongTensor],
        metadata: Optional[List[Dict[str, Any]]],
        candidates: Optional[BoolTensor] = None,
    ) -> Dict[str, Any]:
        """
        Returns the best graph, as `decode` does, and the `loss` of the gold graphs that are in the
        structure. Updates the metrics.

        # Parameters

        scores : `Tensor`
            What `scores` returns, without pruning.
        mask : `BoolTensor`
            Shape `(batch_size, 1 + length)`.
        graph, tops, metadata
            See `forward`.
        candidates : `BoolTensor`, optional
            The arcs that the pruner keeps, `(batch_size, 1 + length, 1 + length)`; all by default.
        """
        output = self.decode(prune(scores, candidates), mask, metadata)
        labels = gold_labels(graph, tops)
        of_loss = self.candidates_of_loss(candidates, labels != NO_ARC)
        gold = self.losses(prune(scores, of_loss), mask, labels, metadata)
        output["loss"] = gold.mean()
        self.observe(output, mask, labels, gold.counted)
        return output

    @torch.no_grad()
    def arc_posteriors(self, tokens: TextFieldTensors) -> Tensor:
        """
        Returns the probability of each arc, whatever its label, shape
        `(batch_size, dependent, head)`.
        """
        states, mask = self.encoder(tokens)
        scores = prune(self.scores(states, mask), self.candidates(tokens))
        part_mask = self.structure.part_mask(mask, scores.shape)
        labelled = self.structure.marginals(scores, part_mask)
        return self.structure.without_predicates(labelled).sum(dim=-1)

    def scores(self, states: Tensor, mask: BoolTensor, arcs: Optional[Tensor] = None) -> Tensor:
        """
        Returns scores `(batch_size, argument, predicate, label)`, from states of shape
        `(batch_size, 1 + length, dim)`, a mask of shape `(batch_size, 1 + length)` and, with an arc
        encoder, the arcs of another layer, of shape `(batch_size, 1 + length, 1 + length)`.
        Predicates score at `predicate_parts`.
        """
        if self.arc_encoder is not None:
            states = self.arc_encoder(states, arcs)
        scores = self._arc_scorer(states, mask) + self._label_scorer(states, mask)
        if self._predicate_scorer is None:
            return scores
        predicates = predicate_parts(scores.shape, scores.device)
        return torch.where(predicates, self._predicate_scorer(states)[:, None, :, None], scores)

    def losses(
        self,
        scores: Tensor,
        mask: BoolTensor,
        labels: LongTensor,
        metadata: Optional[List[Dict[str, Any]]] = None,
    ) -> GoldLosses:
        """
        Returns the loss of each sentence against gold labels of shape
        `(batch_size, argument, predicate)`. With a pruner, arcs that score minus infinity are
        outside the structure.

        # Raises

        `ConfigurationError` in training if a gold graph is not in the structure; see
        `StructuredLoss`.
        """
        # A role added to the vocabulary after this parser was trained is unknown to it.
        known = labels.masked_fill(labels >= scores.size(-1), UNKNOWN)
        is_arc = (known != NO_ARC) & mask.unsqueeze(1) & mask.unsqueeze(2)
        legal = self.structure.independent_arcs(mask, scores.size(-1))
        if legal is not None:
            if self.pruner is not None:
                is_candidate = (scores != -torch.inf).any(dim=-1)
                legal = IndependentArcs(legal.arcs & is_candidate, legal.labels)
            graphs = known.masked_fill(~is_arc, NO_ARC)
            likelihood = self._loss.of_independent_arcs(scores, legal, graphs)
            if likelihood is not None:
                self._loss.check_contained(self.structure, likelihood.is_legal, metadata)
                losses = likelihood.losses.masked_fill(~likelihood.is_legal, 0)
                return GoldLosses(losses, likelihood.is_legal)
        part_mask = self.structure.part_mask(mask, scores.shape)
        if self.pruner is not None:
            part_mask = part_mask & (scores != -torch.inf)
        gold = torch.zeros_like(scores).scatter_(
            -1, known.clamp(min=0).unsqueeze(-1), is_arc.unsqueeze(-1).to(scores.dtype)
        )
        if self.structure.has_predicates:
            is_predicate = is_arc.any(dim=1)[:, None, :, None].to(gold.dtype)
            predicates = predicate_parts(gold.shape, gold.device)
            gold = torch.where(predicates, is_predicate, gold)
        return self.gold_losses(scores, part_mask, gold, metadata)

    def decode(
        self,
        scores: Tensor,
        mask: BoolTensor,
        metadata: Optional[List[Dict[str, Any]]],
        allowed: Optional[BoolTensor] = None,
    ) -> Dict[str, Any]:
        """
        Returns the best graph: `graph`, of shape `(batch_size, 1 + length, 1 + length)`, has the
        label of each arc, -1 where there is no arc. By default the labels of `meant_labels` are
        `allowed`. In evaluation, arcs may be chosen by their probabilities, and these may be in
        `arc_probabilities`, of the same shape; see `Decoding`.
        """
        output = self._best_graph(scores, mask, metadata, allowed)
        probabilities, threshold, _ = self.decoding
        if self.training or not (probabilities or threshold is not None):
            return output
        part_mask = self.structure.part_mask(mask, scores.shape)
        part_mask = part_mask & self.meant_labels(scores.size(-1), scores)
        if allowed is not None:
            part_mask = part_mask & allowed
        marginals = self.structure.marginals(scores.detach(), part_mask)
        marginals = self.structure.without_predicates(marginals)
        if threshold is not None:
            best = marginals.max(dim=-1)
            output["graph"] = best.indices.masked_fill(best.values < threshold, NO_ARC)
        if probabilities:
            labels = output["graph"].clamp(min=0).unsqueeze(-1)
            output["arc_probabilities"] = marginals.gather(-1, labels).squeeze(-1)
        return output

    def _best_graph(
        self,
        scores: Tensor,
        mask: BoolTensor,
        metadata: Optional[List[Dict[str, Any]]],
        allowed: Optional[BoolTensor],
    ) -> Dict[str, Any]:
        """Returns the graph that scores highest; see `decode`."""
        legal = self.structure.independent_arcs(mask, scores.size(-1))
        if legal is not None and allowed is None and scores.numel() > 0:
            labels = legal.labels & self.meant_labels(scores.size(-1), mask)
            best = scores.detach().masked_fill(~labels, -torch.inf).max(dim=-1)
            graph = best.indices.masked_fill(~(legal.arcs & (best.values > 0)), NO_ARC)
            return {"graph": graph, "mask": mask[:, 1:], "metadata": metadata}
        allowed = self.meant_labels(scores.size(-1), scores) if allowed is None else allowed
        part_mask = self.structure.part_mask(mask, scores.shape) & allowed
        best = self.structure.without_predicates(self.structure.argmax(scores, part_mask))
        chosen, label = best.max(dim=-1)
        graph = label.masked_fill(chosen == 0, NO_ARC)
        return {"graph": graph, "mask": mask[:, 1:], "metadata": metadata}

    def meant_labels(self, num_labels: int, like: Tensor) -> BoolTensor:
        """
        Returns which labels may be chosen: all but the unknown role. Shape `(num_labels,)`, on the
        device of `like`.
        """
        return torch.arange(num_labels, device=like.device) != UNKNOWN

    def observe(
        self,
        output: Dict[str, Any],
        mask: BoolTensor,
        labels: LongTensor,
        counted: Optional[BoolTensor] = None,
    ) -> None:
        """Counts the graphs of `output` against gold labels; `counted` as in `GoldLosses`."""
        self._f1(output["graph"], labels, mask)
        if counted is not None and not self.training:
            self._outside(counted)

    def make_output_human_readable(self, output_dict: Dict[str, Any]) -> Dict[str, Any]:
        """
        Returns `arcs` as `[predicate, argument, role]`, with positions from 1, and `tops`; if
        computed, also `arc_probabilities` and `top_probabilities`, in the same orders.
        """
        readable = {**carried_over(output_dict), "arcs": [], "tops": []}
        probabilities = output_dict.get("arc_probabilities")
        if probabilities is not None:
            readable.update(arc_probabilities=[], top_probabilities=[])
        for number, graph in enumerate(output_dict["graph"].cpu()):
            pairs = (graph != NO_ARC).nonzero().tolist()
            tops = [dep for dep, head in pairs if head == 0]
            arcs = sorted(
                [head, dep, self.vocab.get_token_from_index(int(graph[dep, head]), ROLES)]
                for dep, head in pairs
                if head > 0
            )
            readable["tops"].append(tops)
            readable["arcs"].append(arcs)
            if probabilities is not None:
                rows = probabilities[number].tolist()
                readable["arc_probabilities"].append([rows[dep][head] for head, dep, _ in arcs])
                readable["top_probabilities"].append([rows[dep][0] for dep in tops])
        return readable

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        """
        In training, returns the two F1 scores and `gold_arcs_pruned`, which are shown at every
        batch. In evaluation, returns all metrics and, if it is not zero,
        `graphs_outside_structure`: how many sentences have a gold graph outside the structure.
        These sentences count in the metrics, but not in the loss.
        """
        metrics = {**self._f1.get_metric(reset), **self._pruned_gold.get_metric(reset)}
        if self.training:
            shown = ("labelled_f1", "unlabelled_f1", "gold_arcs_pruned")
            return {name: value for name, value in metrics.items() if name in shown}
        return {**metrics, **self._outside.get_metric(reset)}


def gold_labels(graph: LongTensor, tops: Optional[LongTensor]) -> LongTensor:
    """
    Returns the label of each arc, shape `(batch_size, 1 + length, 1 + length)`, -1 where there is
    none: the roles of `graph`, shape `(batch_size, argument, predicate)`, and `TOP` on the arcs
    from the root to `tops`, shape `(batch_size, length)`.
    """
    labels = torch.nn.functional.pad(graph.long(), (1, 0, 1, 0), value=NO_ARC)
    if tops is not None:
        labels[:, 1:, 0] = torch.where(tops > 0, TOP, NO_ARC)
    return labels
