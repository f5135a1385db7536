"""Data loaders turn instances into batches."""

from spigot_allennlp.data.data_loaders.full_batch import FullBatchLoader
