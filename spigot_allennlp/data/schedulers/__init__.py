"""Schedulers order the batches of several data sets."""

from spigot_allennlp.data.schedulers.proportional import ProportionalScheduler

__all__ = ["ProportionalScheduler"]
