"""The losses of parsers: scores against a gold object of a structure."""

from typing import Any, Dict, FrozenSet, List, Optional

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.config_checks import check_least
from spigot_allennlp.layers.losses import hinge_loss, negative_log_likelihood
from spigot_allennlp.nn.devices import has_kernels
from spigot_allennlp.nn.instances import per_instance
from spigot_allennlp.nn.labelled_arcs import GraphLikelihood, graph_likelihood
from spigot_allennlp.structures.structure import IndependentArcs, Structure

NAMED = 3  # how many sentences an error names


class StructuredLoss(torch.nn.Module, Registrable):
    """
    Computes the loss of part scores against a gold object. A subclass implements `losses`.

    A gold object outside the structure (such as a tree with crossing arcs for "projective_tree")
    can never be predicted, and a loss against it has no lower bound: training would drive it to
    minus infinity, and the scores with it. Therefore `losses` never sees one:

    * In training it is an error, which names the sentence and how to fix it. Silently leaving it
      out would be misleading, because the user believes that the model learns from it. Only the
      reader can count excluded sentences before training starts. All training data are seen in the
      first epoch, so the error comes early.
    * In evaluation it is only left out of the loss, since the sentence has to count in the metrics:
      `forward` returns 0, and a mean must be taken over the instances that are `counted`.

    `requires` names the optional operations of `Structure` that the loss calls.
    """

    requires: FrozenSet[str] = frozenset()

    def losses(
        self, structure: Structure, scores: Tensor, mask: BoolTensor, gold: Tensor
    ) -> Tensor:
        """
        Returns the loss of each instance, never negative, summed over its parts, shape
        `(batch_size,)`. The parameters are those of `forward`. Every instance of `gold` is an
        object of `structure` or, in evaluation, all zero where the result is ignored.
        """
        raise NotImplementedError

    def forward(
        self,
        structure: Structure,
        scores: Tensor,
        mask: BoolTensor,
        gold: Tensor,
        metadata: Optional[List[Dict[str, Any]]] = None,
    ) -> Tensor:
        """
        # Parameters

        structure : `Structure`
        scores : `Tensor`
            Shape `(batch_size, *parts)`.
        mask : `BoolTensor`
            The legal parts, of the same shape.
        gold : `Tensor`
            The gold objects, as zeros and ones, of the same shape.
        metadata : `List[Dict[str, Any]]`, optional
            What the reader knows about each instance: an error names its `id` and its `source`.

        # Returns

        `Tensor`
            The loss of each instance, summed over its parts, shape `(batch_size,)`; in evaluation 0
            where the gold object is outside the structure.

        # Raises

        `ConfigurationError` in training if a gold object is outside the structure.
        """
        contained = structure.contains(gold, mask)
        if contained.all():
            return self.losses(structure, scores, mask, gold)
        self.check_contained(structure, contained, metadata)
        contained_gold = gold.masked_fill(~per_instance(contained, gold), 0)
        return self.losses(structure, scores, mask, contained_gold).masked_fill(~contained, 0)

    def of_independent_arcs(
        self, scores: Tensor, legal: IndependentArcs, labels: LongTensor
    ) -> Optional[GraphLikelihood]:
        """
        Returns the loss of graphs whose arcs and labels are chosen independently, and which graphs
        are legal, if this is possible faster than in `forward`; otherwise `None`. Gold graphs are
        not checked here; see `check_contained`.

        # Parameters

        scores : `Tensor`
            Shape `(batch_size, dependent, head, label)`.
        legal : `IndependentArcs`
        labels : `LongTensor`
            Shape `(batch_size, dependent, head)`: the label of each gold arc, -1 where there is
            none.
        """
        return None

    def check_contained(
        self,
        structure: Structure,
        contained: BoolTensor,
        metadata: Optional[List[Dict[str, Any]]],
    ) -> None:
        """
        Checks that all gold objects are `contained` in the family, `(batch_size,)`.

        # Raises

        `ConfigurationError` in training if some are not; it names the sentences.
        """
        if self.training and not contained.all():
            raise ConfigurationError(_foreign(structure, contained, metadata))

    def counted(self, structure: Structure, mask: BoolTensor, gold: Tensor) -> BoolTensor:
        """
        Returns which instances `forward` counts, shape `(batch_size,)`: in training all, since
        others are an error there.
        """
        if self.training:
            return mask.new_ones(len(gold))
        return structure.contains(gold, mask)

    def check(self, structure: Structure) -> None:
        """
        Raises a `ConfigurationError` if `structure` lacks an operation that this loss requires.
        """
        for operation in sorted(self.requires):
            if not structure.provides(operation):
                raise ConfigurationError(
                    f"{type(self).__name__} needs {operation}, which {type(structure).__name__} "
                    "(so configured) does not provide. Choose the loss 'hinge', which needs none."
                )


def _foreign(
    structure: Structure, contained: BoolTensor, metadata: Optional[List[Dict[str, Any]]]
) -> str:
    indices = (~contained).nonzero().flatten().tolist()
    names = ", ".join(_name(index, metadata) for index in indices[:NAMED])
    more = ", ..." if len(indices) > NAMED else ""
    return (
        f"{len(indices)} of {len(contained)} gold objects of a batch are outside the family of the "
        f"structure {type(structure).__name__}, which could never predict them: {names}{more}. "
        f"{structure.way_out}"
    )


def _name(index: int, metadata: Optional[List[Dict[str, Any]]]) -> str:
    """Names an instance by its `id` and `source`, or by its number in the batch."""
    entry = metadata[index] if metadata else {}
    names = [str(entry[key]) for key in ("id", "source") if entry.get(key) is not None]
    return " at ".join(names) or f"number {index} of the batch"


@StructuredLoss.register("hinge")
class HingeLoss(StructuredLoss):
    """
    Computes `max_z (<scores, z> + cost(z, gold)) - <scores, gold>`, the hinge loss with a margin
    rescaled by a cost that counts wrong parts
    ([Taskar et al., 2004](https://aclanthology.org/W04-3201);
    [Peng et al., 2018](https://aclanthology.org/P18-1173), section 4). Needs only the argmax, at
    scores to which each part's cost is added.

    For graphs with predicates ("predicate_graph") the cost counts only the labelled arcs, as in the
    authors' code: a wrong or missing predicate costs what its arcs cost, and its score has to
    outweigh that.

    Registered as a `StructuredLoss` with name "hinge".

    # Parameters

    false_positive_cost : `float`, optional (default = `0.5`)
        The cost of a part that the gold object does not have.
    false_negative_cost : `float`, optional (default = `0.5`)
        The cost of a missing gold part. With 0.5 each, a wrong head costs 1. The original semantic
        parser uses 0.4 and 0.6, to favour recall.
    """

    def __init__(self, false_positive_cost: float = 0.5, false_negative_cost: float = 0.5) -> None:
        super().__init__()
        check_least(
            0, false_positive_cost=false_positive_cost, false_negative_cost=false_negative_cost
        )
        self._false_positive_cost = false_positive_cost
        self._false_negative_cost = false_negative_cost

    def losses(
        self, structure: Structure, scores: Tensor, mask: BoolTensor, gold: Tensor
    ) -> Tensor:
        # A chosen part that is wrong adds its cost; one that is gold subtracts that of missing it.
        cost = self._false_positive_cost * (1 - gold) - self._false_negative_cost * gold
        return hinge_loss(structure, scores, gold, mask, structure.without_predicates(cost))


@StructuredLoss.register("log_likelihood")
class LogLikelihoodLoss(StructuredLoss):
    """
    Computes `-log p(gold)` under `p(z) ∝ exp <scores, z>`, in nats: for trees a conditional random
    field, for graphs a softmax over the labels of each arc and "none".

    Registered as a `StructuredLoss` with name "log_likelihood".
    """

    requires = frozenset({"log_partition"})

    def losses(
        self, structure: Structure, scores: Tensor, mask: BoolTensor, gold: Tensor
    ) -> Tensor:
        return negative_log_likelihood(structure, scores, gold, mask)

    def of_independent_arcs(
        self, scores: Tensor, legal: IndependentArcs, labels: LongTensor
    ) -> Optional[GraphLikelihood]:
        if not has_kernels(scores.device):
            return None
        return graph_likelihood(scores, legal.arcs, legal.labels, labels)
