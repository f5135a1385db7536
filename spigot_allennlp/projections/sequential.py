"""Projects arcs and then their labels."""

from torch import BoolTensor, Tensor

from spigot_allennlp.nn.simplex.simplex import sequential_step
from spigot_allennlp.nn.tensor_checks import PARTS, check_pair
from spigot_allennlp.projections.projection import Projection
from spigot_allennlp.registrable import ConfigurationError
from spigot_allennlp.structures.structure import Structure


@Projection.register("sequential")
class SequentialProjection(Projection):
    """
    Projects labelled arcs ("semantic_graph") as the code of
    [Peng et al. (2018)](https://aclanthology.org/P18-1173) does: first the arc, then its labels.
    ("local" projects both at once.) The arc is clipped to [0, 1], and its labels are projected onto
    the vectors that sum to the arc; where the arc is 0, they are 0.

    In their code an arc is a part of its own, with its own gradient, beside its labels; here there
    are only the labels, and the arc is their sum. So the step of an arc is that of its label (the
    mean of its labels, weighted by their share, where it has several) or, where there is no arc,
    that of the label that would enter first. The step of the arc thus depends on its labels, which
    theirs does not. Given the arc, the labels are the same, since a
    constant added to the steps of all labels changes nothing.

    The results lie in the polytope of "local", but are not always its nearest points.

    Registered as a `Projection` with name "sequential".
    """

    def check(self, structure: Structure) -> None:
        if structure.dimensions[-1:] != ("label",):
            alternative = "local" if structure.provides("projected_step") else "sparsemap"
            raise ConfigurationError(
                "The projection 'sequential' is for arcs with labels, but the structure is a "
                f"{type(structure).__name__}. Set projection: '{alternative}', or structure: "
                "'semantic_graph'."
            )

    def projected_step(
        self, structure: Structure, origin: Tensor, step: Tensor, mask: BoolTensor
    ) -> Tensor:
        check_pair(("origin", "step"), PARTS, origin, step, mask)
        return sequential_step(origin, step, mask)
