"""Token vectors to scores of pairs of tokens."""

from spigot_allennlp.modules.pair_scorer.biaffine import BiaffineScorer
from spigot_allennlp.modules.pair_scorer.mlp import MlpScorer
from spigot_allennlp.modules.pair_scorer.pair_scorer import PairScorer

__all__ = ["BiaffineScorer", "MlpScorer", "PairScorer"]
