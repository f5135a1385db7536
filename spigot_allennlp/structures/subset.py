"""Subsets: exactly k of n parts."""

from typing import Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.instances import are_choices, flatten_parts
from spigot_allennlp.nn.subset import (
    best_subset,
    hypersimplex_jvp,
    hypersimplex_step,
    sample_subset,
    subset_log_partition,
    subset_log_partition_and_marginals,
)
from spigot_allennlp.nn.tensor_checks import PARTS, check_pair
from spigot_allennlp.registrable import ConfigurationError
from spigot_allennlp.structures.structure import Structure, expand_mask


@Structure.register("subset")
class Subset(Structure):
    """
    Any `k` of the legal parts of an instance: the features that a model may look at, the sentences
    of a summary, the experts of a layer. Scores are `(batch_size, size)`; if they have more
    dimensions, k of all parts are chosen.

    If some parts are legal but fewer than k are possible, there is no object. An instance without
    any legal part is padding; its only object is empty.

    Registered as a `Structure` with name "subset". Provides everything; projects onto the convex
    hull, the hypersimplex `{0 <= z <= 1, sum z = k}`.

    # Parameters

    k : `int`
        How many parts are chosen, at least 1.
    """

    fixed_size = True

    def __init__(self, k: int) -> None:
        if not isinstance(k, int) or isinstance(k, bool) or k < 1:
            raise ConfigurationError(
                f"k, how many parts a subset has, must be a whole number of at least 1, but is {k}."
            )
        self.k = k

    def part_mask(self, mask: BoolTensor, shape: torch.Size) -> BoolTensor:
        """
        Returns the legal parts, from the mask of the parts themselves, `(batch_size, size)`, or, if
        scores have more dimensions, from a mask of the first two.
        """
        return expand_mask(mask, shape)

    def argmax(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        return best_subset(scores, mask, self.k)

    def contains(self, vertex: Tensor, mask: BoolTensor) -> BoolTensor:
        legal = mask.expand(vertex.shape)
        size = self.k * flatten_parts(legal).any(dim=1)
        return are_choices(vertex, legal) & (flatten_parts(vertex == 1).sum(dim=1) == size)

    def log_partition(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        return subset_log_partition(scores, mask, self.k)

    def log_partition_and_marginals(
        self, scores: Tensor, mask: BoolTensor
    ) -> Tuple[Tensor, Tensor]:
        return subset_log_partition_and_marginals(scores, mask, self.k)

    def sample(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        return sample_subset(scores, mask, self.k)

    def projected_step(self, origin: Tensor, step: Tensor, mask: BoolTensor) -> Tensor:
        """Projects onto the hypersimplex. This is exact."""
        return hypersimplex_step(origin, step, mask, self.k)

    def hull_jvp(self, point: Tensor, direction: Tensor, mask: BoolTensor) -> Tensor:
        check_pair(("point", "direction"), PARTS, point, direction, mask)
        return hypersimplex_jvp(point, direction)
