import pytest
import torch
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.estimators.noise import GumbelNoise, NormalNoise, SumOfGammaNoise
from spigot_allennlp.estimators.perturbed import Perturbed
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from tests.estimators.expected_gradient import mean_gradient

SCORES = torch.tensor([0.6, 0.0, -0.5])
COSTS = torch.tensor([1.0, -2.0, 0.5])
TOKENS = torch.ones(3, dtype=torch.bool)


def softmax_gradient(scale):
    p = (SCORES / scale).softmax(dim=-1)
    return p * (COSTS - p @ COSTS) / scale


@pytest.mark.parametrize("control_variate", [True, False])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_with_gumbel_noise_on_one_choice_the_mean_gradient_is_that_of_the_softmax(
    scale, control_variate
):
    estimator = Perturbed(4, GumbelNoise(scale), control_variate)
    estimate = mean_gradient(estimator, Categorical(), SCORES, TOKENS, COSTS, 30000)
    torch.testing.assert_close(estimate, softmax_gradient(scale), atol=0.03, rtol=0)


def test_with_normal_noise_on_two_parts_the_mean_gradient_is_that_of_the_normal_distribution():
    # The first of two wins if a normal number of variance 2 is below the difference of scores.
    scores, costs = SCORES[:2], torch.tensor([3.0, 0.0])
    density = torch.distributions.Normal(0.0, 2**0.5).log_prob(scores[0] - scores[1]).exp()
    estimate = mean_gradient(Perturbed(4), Categorical(), scores, TOKENS[:2], costs, 30000)
    torch.testing.assert_close(estimate, 3 * density * torch.tensor([1.0, -1.0]), atol=0.03, rtol=0)


def test_on_trees_the_mean_gradient_is_the_slope_of_the_mean_tree():
    torch.manual_seed(3)
    scores, costs = torch.randn(2, 3, 3)
    structure, tokens = ProjectiveTree(), torch.ones(3, dtype=torch.bool)
    estimate = mean_gradient(Perturbed(4), structure, scores, tokens, costs, 20000)
    # The same noise on both sides of each part, at a distance that is not small
    noise = torch.randn(100000, 3, 3)
    mask = structure.part_mask(tokens.unsqueeze(0), noise[:1].shape).expand_as(noise)
    slopes = torch.zeros(3, 3)
    for dependent, head in mask[0].nonzero().tolist():
        nudge = torch.zeros(3, 3)
        nudge[dependent, head] = 0.1
        ahead, behind = (structure.argmax(scores + sign * nudge + noise, mask) for sign in (1, -1))
        slopes[dependent, head] = ((ahead - behind) * costs).sum(dim=(1, 2)).mean() / 0.2
    torch.testing.assert_close(estimate, slopes, atol=0.04, rtol=0)


def test_the_control_variate_reduces_the_variance():
    def spread(control_variate):
        torch.manual_seed(1)
        many = (5 * SCORES).expand(4000, 3).clone().requires_grad_()
        estimator = Perturbed(1, NormalNoise(), control_variate)
        value = estimator(ArgmaxProblem(Categorical(), many, torch.ones(4000, 3).bool()))
        (value * (COSTS + 5)).sum().backward()
        return many.grad.var(dim=0).sum()

    assert spread(True) < spread(False) / 10


def test_the_value_is_the_mean_of_the_objects_and_one_sample_is_an_object():
    torch.manual_seed(0)
    problem = ArgmaxProblem(Categorical(), SCORES.unsqueeze(0), TOKENS.unsqueeze(0))
    assert (Perturbed(8)(problem) * 8).frac().abs().max() == 0
    assert sorted(Perturbed(1)(problem)[0].tolist()) == [0, 0, 1]
    assert Perturbed(8).relaxed and not Perturbed(1).relaxed


def test_noise_without_a_slope_is_refused_when_the_config_is_read():
    with pytest.raises(ConfigurationError, match="Perturbed.*SumOfGammaNoise"):
        Perturbed(noise=SumOfGammaNoise())
    with pytest.raises(ConfigurationError, match="num_samples must be positive but is 0"):
        Perturbed(0)
