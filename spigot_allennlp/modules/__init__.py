"""Torch modules that models assemble, beside `StructuredArgmaxLayer`."""

from spigot_allennlp.modules.frozen_known_embedding import FrozenKnownEmbedding
from spigot_allennlp.modules.given_tree import GivenTree
from spigot_allennlp.modules.graph_encoder import ArcEncoder, GraphEncoder
from spigot_allennlp.modules.image_distortion import ImageDistortion
from spigot_allennlp.modules.memory_score import MemoryScore
from spigot_allennlp.modules.one_hot_embedder import OneHotEmbedder
from spigot_allennlp.modules.pair_scorer import PairScorer
from spigot_allennlp.modules.second_order_scorer import SecondOrderScorer
from spigot_allennlp.modules.sentence_encoder import SentenceEncoder
from spigot_allennlp.modules.sparse_attentive_lstm import SparseAttentiveLstm
from spigot_allennlp.modules.spike_encoding import SpikeEncoding
from spigot_allennlp.modules.spiking_gradient import SpikingGradient
from spigot_allennlp.modules.spiking_layer import SpikingLayer
from spigot_allennlp.modules.spiking_network import SpikingNetwork
from spigot_allennlp.modules.spiking_objective import (
    CountLoss,
    ExponentialPenalty,
    SampleBoosting,
)
from spigot_allennlp.modules.structured_argmax_layer import Latent, StructuredArgmaxLayer
from spigot_allennlp.modules.structured_loss import StructuredLoss
from spigot_allennlp.modules.word_dropout import WordDropout

__all__ = [
    "ArcEncoder",
    "CountLoss",
    "ExponentialPenalty",
    "FrozenKnownEmbedding",
    "GivenTree",
    "GraphEncoder",
    "ImageDistortion",
    "Latent",
    "MemoryScore",
    "OneHotEmbedder",
    "PairScorer",
    "SampleBoosting",
    "SecondOrderScorer",
    "SentenceEncoder",
    "SparseAttentiveLstm",
    "SpikeEncoding",
    "SpikingGradient",
    "SpikingLayer",
    "SpikingNetwork",
    "StructuredArgmaxLayer",
    "StructuredLoss",
    "WordDropout",
]
