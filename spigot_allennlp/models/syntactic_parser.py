"""Defines an arc-factored dependency parser."""

from typing import Any, Dict, List, Optional, Tuple

import torch
from allennlp.common import Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.data import TextFieldTensors, Vocabulary
from allennlp.models import Model
from allennlp.nn import InitializerApplicator, RegularizerApplicator
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.config_checks import check_namespace
from spigot_allennlp.metrics.tree_attachment import TreeAttachment
from spigot_allennlp.models.parsing_model import (
    UNKNOWN,
    GoldLosses,
    StructuredParser,
    carried_over,
    punctuation_mask,
    unpadded,
)
from spigot_allennlp.models.pruner import Pruner, prune
from spigot_allennlp.modules.pair_scorer import PairScorer
from spigot_allennlp.modules.sentence_encoder import SentenceEncoder
from spigot_allennlp.modules.structured_loss import StructuredLoss
from spigot_allennlp.nn.arcs import arcs_from_heads
from spigot_allennlp.structures.structure import Structure

RELATIONS = "dependency_relations"


@Model.register("syntactic_parser")
class SyntacticParser(StructuredParser):
    """
    Scores every arc from the vectors of its two tokens and chooses the best tree. With a
    `relation_scorer`, the relation of each arc is chosen afterwards.

    Registered as a `Model` with name "syntactic_parser".

    # Parameters

    vocab : `Vocabulary`
    encoder : `SentenceEncoder`
    arc_scorer : `Lazy[PairScorer]`
    structure : `Structure`
        The family of trees: "projective_tree" or "non_projective_tree".
    loss : `StructuredLoss`
        The loss of the arcs: "hinge" or "log_likelihood".
    relation_scorer : `Lazy[PairScorer]`, optional (default = `None`)
        It is trained by the cross-entropy of the relations of the gold arcs. Without it the trees
        are unlabelled.
    pruner : `Pruner`, optional (default = `None`)
        Selects which arcs are candidates: "heads". In training, gold arcs always are. The metric
        `gold_heads_pruned` is the share of gold arcs that the pruner removes. In evaluation, a gold
        tree with pruned arcs counts among the `trees_outside_structure`.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        encoder: SentenceEncoder,
        arc_scorer: Lazy[PairScorer],
        structure: Structure,
        loss: StructuredLoss,
        relation_scorer: Optional[Lazy[PairScorer]] = None,
        pruner: Optional[Pruner] = None,
        initializer: InitializerApplicator = InitializerApplicator(),  # noqa: B008 (AllenNLP's idiom)
        regularizer: Optional[RegularizerApplicator] = None,
    ) -> None:
        structure.check_dimensions(("dependent", "head"), "A 'syntactic_parser'", "structure")
        outside, pruned = "trees_outside_structure", "gold_heads_pruned"
        super().__init__(vocab, encoder, structure, loss, outside, regularizer, pruned)
        dim = encoder.get_output_dim()
        self._arc_scorer = arc_scorer.construct(input_dim=dim, num_outputs=1)
        self._relation_scorer = None
        if relation_scorer is not None:
            check_namespace(vocab, RELATIONS, "relations of a tree")
            size = vocab.get_vocab_size(RELATIONS)
            self._relation_scorer = relation_scorer.construct(input_dim=dim, num_outputs=size)
        self._attachment = TreeAttachment(labelled=relation_scorer is not None)
        initializer(self)
        self.pruner = pruner

    @property
    def scored_namespaces(self) -> Tuple[str, ...]:
        return (RELATIONS,) if self._relation_scorer is not None else ()

    def forward(  # type: ignore[override]
        self,
        tokens: TextFieldTensors,
        heads: Optional[LongTensor] = None,
        relations: Optional[LongTensor] = None,
        metadata: Optional[List[Dict[str, Any]]] = None,
        **other_layers: Any,
    ) -> Dict[str, Any]:
        """
        # Parameters

        tokens : `TextFieldTensors`
        heads : `LongTensor`, optional
            Shape `(batch_size, length)`: the position of each token's head, from 1; the root is 0.
        relations : `LongTensor`, optional
            Shape `(batch_size, length)`.
        metadata : `List[Dict[str, Any]]`, optional
        other_layers
            Other annotation of the sentences (a semantic graph, a label); ignored.
        """
        states, mask = self.encoder(tokens)
        scores = self.arc_scores(states, mask)
        part_mask = self.structure.part_mask(mask, scores.shape)
        candidates = self.candidates(tokens)
        of_candidates = prune(scores, candidates)
        best = self.structure.argmax(of_candidates, part_mask).argmax(dim=-1)
        output: Dict[str, Any] = {"mask": mask[:, 1:], "metadata": metadata}
        output["arc_scores"] = output["decoding_scores"] = of_candidates
        if not self.training and (self.decoding.probabilities or self.decoding.minimum_risk):
            marginals = self.structure.marginals(of_candidates.detach(), part_mask)
            if self.decoding.minimum_risk:
                output["decoding_scores"] = prune(marginals, candidates)
                best = self.structure.argmax(output["decoding_scores"], part_mask).argmax(dim=-1)
            if self.decoding.probabilities:
                chosen = marginals.gather(-1, best.unsqueeze(-1)).squeeze(-1)
                output["head_probabilities"] = chosen[:, 1:]
        output["heads"] = best[:, 1:]
        trees = [best]
        if heads is not None:
            gold_heads, gold_arcs = arcs_from_heads(heads, part_mask)
            trees.append(gold_heads)
        of_relations: List[Tensor] = []
        if self._relation_scorer is not None:
            of_relations = self._relation_scorer.scores_at_heads(states, trees, mask)
            output["relations"] = self._best_relations(of_relations[0].detach())
        if heads is not None:
            of_loss = self.candidates_of_loss(candidates, gold_arcs)
            possible = part_mask if of_loss is None else part_mask & of_loss
            pruned = prune(scores, of_loss)
            gold = self.gold_losses(pruned, possible, gold_arcs.to(scores.dtype), metadata)
            if of_relations:
                gold = self._add_relations(gold, of_relations[1], part_mask, relations)
            output["loss"] = gold.mean()
            self.observe(output, mask, heads, relations, metadata)
            if not self.training:
                self._outside(gold.counted)
        return output

    @torch.no_grad()
    def arc_posteriors(self, tokens: TextFieldTensors) -> Tensor:
        """Returns the probability of each arc, shape `(batch_size, dependent, head)`."""
        states, mask = self.encoder(tokens)
        scores = prune(self.arc_scores(states, mask), self.candidates(tokens))
        return self.structure.marginals(scores, self.structure.part_mask(mask, scores.shape))

    def arc_scores(self, states: Tensor, mask: BoolTensor) -> Tensor:
        """
        Returns the scores of arcs, `(batch_size, dependent, head)`, from states of shape
        `(batch_size, 1 + length, dim)` and their mask.
        """
        return self._arc_scorer(states, mask).squeeze(-1)

    def _best_relations(self, scores: Tensor) -> LongTensor:
        """
        Returns the best relation of each token, shape `(batch_size, length)`, from scores of shape
        `(batch_size, 1 + length, num_relations)`.

        # Raises

        `ArithmeticError` in evaluation if a score is not finite.
        """
        if not self.training and not scores.isfinite().all():
            raise ArithmeticError("the scores of relations are not finite")
        meant = scores[:, 1:].clone()
        meant[..., : UNKNOWN + 1] = -torch.inf  # padding and unknown are never chosen
        return meant.argmax(dim=-1)

    def _add_relations(
        self,
        of_arcs: GoldLosses,
        scores: Tensor,
        part_mask: BoolTensor,
        relations: Optional[LongTensor],
    ) -> GoldLosses:
        """
        Adds the loss of each sentence's relations, in nats, to that of its arcs. The scores are
        those at the gold heads, `(batch_size, 1 + length, num_relations)`.
        """
        if relations is None:
            raise ConfigurationError(
                "This parser has a relation_scorer, but the data have no relations. Read trees "
                "whose arcs are labelled, or train a parser without relation_scorer."
            )
        # A relation added to the vocabulary after this parser was trained is unknown to it.
        relations = relations.masked_fill(relations >= scores.size(-1), UNKNOWN)
        targets = torch.nn.functional.pad(relations, (1, 0))
        nats = torch.nn.functional.cross_entropy(scores.transpose(1, 2), targets, reduction="none")
        nats = (nats * part_mask.any(dim=-1)).sum(dim=-1)
        of_relations = nats.masked_fill(~of_arcs.counted, 0)
        return GoldLosses(of_arcs.losses + of_relations, of_arcs.counted)

    def observe(
        self,
        output: Dict[str, Any],
        mask: BoolTensor,
        heads: LongTensor,
        relations: Optional[LongTensor],
        metadata: Optional[List[Dict[str, Any]]],
    ) -> None:
        """Counts the predictions of `output` against gold trees."""
        self._attachment(
            output["heads"],
            heads,
            mask[:, 1:],
            punctuation_mask(metadata, heads),
            predicted_relations=output.get("relations"),
            gold_relations=relations,
        )

    def make_output_human_readable(self, output_dict: Dict[str, Any]) -> Dict[str, Any]:
        """
        Returns `heads`, `relations` and `head_probabilities` (the latter two if computed), and the
        metadata of each sentence, without padding.
        """
        mask = output_dict["mask"]
        readable = carried_over(output_dict)
        readable["heads"] = unpadded(output_dict["heads"], mask)
        if "head_probabilities" in output_dict:
            readable["head_probabilities"] = unpadded(output_dict["head_probabilities"], mask)
        if "relations" in output_dict:
            readable["relations"] = [
                [self.vocab.get_token_from_index(index, RELATIONS) for index in row]
                for row in unpadded(output_dict["relations"], mask)
            ]
        return readable

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        """
        Returns attachment scores over all sentences and, in evaluation and if it is not zero,
        `trees_outside_structure`: how many sentences have a gold tree outside the structure. These
        sentences count in the scores, but not in the loss.
        """
        metrics = {**self._attachment.get_metric(reset), **self._pruned_gold.get_metric(reset)}
        return metrics if self.training else {**metrics, **self._outside.get_metric(reset)}
