"""Callbacks of the trainer."""

from spigot_allennlp.callbacks.resumable import Resumable

__all__ = ["Resumable"]
