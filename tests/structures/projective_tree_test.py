import math

import pytest
import torch

from spigot_allennlp.nn import eisner
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from tests.nn.dependency_trees import legal_trees
from tests.structures.structure_contract import StructureContract


@pytest.fixture(params=["kernels", "sweep"], autouse=True)
def path(request, monkeypatch):
    """
    Every test runs twice: with the kernels, and with what other devices than the processor get.
    """
    monkeypatch.setattr(eisner, "has_kernels", lambda device: request.param == "kernels")


class TestProjectiveTree(StructureContract):
    @pytest.fixture(params=[True, False], ids=["single_root", "multi_root"])
    def structure(self, request):
        return ProjectiveTree(single_root=request.param)

    def token_mask(self):
        lengths = torch.tensor([4, 1, 3, 2, 0])
        return torch.arange(5) <= lengths.unsqueeze(1)

    def shape(self, token_mask):
        return torch.Size([*token_mask.shape, token_mask.size(1)])

    def enumerate(self, structure, legal):
        return legal_trees(legal, projective=True, single_root=structure._single_root)

    def choices(self, parts):
        return parts

    def relaxed_points(self, legal, number):
        weights = torch.empty((number, *legal.shape), dtype=torch.double).exponential_()
        weights = weights.masked_fill(~legal, 0)
        return weights / weights.sum(dim=-1, keepdim=True).clamp(min=1e-12)

    def test_the_longest_sentence_may_be_longer_than_any_of_the_batch(self, batch):
        longer = torch.nn.functional.pad(batch.scores, (0, 3, 0, 3))
        mask = torch.nn.functional.pad(batch.mask, (0, 3, 0, 3))
        best = batch.structure.argmax(longer, mask)
        assert torch.equal(best[:, :5, :5], batch.argmax())


@pytest.mark.parametrize(
    "single_root, counts", [(False, [1, 3, 12, 55, 273]), (True, [1, 2, 7, 30, 143])]
)
def test_at_zero_scores_every_tree_counts_once(single_root, counts):
    structure = ProjectiveTree(single_root)
    token_mask = torch.arange(6) <= torch.arange(1, 6).unsqueeze(1)
    scores = torch.zeros(5, 6, 6)
    total = structure.log_partition(scores, structure.part_mask(token_mask, scores.shape))
    torch.testing.assert_close(total, torch.tensor([math.log(count) for count in counts]))


def test_one_root_by_default():
    structure = ProjectiveTree()
    token_mask = torch.ones(1, 4, dtype=torch.bool)
    scores = torch.zeros(1, 4, 4)
    scores[:, :, 0] = 5
    best = structure.argmax(scores, structure.part_mask(token_mask, scores.shape))
    assert best[0, :, 0].sum() == 1


def test_nothing_heads_the_root_and_nothing_itself():
    legal = ProjectiveTree().part_mask(torch.tensor([[1, 1, 1, 0]]).bool(), torch.Size([1, 4, 4]))
    expected = torch.tensor([[0, 0, 0, 0], [1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0]]).bool()
    assert torch.equal(legal[0], expected)
