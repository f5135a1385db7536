"""In which order the batches of several treebanks come."""

from spigot_allennlp.data.schedulers.proportional import ProportionalScheduler

__all__ = ["ProportionalScheduler"]
