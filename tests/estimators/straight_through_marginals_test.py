import pytest
import torch
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.estimators.straight_through_marginals import StraightThroughMarginals
from spigot_allennlp.estimators.structured_attention import StructuredAttention
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from tests.estimators.backward import linear, scores_gradient

SCORES, MASK = torch.tensor([[0.1, 0.9, 0.5]]), torch.ones(1, 3, dtype=torch.bool)
COSTS = torch.tensor([[1.0, -2.0, 3.0]])


def test_the_value_is_exactly_the_argmax():
    value = StraightThroughMarginals()(ArgmaxProblem(Categorical(), SCORES, MASK))
    assert value.tolist() == [[0, 1, 0]]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_on_one_choice_the_gradient_is_that_of_the_softmax_with_all_of_its_jacobian(temperature):
    estimator = StraightThroughMarginals(temperature)
    gradient = scores_gradient(estimator, Categorical(), SCORES, MASK, linear(COSTS))
    p = (SCORES[0] / temperature).softmax(dim=-1)
    jacobian = (torch.diag(p) - torch.outer(p, p)) / temperature
    torch.testing.assert_close(gradient[0], jacobian @ COSTS[0])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_low_temperature_loses_no_more_in_half_precision_than_the_scores(dtype):
    near = torch.tensor([[9.9375, 9.875, 1.0]], dtype=dtype)
    for scores, temperature in ((near, 0.1), (100 * near, 0.01)):
        half, single = (
            scores_gradient(
                StraightThroughMarginals(temperature), Categorical(), tensor, MASK, linear(COSTS)
            )
            for tensor in (scores, scores.float())
        )
        torch.testing.assert_close(half.float(), single, atol=0.05, rtol=0.02)


def test_on_trees_with_a_linear_loss_it_is_structured_attention():
    torch.manual_seed(2)
    scores, costs = torch.randn(2, 3, 5, 5)
    structure = ProjectiveTree()
    mask = structure.part_mask(torch.ones(3, 5, dtype=torch.bool), scores.shape)
    ours, theirs = (
        scores_gradient(estimator, structure, scores, mask, linear(costs))
        for estimator in (StraightThroughMarginals(), StructuredAttention())
    )
    torch.testing.assert_close(ours, theirs)


def test_a_temperature_that_is_not_positive_is_refused():
    with pytest.raises(ConfigurationError, match="temperature must be positive but is 0"):
        StraightThroughMarginals(0)
