"""Defines sets of outputs: their argmax, log-partition, marginals, samples."""

from spigot_allennlp.structures.alignment import Alignment
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.chain import Chain
from spigot_allennlp.structures.matching import Matching
from spigot_allennlp.structures.non_projective_tree import NonProjectiveTree
from spigot_allennlp.structures.predicate_graph import PredicateGraph
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from spigot_allennlp.structures.semantic_graph import SemanticGraph
from spigot_allennlp.structures.structure import Structure
from spigot_allennlp.structures.subset import Subset

__all__ = [
    "Alignment",
    "Categorical",
    "Chain",
    "Matching",
    "NonProjectiveTree",
    "PredicateGraph",
    "ProjectiveTree",
    "SemanticGraph",
    "Structure",
    "Subset",
]
