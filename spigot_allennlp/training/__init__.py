"""Schedules of the learning rate that AllenNLP does not have, and the curves of a training."""

from spigot_allennlp.training.inverse_square_root import InverseSquareRoot

__all__ = ["InverseSquareRoot"]
