"""Trainers, optimizers and schedules that AllenNLP does not have, and the curves of a training."""

from spigot_allennlp.training.by_group import ByGroup
from spigot_allennlp.training.fused_adam import FusedAdam
from spigot_allennlp.training.group_clipping import GroupClippingTrainer
from spigot_allennlp.training.inverse_square_root import InverseSquareRoot

__all__ = ["ByGroup", "FusedAdam", "GroupClippingTrainer", "InverseSquareRoot"]
