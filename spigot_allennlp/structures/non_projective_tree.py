"""Dependency trees whose arcs may cross."""

from typing import Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.arborescence.arborescence import (
    arborescence_log_partition,
    arborescence_log_partition_and_marginals,
    best_arborescence,
    sample_arborescence,
)
from spigot_allennlp.nn.arcs import arc_mask, are_trees
from spigot_allennlp.nn.simplex.simplex import simplex_step
from spigot_allennlp.nn.tensor_checks import ARCS, check_pair, check_token_mask
from spigot_allennlp.structures.structure import Structure


@Structure.register("non_projective_tree")
class NonProjectiveTree(Structure):
    """
    One head for every token, no cycle. Scores are `(batch_size, dependent, head)`; position 0 is
    the root. The best tree is a maximum spanning arborescence
    ([McDonald et al., 2005](https://aclanthology.org/H05-1066)); the log-partition is that of
    [Koo et al. (2007)](https://aclanthology.org/D07-1015), computed by an elimination that is
    accurate at every scale of the scores.

    Registered as a `Structure` with name "non_projective_tree". Provides everything but `hull_jvp`.

    # Parameters

    single_root : `bool`, optional (default = `True`)
        Whether exactly one token depends on the root. The best tree is exact in either case.
    """

    dimensions = ("dependent", "head")
    fixed_size = True
    way_out = (
        "Heads must make a tree. To learn from trees with several roots, give the "
        'structure "single_root": false, and the reader "multiple_roots": true. Or let the reader '
        'of the training data leave them out: "multiple_roots": false, "on_excluded": '
        '"skip".'
    )

    def __init__(self, single_root: bool = True) -> None:
        self._single_root = single_root

    def part_mask(self, mask: BoolTensor, shape: torch.Size) -> BoolTensor:
        check_token_mask(ARCS, mask, shape)
        return arc_mask(mask)

    def argmax(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        return best_arborescence(scores, mask, self._single_root)

    def contains(self, vertex: Tensor, mask: BoolTensor) -> BoolTensor:
        return are_trees(vertex, mask, self._single_root, projective=False)

    def log_partition(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        return arborescence_log_partition(scores, mask, self._single_root)

    def log_partition_and_marginals(
        self, scores: Tensor, mask: BoolTensor
    ) -> Tuple[Tensor, Tensor]:
        return arborescence_log_partition_and_marginals(scores, mask, self._single_root)

    def sample(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        return sample_arborescence(scores, mask, self._single_root)

    def projected_step(self, origin: Tensor, step: Tensor, mask: BoolTensor) -> Tensor:
        """
        Projects onto "one head per token", a simplex per row; leaves acyclicity to the decoder.
        """
        check_pair(("origin", "step"), ARCS, origin, step, mask)
        return simplex_step(origin, step, mask)
