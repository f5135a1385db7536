"""Any set of predicates and of arcs from them, each with at most one label."""

from typing import Optional, Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.arcs import predicate_parts
from spigot_allennlp.nn.instances import are_choices, at_least_single, flatten_parts
from spigot_allennlp.nn.tensor_checks import LABELLED_ARCS, check_scores
from spigot_allennlp.structures.semantic_graph import SemanticGraph
from spigot_allennlp.structures.structure import IndependentArcs, Structure


@Structure.register("predicate_graph")
class PredicateGraph(SemanticGraph):
    """
    Semantic dependency graphs as in the code of
    [Peng et al. (2018)](https://aclanthology.org/P18-1173): besides its arcs, a graph has a set of
    predicates, and each head of an arc is one of them. The part at `[dependent, head] = [p, p]`,
    label 0, where no arc can be, says that p is a predicate (also for the root, the predicate of
    the tops). So a head gets its arcs only if the arcs and the predicate together score more than
    zero. A predicate may have no argument.

    The costs of losses do not count predicates; see `HingeLoss`. Everything else is as in
    `SemanticGraph`.

    Registered as a `Structure` with name "predicate_graph". Provides `log_partition`, `sample` and
    `projected_step`; with `deterministic_roles` only the last. It projects onto a relaxation, in
    which arcs do not require a predicate.
    """

    has_predicates = True

    def part_mask(self, mask: BoolTensor, shape: torch.Size) -> BoolTensor:
        arcs = super().part_mask(mask, shape)
        return arcs | predicate_parts(shape, mask.device) & mask[:, None, :, None]

    def without_predicates(self, parts: Tensor) -> Tensor:
        return parts.masked_fill(predicate_parts(parts.shape, parts.device), 0)

    def independent_arcs(self, mask: BoolTensor, num_labels: int) -> Optional[IndependentArcs]:
        return None

    def argmax(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        check_scores(LABELLED_ARCS, scores, mask)
        if scores.numel() == 0:
            return torch.zeros_like(scores)
        predicates = predicate_parts(scores.shape, scores.device)
        arcs = super().argmax(scores, mask & ~predicates)
        legal = at_least_single(scores.detach()).masked_fill(~mask, -torch.inf)
        # (batch_size, head): the total score of the arcs of a head, and of its predicate
        of_arcs = legal.masked_fill(arcs == 0, 0).sum(dim=(1, 3))
        of_predicates = legal[..., 0].diagonal(dim1=1, dim2=2)
        is_predicate = (of_arcs + of_predicates > 0)[:, None, :, None]
        return (arcs + predicates.to(arcs.dtype)) * is_predicate

    def contains(self, vertex: Tensor, mask: BoolTensor) -> BoolTensor:
        predicates = predicate_parts(vertex.shape, vertex.device)
        arcs = self.without_predicates(vertex)
        is_predicate = vertex[..., 0].diagonal(dim1=1, dim2=2) == 1
        is_head = (arcs != 0).any(dim=-1).any(dim=1)
        graphs = are_choices(vertex, mask) & super().contains(arcs, mask & ~predicates)
        return graphs & (is_predicate | ~is_head).all(dim=-1)

    def log_partition(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        self._check_provided("log_partition")
        check_scores(LABELLED_ARCS, scores, mask)
        if scores.numel() == 0:
            return flatten_parts(at_least_single(scores)).sum(dim=-1)
        # log(1 + exp(total)), with derivatives even where the total is minus infinity
        return -torch.nn.functional.logsigmoid(-self._totals(scores, mask)).sum(dim=-1)

    def log_partition_and_marginals(
        self, scores: Tensor, mask: BoolTensor
    ) -> Tuple[Tensor, Tensor]:
        return Structure.log_partition_and_marginals(self, scores, mask)

    def sample(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        self._check_provided("sample")
        check_scores(LABELLED_ARCS, scores, mask)
        if scores.numel() == 0:
            return torch.zeros_like(scores)
        scores = scores.detach()
        predicates = predicate_parts(scores.shape, scores.device)
        probability = self._totals(scores, mask).sigmoid()
        is_predicate = (torch.rand_like(probability) < probability)[:, None, :, None]
        arcs = super().sample(scores, mask & ~predicates)
        return (arcs + predicates.to(arcs.dtype)) * is_predicate

    def provides(self, operation: str) -> bool:
        return operation != "hull_jvp" and super().provides(operation)

    @staticmethod
    def _totals(scores: Tensor, mask: BoolTensor) -> Tensor:
        """
        Returns the log-odds that each head is a predicate, summed over all choices of its arcs,
        shape `(batch_size, head)`.
        """
        legal = at_least_single(scores).masked_fill(~mask, -torch.inf)
        arcs = legal.masked_fill(predicate_parts(legal.shape, legal.device), -torch.inf)
        of_arcs = torch.nn.functional.pad(arcs, (1, 0)).logsumexp(dim=-1).sum(dim=1)
        return of_arcs + legal[..., 0].diagonal(dim1=1, dim2=2)
