"""Keeps the names that were here: the layer is in `spigot_allennlp/structured_argmax_layer.py`."""

from spigot_allennlp.structured_argmax_layer import FirstOutput, Latent, StructuredArgmaxLayer

__all__ = ["FirstOutput", "Latent", "StructuredArgmaxLayer"]
