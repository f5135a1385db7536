"""Matchings between two sets."""

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.matching.matching import are_matchings, best_matching
from spigot_allennlp.structures.structure import Structure, expand_mask_of_pairs


@Structure.register("matching")
class Matching(Structure):
    """
    Pairs of a row and a column, with no row or column used twice: assignments, alignments of sets,
    and, with as many rows as columns, permutations. Scores are `(batch_size, rows, columns)`.

    In a rectangle, everything on the shorter side has a partner, and some of the longer side have
    none. A row or column without any legal pair is padding and does not count, so the instances of
    a batch may have any number of rows and columns. An instance that is all padding has one object,
    which is empty. If illegal or impossible pairs leave some of the shorter side without partners,
    there is no object.

    Registered as a `Structure` with name "matching". Provides only the argmax, which is exact (see
    `nn/matching/kernels.py`) and computed on the CPU wherever the scores are. The sum over all
    matchings is a permanent. No efficient algorithm for it is known, and there is none unless P =
    NP ([Valiant, 1979](https://doi.org/10.1016/0304-3975(79)90044-6)), so there are no
    log-partition, marginals and samples. Estimators that need none of these fit: "blackbox",
    "identity_with_projection", "implicit_mle", "perturbed", "pipeline", "sparsemap" and
    "straight_through". No `projected_step`, either: the nearest doubly stochastic matrix has no
    closed form. (Such matrices are the convex hull of permutations; in a rectangle, the elements of
    the longer side sum to at most one.) The projection "sparsemap" finds it with the argmax; choose
    it for SPIGOT.
    """

    dimensions = ("row", "column")
    fixed_size = True
    why_no_sums = (
        "The sum over all matchings is a permanent, for which there is no efficient algorithm."
    )

    def part_mask(self, mask: BoolTensor, shape: torch.Size) -> BoolTensor:
        """
        Returns the legal pairs, from a mask of rows, `(batch_size, rows)`, or, if columns are
        padded, too, from a mask of pairs, `(batch_size, rows, columns)`.
        """
        return expand_mask_of_pairs(self, mask, shape)

    def argmax(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        return best_matching(scores, mask)

    def contains(self, vertex: Tensor, mask: BoolTensor) -> BoolTensor:
        return are_matchings(vertex, mask.expand(vertex.shape))
