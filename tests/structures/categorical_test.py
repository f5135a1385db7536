import math

import pytest
import torch

from spigot_allennlp.structures.categorical import Categorical
from tests.structures.structure_contract import StructureContract


class CategoricalContract(StructureContract):
    @pytest.fixture
    def structure(self):
        return Categorical()

    def enumerate(self, structure, legal):
        rows = legal.reshape(-1, legal.size(-1))
        nothing = torch.zeros(rows.size(-1), dtype=torch.double)
        options = [
            torch.eye(rows.size(-1), dtype=torch.double)[row] if row.any() else nothing.unsqueeze(0)
            for row in rows
        ]
        choices = torch.cartesian_prod(*[torch.arange(len(row_options)) for row_options in options])
        choices = choices.reshape(-1, len(rows))
        objects = [
            torch.stack([o[c] for o, c in zip(options, choice, strict=True)]) for choice in choices
        ]
        return torch.stack(objects).reshape(-1, *legal.shape)

    def relaxed_points(self, legal, number):
        weights = torch.empty((number, *legal.shape), dtype=torch.double).exponential_()
        weights = weights.masked_fill(~legal, 0)
        return weights / weights.sum(dim=-1, keepdim=True).clamp(min=1e-12)


class TestOneChoicePerInstance(CategoricalContract):
    def token_mask(self):
        return torch.tensor([[1, 1, 1, 1], [1, 0, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]]).bool()

    def shape(self, token_mask):
        return token_mask.shape


class TestOneChoicePerToken(CategoricalContract):
    def token_mask(self):
        return torch.tensor([[1, 1, 1], [1, 0, 0], [1, 1, 0], [0, 0, 0]]).bool()

    def shape(self, token_mask):
        return torch.Size([*token_mask.shape, 3])


def test_at_zero_scores_every_choice_counts_once():
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]]).bool()
    total = Categorical().log_partition(torch.zeros(2, 5), mask)
    torch.testing.assert_close(total, torch.tensor([math.log(5), math.log(2)]))


def test_marginals_are_the_softmax():
    scores = torch.tensor([[0.3, -1.0, 2.0]])
    marginals = Categorical().marginals(scores, torch.ones(1, 3, dtype=torch.bool))
    torch.testing.assert_close(marginals, scores.softmax(dim=-1))
