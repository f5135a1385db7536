"""Monotone alignments of two sequences."""

from typing import Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.alignment.alignment import (
    alignment_log_partition,
    alignment_log_partition_and_marginals,
    are_alignments,
    best_alignment,
    sample_alignment,
)
from spigot_allennlp.structures.structure import Structure, expand_mask_of_pairs


@Structure.register("alignment")
class Alignment(Structure):
    """
    Monotone alignments of two sequences, as in dynamic time warping
    ([Sakoe and Chiba, 1978](https://doi.org/10.1109/TASSP.1978.1163055)): paths through a table
    from its first cell to its last, by steps to the next row, to the next column, or to both. The
    parts are the cells that a path visits. So every element of either sequence has a partner in the
    other, and some have several. Scores are `(batch_size, rows, columns)`; the score of an
    alignment is the sum over its cells, and the highest is the best. For the costs of dynamic time
    warping, pass their negatives: the log-partition is then minus the soft-DTW of
    [Cuturi and Blondel (2017)](https://arxiv.org/abs/1703.01541), at temperature one.

    The table of an instance ends with the last row and the last column that have a legal cell.
    There is no object if the first or the last cell is illegal or impossible, or if no possible
    path connects them. An instance without any legal cell is padding; its only object is empty. To
    stay near the diagonal (the band of Sakoe and Chiba), exclude the other cells with the layer's
    `allowed`.

    Not covered are scores of steps, gaps and alignments of parts of the sequences
    (Needleman-Wunsch, Smith-Waterman). CTC
    ([Graves et al., 2006](https://doi.org/10.1145/1143844.1143891)) is not covered, either. It is
    another family: each frame (row) has exactly one label (column), no step stays in a row, and
    blanks may be skipped. PyTorch has its log-partition as `ctc_loss`.

    Registered as a `Structure` with name "alignment". Provides `log_partition` and `sample`, but no
    `projected_step`: there is no known polytope that is cheap to project onto and still requires
    cells to follow each other. For SPIGOT choose the projection "sparsemap".
    """

    dimensions = ("row", "column")
    nonempty = True

    def part_mask(self, mask: BoolTensor, shape: torch.Size) -> BoolTensor:
        """
        Returns the legal cells, from a mask of rows, `(batch_size, rows)`, or, if columns are
        padded, too, from a mask of cells, `(batch_size, rows, columns)`.
        """
        return expand_mask_of_pairs(self, mask, shape)

    def argmax(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        return best_alignment(scores, mask)

    def contains(self, vertex: Tensor, mask: BoolTensor) -> BoolTensor:
        return are_alignments(vertex, mask.expand(vertex.shape))

    def log_partition(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        return alignment_log_partition(scores, mask)

    def log_partition_and_marginals(
        self, scores: Tensor, mask: BoolTensor
    ) -> Tuple[Tensor, Tensor]:
        return alignment_log_partition_and_marginals(scores, mask)

    def sample(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        return sample_alignment(scores, mask)
