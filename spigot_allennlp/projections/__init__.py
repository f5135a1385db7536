"""How a point that left the polytope of a structure comes back to it."""

from spigot_allennlp.projections.projection import IdentityProjection, LocalProjection, Projection
from spigot_allennlp.projections.sparsemap import SparseMAPProjection

__all__ = ["IdentityProjection", "LocalProjection", "Projection", "SparseMAPProjection"]
