"""Parses of sentences as plain data, written in the formats, and drawn."""

from spigot_allennlp.parses.parse import Graph, Parse, Sentiment, Tree

__all__ = ["Graph", "Parse", "Sentiment", "Tree"]
