"""How a parser learns from gold objects."""

from spigot_allennlp.modules.structured_loss.hinge import HingeLoss
from spigot_allennlp.modules.structured_loss.log_likelihood import LogLikelihoodLoss
from spigot_allennlp.modules.structured_loss.structured_loss import StructuredLoss

__all__ = ["HingeLoss", "LogLikelihoodLoss", "StructuredLoss"]
