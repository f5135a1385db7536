"""Matchings between two sets."""

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.matching.matching import are_matchings, best_matching
from spigot_allennlp.structures.structure import Structure, expand_mask_of_pairs


@Structure.register("matching")
class Matching(Structure):
    """
    Pairs of a row and a column, none twice: assignments, alignments of sets, and, with as many rows
    as columns, permutations. Scores are `(batch_size, rows, columns)`.

    Of a rectangle, every row of the shorter side has a partner, and some of the longer side have
    none. A row or column without any legal pair is padding, and does not count: instances of one
    batch may have any number of both, and one that is all padding has one object, which is empty.
    Where pairs are illegal or impossible so that not all of the shorter side can have partners,
    there is no object.

    Registered as a `Structure` with name "matching". Provides the argmax alone, which is exact (see
    `nn/matching/kernels.py`; computed on the CPU wherever the scores are). The sum over all
    matchings is a permanent, for which no efficient algorithm is known, nor can there be one unless
    P = NP ([Valiant, 1979](https://doi.org/10.1016/0304-3975(79)90044-6)): so there are no
    log-partition, marginals and samples. Estimators that need none of these fit: "blackbox",
    "identity_with_projection", "implicit_mle", "perturbed", "pipeline", "sparsemap" and
    "straight_through". No `projected_step`, either: of doubly stochastic matrices, the convex hull
    of permutations (of a rectangle, matrices whose longer side sums to one at most), the nearest
    has no closed form. The projection "sparsemap" finds it by the argmax; choose it for SPIGOT.
    """

    dimensions = ("row", "column")
    fixed_size = True
    why_no_sums = (
        "The sum over all matchings is a permanent, for which there is no efficient algorithm."
    )

    def part_mask(self, mask: BoolTensor, shape: torch.Size) -> BoolTensor:
        """
        Returns the legal pairs, from a mask of rows, `(batch_size, rows)`, or, where columns are
        padded, too, of pairs, `(batch_size, rows, columns)`.
        """
        return expand_mask_of_pairs(self, mask, shape)

    def argmax(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        return best_matching(scores, mask)

    def contains(self, vertex: Tensor, mask: BoolTensor) -> BoolTensor:
        return are_matchings(vertex, mask.expand(vertex.shape))
