"""Floor 7: text in, structures out."""

from spigot_allennlp.predictors.parser import ParserPredictor

__all__ = ["ParserPredictor"]
