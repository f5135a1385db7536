import torch

from spigot_allennlp.estimators.noise import GumbelNoise
from spigot_allennlp.estimators.perturb_and_map import PerturbAndMAP
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.estimators.straight_through_marginals import StraightThroughMarginals
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from tests.estimators.backward import linear, scores_gradient

SCORES = torch.tensor([[1.0, 0.0, -0.5]])
MASK = torch.ones(1, 3, dtype=torch.bool)


def test_on_one_choice_with_gumbel_noise_the_value_is_an_exact_sample():
    torch.manual_seed(0)
    many = SCORES.expand(40000, 3)
    value = PerturbAndMAP()(ArgmaxProblem(Categorical(), many, MASK.expand(40000, 3)))
    torch.testing.assert_close(value.mean(dim=0), SCORES[0].softmax(-1), atol=0.01, rtol=0)


def test_the_value_is_the_best_tree_of_perturbed_scores():
    scores, structure = torch.zeros(1, 5, 5), ProjectiveTree()
    mask = structure.part_mask(torch.ones(1, 5, dtype=torch.bool), scores.shape)
    problem = ArgmaxProblem(structure, scores, mask)
    torch.manual_seed(7)
    noise = GumbelNoise(2.0).sample(problem)
    torch.manual_seed(7)
    value = PerturbAndMAP(noise=GumbelNoise(2.0))(problem)
    assert torch.equal(value, structure.argmax(noise, mask))


def test_the_gradient_goes_through_the_marginals_of_the_same_perturbed_scores():
    costs = torch.tensor([[1.0, -2.0, 3.0]])
    torch.manual_seed(7)
    noise = GumbelNoise().sample(ArgmaxProblem(Categorical(), SCORES, MASK))
    expected = scores_gradient(
        StraightThroughMarginals(0.5), Categorical(), SCORES + noise, MASK, linear(costs)
    )
    torch.manual_seed(7)
    gradient = scores_gradient(PerturbAndMAP(0.5), Categorical(), SCORES, MASK, linear(costs))
    torch.testing.assert_close(gradient, expected)
