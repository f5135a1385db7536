"""Projective dependency trees."""

from typing import Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.arcs import arc_mask, are_trees
from spigot_allennlp.nn.eisner.eisner import (
    best_projective_tree,
    projective_log_partition,
    projective_log_partition_and_marginals,
    sample_projective_tree,
)
from spigot_allennlp.nn.simplex.simplex import simplex_step
from spigot_allennlp.nn.tensor_checks import ARCS, check_pair, check_token_mask
from spigot_allennlp.structures.structure import Structure


@Structure.register("projective_tree")
class ProjectiveTree(Structure):
    """
    One head for every token, no cycle, no crossing arcs. Scores are
    `(batch_size, dependent, head)`; position 0 is the root. The inference algorithm is that of
    [Eisner (1996)](https://aclanthology.org/C96-1058).

    Registered as a `Structure` with name "projective_tree". Provides everything but `hull_jvp`.

    # Parameters

    single_root : `bool`, optional (default = `True`)
        Whether exactly one token depends on the root, as in Peng et al. (2018). The latent trees of
        Mihaylova et al. (2020) may have several roots.
    """

    dimensions = ("dependent", "head")
    fixed_size = True
    way_out = (
        'To learn from trees with crossing arcs, set the structure to "non_projective_tree", and '
        'the reader to "projective": false; to learn from trees with several roots, give the '
        'structure "single_root": false, and the reader "multiple_roots": true. Or let the reader '
        'of the training data leave them out: "projective": true, "multiple_roots": false, '
        '"on_excluded": "skip".'
    )

    def __init__(self, single_root: bool = True) -> None:
        self._single_root = single_root

    def part_mask(self, mask: BoolTensor, shape: torch.Size) -> BoolTensor:
        check_token_mask(ARCS, mask, shape)
        return arc_mask(mask)

    def argmax(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        return best_projective_tree(scores, mask, self._single_root)

    def contains(self, vertex: Tensor, mask: BoolTensor) -> BoolTensor:
        return are_trees(vertex, mask, self._single_root, projective=True)

    def log_partition(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        return projective_log_partition(scores, mask, self._single_root)

    def log_partition_and_marginals(
        self, scores: Tensor, mask: BoolTensor
    ) -> Tuple[Tensor, Tensor]:
        return projective_log_partition_and_marginals(scores, mask, self._single_root)

    def sample(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        return sample_projective_tree(scores, mask, self._single_root)

    def projected_step(self, origin: Tensor, step: Tensor, mask: BoolTensor) -> Tensor:
        """
        Projects onto "one head per token", a simplex per row: the relaxation of Peng et al. (2018),
        which leaves acyclicity, projectivity and the single root to the decoder.
        """
        check_pair(("origin", "step"), ARCS, origin, step, mask)
        return simplex_step(origin, step, mask)
