"""The conditional log-likelihood."""

from torch import BoolTensor, Tensor

from spigot_allennlp.modules.structured_loss.structured_loss import StructuredLoss
from spigot_allennlp.structures.structure import Structure


@StructuredLoss.register("log_likelihood")
class LogLikelihoodLoss(StructuredLoss):
    """
    `-log p(gold)` under `p(z) ∝ exp <scores, z>`, in nats: for trees a conditional random field,
    for graphs a softmax over the labels of each arc and "none".

    Registered as a `StructuredLoss` with name "log_likelihood".
    """

    requires = frozenset({"log_partition"})

    def losses(
        self, structure: Structure, scores: Tensor, mask: BoolTensor, gold: Tensor
    ) -> Tensor:
        return -structure.log_prob(scores, mask, gold)
