"""What every structure of dependency trees promises beyond `StructureContract`."""

import math
from typing import Dict, List, Type

import pytest
import torch

from spigot_allennlp.structures.structure import Structure
from tests.nn.dependency_trees import legal_trees
from tests.structures.structure_contract import StructureContract


class DependencyTreeContract(StructureContract):
    """
    Inherit, and say which `tree` is tested, and how many there are of one to five tokens, by
    whether the root has exactly one dependent.
    """

    tree: Type[Structure]
    projective: bool
    counts: Dict[bool, List[int]]

    @pytest.fixture(params=[True, False], ids=["single_root", "multi_root"])
    def structure(self, request):
        return self.tree(single_root=request.param)

    def token_mask(self):
        lengths = torch.tensor([4, 1, 3, 2, 0])
        return torch.arange(5) <= lengths.unsqueeze(1)

    def shape(self, token_mask):
        return torch.Size([*token_mask.shape, token_mask.size(1)])

    def enumerate(self, structure, legal):
        return legal_trees(legal, self.projective, single_root=structure._single_root)

    def relaxed_points(self, legal, number):
        weights = torch.empty((number, *legal.shape), dtype=torch.double).exponential_()
        weights = weights.masked_fill(~legal, 0)
        return weights / weights.sum(dim=-1, keepdim=True).clamp(min=1e-12)

    def test_the_longest_sentence_may_be_longer_than_any_of_the_batch(self, batch):
        longer = torch.nn.functional.pad(batch.scores, (0, 3, 0, 3))
        mask = torch.nn.functional.pad(batch.mask, (0, 3, 0, 3))
        for operation in (batch.structure.argmax, batch.structure.marginals):
            inner = operation(longer, mask)[:, :5, :5]
            torch.testing.assert_close(inner, operation(batch.scores, batch.mask))

    def test_at_zero_scores_every_tree_counts_once(self, structure):
        token_mask = torch.arange(6) <= torch.arange(1, 6).unsqueeze(1)
        scores = torch.zeros(5, 6, 6)
        total = structure.log_partition(scores, structure.part_mask(token_mask, scores.shape))
        counts = self.counts[structure._single_root]
        torch.testing.assert_close(total, torch.tensor([math.log(count) for count in counts]))

    def test_one_root_by_default(self):
        structure = self.tree()
        token_mask = torch.ones(1, 4, dtype=torch.bool)
        scores = torch.zeros(1, 4, 4)
        scores[:, :, 0] = 5
        mask = structure.part_mask(token_mask, scores.shape)
        for tree in (structure.argmax(scores, mask), structure.sample(scores, mask)):
            assert tree[0, :, 0].sum() == 1

    def test_nothing_heads_the_root_and_nothing_itself(self):
        token_mask = torch.tensor([[1, 1, 1, 0]]).bool()
        legal = self.tree().part_mask(token_mask, torch.Size([1, 4, 4]))
        expected = torch.tensor([[0, 0, 0, 0], [1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0]]).bool()
        assert torch.equal(legal[0], expected)
