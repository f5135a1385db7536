import pytest
import torch
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.estimators.structured_attention import StructuredAttention
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from tests.estimators.backward import linear, scores_gradient
from tests.nn.dependency_trees import dependency_trees

SCORES = torch.tensor([[0.0, 1.0, 2.0]], dtype=torch.double)
MASK = torch.ones(1, 3, dtype=torch.bool)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_on_three_numbers_it_is_the_softmax_and_its_jacobian(temperature):
    costs = torch.tensor([[1.0, -2.0, 3.0]], dtype=torch.double)
    estimator = StructuredAttention(temperature)
    softmax = (SCORES / temperature).softmax(dim=-1)
    value = estimator(ArgmaxProblem(Categorical(), SCORES, MASK))
    torch.testing.assert_close(value, softmax)
    gradient = scores_gradient(estimator, Categorical(), SCORES, MASK, linear(costs))
    by_hand = softmax * (costs - (softmax * costs).sum()) / temperature
    torch.testing.assert_close(gradient, by_hand)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_low_temperature_loses_no_more_in_half_precision_than_the_scores(dtype):
    scores = torch.tensor([[1000.0, 996.0, 1.0]], dtype=dtype)
    value = StructuredAttention(0.01)(ArgmaxProblem(Categorical(), scores, MASK))
    torch.testing.assert_close(value.float(), (scores.float() / 0.01).softmax(dim=-1))
    near = torch.tensor([[9.9375, 9.875, 1.0]], dtype=dtype)
    value = StructuredAttention(0.1)(ArgmaxProblem(Categorical(), near, MASK))
    expected = (near.float() / 0.1).softmax(dim=-1)
    torch.testing.assert_close(value.float(), expected, atol=5e-3, rtol=0)


def test_on_trees_the_gradient_is_the_covariance_of_the_trees():
    torch.manual_seed(0)
    scores, costs = torch.randn(2, 1, 5, 5, dtype=torch.double)
    structure = ProjectiveTree()
    mask = structure.part_mask(torch.ones(1, 5, dtype=torch.bool), scores.shape)
    trees = dependency_trees(4, projective=True, single_root=True)
    weights = (trees * scores).flatten(1).sum(1).softmax(0)
    tree_costs = (trees * costs).flatten(1).sum(1)
    centred = tree_costs - (weights * tree_costs).sum()
    covariance = torch.einsum("t,t,tij->ij", weights, centred, trees)
    gradient = scores_gradient(StructuredAttention(), structure, scores, mask, linear(costs))
    torch.testing.assert_close(gradient[0], covariance)


def test_towards_temperature_zero_it_is_the_argmax_without_gradient():
    problem = ArgmaxProblem(Categorical(), SCORES, MASK)
    assert StructuredAttention(1e-4)(problem).tolist() == [[0, 0, 1]]


def test_without_backpropagation_the_value_is_the_same_and_nothing_comes_back():
    control = StructuredAttention(0.5, backpropagate=False)
    problem = ArgmaxProblem(Categorical(), SCORES, MASK)
    torch.testing.assert_close(control(problem), StructuredAttention(0.5)(problem))
    costs = torch.tensor([[1.0, -2.0, 3.0]], dtype=torch.double)
    assert not scores_gradient(control, Categorical(), SCORES, MASK, linear(costs)).any()


def test_the_value_is_relaxed_at_test_time_as_well():
    assert StructuredAttention.relaxed


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_that_is_not_positive_is_refused(temperature):
    with pytest.raises(ConfigurationError, match=f"temperature.*{temperature}"):
        StructuredAttention(temperature)
