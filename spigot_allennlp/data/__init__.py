"""Treebanks and other data: text formats, embedded data sets, and what makes batches of them."""

from spigot_allennlp.data import data_loaders, dataset_readers, schedulers
