import torch

from spigot_allennlp.estimators.pipeline import Pipeline
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.structures.categorical import Categorical
from tests.estimators.backward import linear, scores_gradient

SCORES, MASK = torch.tensor([[0.1, 0.9, 0.5]]), torch.ones(1, 3, dtype=torch.bool)


def test_the_value_is_the_argmax():
    value = Pipeline()(ArgmaxProblem(Categorical(), SCORES, MASK))
    assert value.tolist() == [[0, 1, 0]]


def test_nothing_comes_back():
    costs = torch.tensor([[1.0, 2.0, 3.0]])
    assert not scores_gradient(Pipeline(), Categorical(), SCORES, MASK, linear(costs)).any()
