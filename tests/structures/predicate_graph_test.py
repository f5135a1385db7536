import math

import pytest
import torch

from spigot_allennlp.structures.predicate_graph import PredicateGraph
from tests.structures.semantic_graph_test import GraphContract, vocabulary


class PredicateContract(GraphContract):
    def token_mask(self):
        return torch.arange(3) <= torch.tensor([2, 1, 0]).unsqueeze(1)

    def enumerate(self, structure, legal):
        """Every choice of arcs, the diagonal among them, whose heads are all on the diagonal."""
        objects = super().enumerate(structure, legal)
        predicates = objects[..., 0].diagonal(dim1=1, dim2=2)
        # (num_objects, head)
        num_arcs = objects.sum(dim=(1, 3)) - predicates
        return objects[((predicates == 1) | (num_arcs == 0)).all(dim=1)]


class TestUnlabelledPredicateGraph(PredicateContract):
    num_labels = 1

    @pytest.fixture
    def structure(self):
        return PredicateGraph()


class TestLabelledPredicateGraph(PredicateContract):
    num_labels = 3

    @pytest.fixture
    def structure(self):
        return PredicateGraph()


class TestPredicateGraphWithDeterministicRoles(PredicateContract):
    num_labels = 2

    @pytest.fixture
    def structure(self):
        return PredicateGraph(["ARG1"], vocabulary("ARG1"))

    def token_mask(self):
        return torch.arange(4) <= torch.tensor([3, 2, 0]).unsqueeze(1)

    def enumerate(self, structure, legal):
        objects = super().enumerate(structure, legal)
        repeated = objects[..., 1].sum(dim=1) > 1
        return objects[~repeated.any(dim=1)]


def scores_by_hand():
    """Two tokens, unlabelled: 1 heads 2 at score 0.5, 2 heads 1 at 0.2, no tops, no root."""
    scores = torch.full((1, 3, 3, 1), -torch.inf)
    scores[0, 2, 1], scores[0, 1, 2] = 0.5, 0.2
    return scores


def test_a_predicate_has_to_be_worth_it():
    scores, structure = scores_by_hand(), PredicateGraph()
    scores[0, 1, 1], scores[0, 2, 2] = -0.4, -0.4
    mask = structure.part_mask(torch.ones(1, 3, dtype=torch.bool), scores.shape)
    # 0.5 - 0.4 is above zero, 0.2 - 0.4 below
    assert structure.argmax(scores, mask)[0, :, :, 0].nonzero().tolist() == [[1, 1], [2, 1]]
    scores[0, 2, 2] = 0.1
    assert structure.argmax(scores, mask)[0, 1, 2] == 1


def test_the_log_partition_is_a_product_over_predicates_by_hand():
    scores, structure = scores_by_hand(), PredicateGraph()
    scores[0, 1, 1], scores[0, 2, 2] = -0.4, 0.3
    mask = structure.part_mask(torch.ones(1, 3, dtype=torch.bool), scores.shape)
    first = math.log(1 + math.exp(-0.4) * (1 + math.exp(0.5)))
    second = math.log(1 + math.exp(0.3) * (1 + math.exp(0.2)))
    total = structure.log_partition(scores, mask)
    torch.testing.assert_close(total, torch.tensor([first + second]))


def test_the_diagonal_and_the_arcs_are_legal_with_their_labels():
    tokens = torch.tensor([[True, True, False]])
    mask = PredicateGraph().part_mask(tokens, torch.Size([1, 3, 3, 2]))[0]
    # the predicates 0 and 1; the top 1
    assert mask.nonzero().tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0]]
