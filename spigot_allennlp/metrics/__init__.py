"""Counts, over a whole data set, how good predictions are."""

from spigot_allennlp.metrics.class_scores import ClassScores
from spigot_allennlp.metrics.counting_metric import CountingMetric
from spigot_allennlp.metrics.graph_difference import GraphDifference
from spigot_allennlp.metrics.item_mean import ItemMean
from spigot_allennlp.metrics.outside_structure import OutsideStructure
from spigot_allennlp.metrics.pruned_gold import PrunedGold
from spigot_allennlp.metrics.semantic_f1 import SemanticF1
from spigot_allennlp.metrics.tree_attachment import TreeAttachment
from spigot_allennlp.metrics.v_measure import VMeasure

__all__ = [
    "ClassScores",
    "CountingMetric",
    "GraphDifference",
    "ItemMean",
    "OutsideStructure",
    "PrunedGold",
    "SemanticF1",
    "TreeAttachment",
    "VMeasure",
]
