"""AllenNLP models: they assemble modules and compute the loss."""

from spigot_allennlp.models.latent_classifier import LatentClassifier
from spigot_allennlp.models.latent_tree_classifier import LatentTreeClassifier
from spigot_allennlp.models.pretrained import Pretrained
from spigot_allennlp.models.pruner import Pruner
from spigot_allennlp.models.semantic_parser import SemanticParser
from spigot_allennlp.models.semantic_then_sentiment import SemanticThenSentiment
from spigot_allennlp.models.sequence_models import (
    SequenceClassifier,
    SequenceRegressor,
    StepClassifier,
)
from spigot_allennlp.models.spiking_classifier import SpikingClassifier
from spigot_allennlp.models.syntactic_parser import SyntacticParser
from spigot_allennlp.models.syntactic_then_semantic import SyntacticThenSemantic

__all__ = [
    "LatentClassifier",
    "LatentTreeClassifier",
    "Pretrained",
    "Pruner",
    "SemanticParser",
    "SemanticThenSentiment",
    "SequenceClassifier",
    "SequenceRegressor",
    "StepClassifier",
    "SpikingClassifier",
    "SyntacticParser",
    "SyntacticThenSemantic",
]
