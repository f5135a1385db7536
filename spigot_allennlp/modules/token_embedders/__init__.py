"""Embedders of tokens that any AllenNLP config can name."""

from spigot_allennlp.modules.token_embedders.one_hot import OneHotEmbedder

__all__ = ["OneHotEmbedder"]
