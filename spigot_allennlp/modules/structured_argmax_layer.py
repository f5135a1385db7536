"""Keeps names importable from here; see `spigot_allennlp/layers/structured_argmax_layer.py`."""

from spigot_allennlp.layers.structured_argmax_layer import (
    FirstOutput,
    Latent,
    StructuredArgmaxLayer,
)

__all__ = ["FirstOutput", "Latent", "StructuredArgmaxLayer"]
