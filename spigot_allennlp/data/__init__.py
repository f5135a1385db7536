"""Treebanks: their text formats, an embedded one, and the readers that make instances of them."""

from spigot_allennlp.data import dataset_readers, schedulers
