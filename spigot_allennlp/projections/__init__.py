"""Floor 3: how a point that left the polytope comes back."""

from spigot_allennlp.projections.projection import IdentityProjection, LocalProjection, Projection
from spigot_allennlp.projections.sparsemap import SparseMAP

__all__ = ["IdentityProjection", "LocalProjection", "Projection", "SparseMAP"]
