"""Projects a point that left the polytope of a structure back onto it."""

from spigot_allennlp.projections.projection import IdentityProjection, LocalProjection, Projection
from spigot_allennlp.projections.sequential import SequentialProjection
from spigot_allennlp.projections.sparsemap import SparseMAPProjection

__all__ = [
    "IdentityProjection",
    "LocalProjection",
    "Projection",
    "SequentialProjection",
    "SparseMAPProjection",
]
