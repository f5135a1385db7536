"""The norm cap means the same for every estimator that has one."""

import inspect

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from spigot_allennlp import estimators  # noqa: F401  (registers them)
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator, SurrogateEstimator
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from tests.estimators.backward import linear, scores_gradient

CAPPED = [
    name
    for name in GradientEstimator.list_available()
    if issubclass(GradientEstimator.by_name(name), SurrogateEstimator)
]
# The step sizes of those that have one that is not 1.
STEP_SIZES = {"blackbox": 10.0}
SCORES, MASK = torch.tensor([[2.0, 0.0, 1.0]]), torch.ones(1, 3, dtype=torch.bool)


def estimator_of(name, **options):
    return GradientEstimator.from_params(Params({"type": name, **options}))


def tree_gradient(estimator, costs, reduce=torch.mean):
    torch.manual_seed(3)
    structure, scores = ProjectiveTree(), torch.randn(costs.shape)
    mask = structure.part_mask(torch.ones(costs.shape[:2], dtype=torch.bool), costs.shape)
    return scores_gradient(estimator, structure, scores, mask, linear(costs), reduce)


def lengths_of(costs):
    """The norm of the costs of legal arcs, by instance."""
    mask = ProjectiveTree().part_mask(torch.ones(costs.shape[:2], dtype=torch.bool), costs.shape)
    return costs.masked_fill(~mask, 0).flatten(1).norm(dim=1).reshape(-1, 1, 1)


@pytest.fixture
def costs():
    torch.manual_seed(4)
    return torch.randn(3, 5, 5) * torch.tensor([0.01, 1.0, 100.0]).reshape(3, 1, 1)


def test_every_surrogate_but_the_exact_ones_has_it():
    without = set(GradientEstimator.list_available()) - set(CAPPED)
    assert without == {"pipeline", "reinforce", "structured_attention", "stochastic_softmax"}


def test_straight_through_by_hand():
    gradient = scores_gradient(
        estimator_of("straight_through", max_step_norm=0.5),
        Categorical(),
        SCORES,
        MASK,
        linear(torch.tensor([[3.0, 0.0, -4.0]])),
    )
    torch.testing.assert_close(gradient, torch.tensor([[0.3, 0.0, -0.4]]))


def test_straight_through_marginals_by_hand():
    # p = (.66524, .09003, .24473), g = (.3, 0, -.4), <p, g> = .10168, J g = p * (g - <p, g>)
    gradient = scores_gradient(
        estimator_of("straight_through_marginals", max_step_norm=0.5),
        Categorical(),
        SCORES,
        MASK,
        linear(torch.tensor([[3.0, 0.0, -4.0]])),
    )
    torch.testing.assert_close(
        gradient, torch.tensor([[0.13193, -0.00915, -0.12278]]), rtol=0, atol=2e-5
    )


@pytest.mark.parametrize("name", CAPPED)
def test_a_long_step_is_that_of_a_gradient_scaled_down(name, costs):
    step = STEP_SIZES.get(name, 1.0)
    capped = tree_gradient(estimator_of(name, max_step_norm=0.5), costs)
    factor = (0.5 / (step * lengths_of(costs))).clamp(max=1)
    assert (factor == 1).any() and (factor < 1).any()
    torch.testing.assert_close(capped, tree_gradient(estimator_of(name), factor * costs))


@pytest.mark.parametrize("name", CAPPED)
def test_short_steps_stay_as_they_are(name, costs):
    capped = tree_gradient(estimator_of(name, max_step_norm=1e9), costs)
    assert torch.equal(capped, tree_gradient(estimator_of(name), costs))


@pytest.mark.parametrize("name", CAPPED)
def test_the_cap_is_that_of_an_instance_whatever_the_batch_does(name, costs):
    of_sum = tree_gradient(estimator_of(name, max_step_norm=0.5), costs, torch.sum)
    of_mean = tree_gradient(estimator_of(name, max_step_norm=0.5), costs)
    torch.testing.assert_close(of_mean, of_sum / 3)


@pytest.mark.parametrize("value", [0, -1.0, float("nan")])
@pytest.mark.parametrize("name", CAPPED)
def test_it_must_be_positive(name, value):
    with pytest.raises(ConfigurationError, match=f"max_step_norm must be positive but is {value}"):
        estimator_of(name, max_step_norm=value)


@pytest.mark.parametrize("name", CAPPED)
def test_a_config_can_set_it(name):
    assert "max_step_norm" in inspect.signature(GradientEstimator.by_name(name)).parameters
