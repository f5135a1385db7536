"""Defines a semantic dependency parser, which scores labelled arcs one by one."""

from typing import Any, Dict, List, Optional, Tuple

import torch
from allennlp.common import Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.data import TextFieldTensors, Vocabulary
from allennlp.models import Model
from allennlp.nn import InitializerApplicator, RegularizerApplicator
from torch import BoolTensor, LongTensor, Tensor
from torch.nn.functional import softplus

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
from spigot_allennlp.modules.structured_loss import LogLikelihoodLoss, StructuredLoss
from spigot_allennlp.modules.token_scorer import TokenScorer
from spigot_allennlp.nn.arcs import predicate_parts
from spigot_allennlp.nn.instances import at_least_single
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
    labels_given_arcs : `bool`, optional (default = `False`)
        Whether the score of a label is its log-probability given that there is an arc: normalised
        over the labels that an arc from this head may have. The score of an arc is then the logit
        of its probability, as in [Dozat & Manning (2018)](https://arxiv.org/abs/1807.01396). (They
        keep every arc above zero; here the best graph has it only if the sum with the score of its
        best label is above zero.) So for the loss "log_likelihood", and for the best graph, labels
        are scored only where there is a gold arc or the arc scores above zero, and hundreds of
        labels take about as long as a few dozen. All pairs are scored for other losses, in
        evaluation with `Decoding` options, and in models that join this parser with another. Needs
        a structure that chooses each arc independently.
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
        labels_given_arcs: bool = False,
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
        two_tokens = torch.ones(1, 2, dtype=torch.bool)
        if labels_given_arcs and structure.independent_arcs(two_tokens, num_labels) is None:
            raise ConfigurationError(
                f"labels_given_arcs is true, but the structure {type(structure).__name__} does not "
                "choose each arc and its label independently. Leave labels_given_arcs out, or give "
                "a structure 'semantic_graph' without deterministic_roles."
            )
        self._labels_given_arcs = labels_given_arcs
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
        # not for a loss of the user's own that is derived from this one
        is_likelihood = self._labels_given_arcs and type(self._loss) is LogLikelihoodLoss
        if is_likelihood and (self.training or self.decoding == Decoding()):
            states = self._with_arcs(states, arcs)
            return self._learn_labels_given_arcs(states, mask, graph, tops, metadata, candidates)
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
        states = self._with_arcs(states, arcs)
        if self._labels_given_arcs:
            with torch.no_grad():
                arc_scores = self._arc_scorer(states, mask).squeeze(-1)
                possible = legal.arcs if candidates is None else legal.arcs & candidates
                pairs = (possible & (arc_scores > 0)).nonzero()
                labels = self._label_log_probabilities(states, mask, pairs, legal)
            are_sound = (labels > -torch.inf) | ~legal.labels[pairs[:, 2]]
            if not ((arc_scores.isfinite() | ~possible).all() and are_sound.all()):
                raise ArithmeticError("the scores of arcs and labels are not finite")
            graph = self._graph_of_pairs(arc_scores, labels, pairs)
            return {"graph": graph, "mask": mask[:, 1:], "metadata": metadata}
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

    def _learn_labels_given_arcs(
        self,
        states: Tensor,
        mask: BoolTensor,
        graph: LongTensor,
        tops: Optional[LongTensor],
        metadata: Optional[List[Dict[str, Any]]],
        candidates: Optional[BoolTensor],
    ) -> Dict[str, Any]:
        """
        Like `learn` with `scores` and "log_likelihood", but only scores the labels of gold arcs and
        of arcs that score above zero. `states` have seen the arcs of another layer, if there are.
        """
        legal = self.structure.independent_arcs(mask, self._label_scorer.num_outputs)
        assert legal is not None  # checked when the parser was made
        gold = gold_labels(graph, tops)
        is_gold = (gold != NO_ARC) & mask.unsqueeze(1) & mask.unsqueeze(2)
        of_loss = self.candidates_of_loss(candidates, gold != NO_ARC)
        arc_scores = at_least_single(self._arc_scorer(states, mask).squeeze(-1))
        allowed = legal.arcs if candidates is None else legal.arcs & candidates
        pairs = (is_gold | (allowed & (arc_scores > 0))).nonzero()
        at = pairs.unbind(dim=1)
        labels = self._label_log_probabilities(states, mask, pairs, legal)
        graph = self._graph_of_pairs(arc_scores, labels, pairs).masked_fill(~allowed, NO_ARC)
        output = {"graph": graph, "mask": mask[:, 1:], "metadata": metadata}

        # A role added to the vocabulary after this parser was trained is unknown to it.
        num_labels = labels.size(-1)
        role = gold[at].masked_fill(gold[at] >= num_labels, UNKNOWN)
        known = role.clamp(0, num_labels - 1)
        of_label = labels.gather(1, known.unsqueeze(1)).squeeze(1)
        possible = legal.arcs if of_loss is None else legal.arcs & of_loss
        has_legal_label = legal.labels[at[2], known] & (role < num_labels)
        is_legal = possible.index_put(at, possible[at] & has_legal_label)
        counted = (is_legal | ~is_gold).flatten(1).all(dim=1)
        self._loss.check_contained(self.structure, counted, metadata)
        of_arcs = torch.where(possible, softplus(arc_scores), 0)
        of_gold = arc_scores.index_put(at, arc_scores[at] + of_label)
        losses = (of_arcs - torch.where(is_gold, of_gold, 0)).flatten(1).sum(dim=1)
        output["loss"] = GoldLosses(losses.masked_fill(~counted, 0), counted).mean()
        self.observe(output, mask, gold, counted)
        return output

    def _label_log_probabilities(
        self, states: Tensor, mask: BoolTensor, pairs: LongTensor, legal: IndependentArcs
    ) -> Tensor:
        """
        Returns the log-probabilities of the labels of some pairs, given that each has an arc, shape
        `(num_pairs, num_labels)`, in at least single precision: minus infinity for those that are
        not legal. `pairs` are those of `PairScorer.scores_of_pairs`.
        """
        scores = at_least_single(self._label_scorer.scores_of_pairs(states, pairs, mask))
        return scores.masked_fill(~legal.labels[pairs[:, 2]], -torch.inf).log_softmax(dim=-1)

    def _graph_of_pairs(self, arc_scores: Tensor, labels: Tensor, pairs: LongTensor) -> LongTensor:
        """Returns the best graph among these pairs, given the log-probabilities of their labels."""
        meant = self.meant_labels(labels.size(-1), labels)
        best = labels.detach().masked_fill(~meant, -torch.inf).max(dim=-1)
        at = pairs.unbind(dim=1)
        is_chosen = arc_scores.detach()[at] + best.values > 0
        graph = torch.full(arc_scores.shape, NO_ARC, device=arc_scores.device)
        graph[at] = best.indices.masked_fill(~is_chosen, NO_ARC)
        return graph

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
        states = self._with_arcs(states, arcs)
        labels = self._label_scorer(states, mask)
        if self._labels_given_arcs:
            legal = self.structure.independent_arcs(mask, labels.size(-1))
            assert legal is not None  # checked when the parser was made
            labels = at_least_single(labels).masked_fill(~legal.labels, -torch.inf)
            labels = labels.log_softmax(dim=-1).masked_fill(~legal.labels, 0)
        scores = self._arc_scorer(states, mask) + labels
        if self._predicate_scorer is None:
            return scores
        predicates = predicate_parts(scores.shape, scores.device)
        return torch.where(predicates, self._predicate_scorer(states)[:, None, :, None], scores)

    def _with_arcs(self, states: Tensor, arcs: Optional[Tensor]) -> Tensor:
        """Returns the states to score: with an arc encoder, those that have seen the arcs."""
        return states if self.arc_encoder is None else self.arc_encoder(states, arcs)

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
