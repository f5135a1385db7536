"""Callbacks of the trainer."""

from spigot_allennlp.callbacks.resumable import Resumable
from spigot_allennlp.callbacks.self_contained import SelfContained

__all__ = ["Resumable", "SelfContained"]
