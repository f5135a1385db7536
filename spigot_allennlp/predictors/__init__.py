"""Text or JSON in, structures out."""

from spigot_allennlp.predictors.character_language_model import CharacterLanguageModelPredictor
from spigot_allennlp.predictors.line_predictor import LinePredictor
from spigot_allennlp.predictors.memory_reads import MemoryReadsPredictor
from spigot_allennlp.predictors.parser import ParserPredictor
from spigot_allennlp.predictors.sentence_predictor import SentencePredictor
from spigot_allennlp.predictors.sentiment import SentimentPredictor
from spigot_allennlp.predictors.spiking import SpikingPredictor

__all__ = [
    "CharacterLanguageModelPredictor",
    "LinePredictor",
    "MemoryReadsPredictor",
    "ParserPredictor",
    "SentencePredictor",
    "SentimentPredictor",
    "SpikingPredictor",
]
