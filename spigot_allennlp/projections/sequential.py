"""Projects arcs, and then their labels."""

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
    [Peng et al. (2018)](https://aclanthology.org/P18-1173) does, one after the other where "local"
    projects both at once: the arc is clipped to [0, 1], and its labels are projected onto those
    that sum to the arc; where it is 0 they are 0.

    Their vector has an arc, with a gradient of its own, beside its labels; ours has the labels, of
    which the arc is the sum. Here the step of an arc is that of the label which it has, or, where
    there is no arc, of the label that would come in first. So the arc hears of its label, which
    theirs does not. What the labels do once the arc is known is the same, since it does not depend
    on a number that is added to the steps of all labels.

    The points that it reaches are points of "local", but not always the nearest ones.

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
