import pytest

from spigot_allennlp.nn.eisner import eisner
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from tests.structures.dependency_tree_contract import DependencyTreeContract


@pytest.fixture(params=["kernels", "torch_fallback"], autouse=True)
def path(request, monkeypatch):
    """
    Every test runs twice: with the kernels, and with what other devices than the CPU get.
    """
    monkeypatch.setattr(eisner, "has_kernels", lambda device: request.param == "kernels")


class TestProjectiveTree(DependencyTreeContract):
    tree = ProjectiveTree
    projective = True
    counts = {False: [1, 3, 12, 55, 273], True: [1, 2, 7, 30, 143]}
