"""The structured hinge loss."""

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.config_checks import check_least
from spigot_allennlp.modules.structured_loss.structured_loss import StructuredLoss
from spigot_allennlp.nn.instances import flatten_parts
from spigot_allennlp.structures.structure import Structure


@StructuredLoss.register("hinge")
class HingeLoss(StructuredLoss):
    """
    `max_z (<scores, z> + cost(z, gold)) - <scores, gold>`, the margin rescaled by a cost that
    counts wrong parts ([Taskar et al., 2004](https://aclanthology.org/W04-3201);
    [Peng et al., 2018](https://aclanthology.org/P18-1173), section 4). Needs nothing but the
    argmax, at scores to which each part's cost is added.

    Registered as a `StructuredLoss` with name "hinge".

    # Parameters

    false_positive_cost : `float`, optional (default = `0.5`)
        Of a part that the gold object has not.
    false_negative_cost : `float`, optional (default = `0.5`)
        Of a gold part that is missing. With 0.5 each a wrong head costs 1. The original's semantic
        parser has 0.4 and 0.6, for the sake of recall.
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
        missed = self._false_negative_cost * flatten_parts(gold).sum(dim=-1)
        # What a part adds to the cost when it is chosen: a wrong one its own, a gold one less of
        # what is missed.
        cost = self._false_positive_cost * (1 - gold) - self._false_negative_cost * gold
        worst = structure.argmax(scores + cost, mask)
        loss = structure.score(scores + cost, worst) + missed - structure.score(scores, gold)
        # Gold is impossible, then, and nothing can be learnt from it.
        lost = structure.lacks_objects(worst, mask) & flatten_parts(gold != 0).any(dim=-1)
        return loss.masked_fill(lost, torch.inf)
