import pytest
import torch

from spigot_allennlp.nn.arborescence import arborescence
from spigot_allennlp.structures.non_projective_tree import NonProjectiveTree
from tests.structures.dependency_tree_contract import DependencyTreeContract


@pytest.fixture(params=["kernels", "logarithms"], autouse=True)
def path(request, monkeypatch):
    """
    Every test runs twice: with the kernels, and with what other devices than the CPU get.
    """
    monkeypatch.setattr(arborescence, "has_kernels", lambda device: request.param == "kernels")


class TestNonProjectiveTree(DependencyTreeContract):
    tree = NonProjectiveTree
    projective = False
    counts = {False: [1, 3, 16, 125, 1296], True: [1, 2, 9, 64, 625]}


def test_arcs_may_cross():
    structure = NonProjectiveTree()
    scores = torch.zeros(1, 5, 5)
    for dependent, head in enumerate([0, 4, 1, 1], start=1):
        scores[0, dependent, head] = 1
    scores[0, 2, 4] = 3
    mask = structure.part_mask(torch.ones(1, 5, dtype=torch.bool), scores.shape)
    assert structure.argmax(scores, mask)[0, 1:].argmax(-1).tolist() == [0, 4, 1, 1]
