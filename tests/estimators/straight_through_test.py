import torch

from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.estimators.straight_through import StraightThrough
from spigot_allennlp.structures.categorical import Categorical
from tests.estimators.backward import linear, scores_gradient

SCORES, MASK = torch.tensor([[0.1, 0.9, 0.5, 7.0]]), torch.tensor([[True, True, True, False]])


def test_the_value_is_the_argmax():
    value = StraightThrough()(ArgmaxProblem(Categorical(), SCORES, MASK))
    assert value.tolist() == [[0, 1, 0, 0]]


def test_the_gradient_comes_back_as_it_is_on_legal_parts():
    costs = torch.tensor([[1.0, -2.0, 3.0, 4.0]])
    gradient = scores_gradient(StraightThrough(), Categorical(), SCORES, MASK, linear(costs))
    assert gradient.tolist() == [[1, -2, 3, 0]]
