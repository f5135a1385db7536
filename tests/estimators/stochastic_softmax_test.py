import torch

from spigot_allennlp.estimators.noise import GumbelNoise
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.estimators.stochastic_softmax import StochasticSoftmax
from spigot_allennlp.estimators.structured_attention import StructuredAttention
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.non_projective_tree import NonProjectiveTree
from tests.estimators.backward import linear, scores_gradient

SCORES = torch.tensor([[1.0, 0.0, -0.5]])
MASK = torch.ones(1, 3, dtype=torch.bool)


def test_on_one_choice_it_is_the_gumbel_softmax():
    torch.manual_seed(7)
    noise = GumbelNoise().sample(ArgmaxProblem(Categorical(), SCORES, MASK))
    torch.manual_seed(7)
    value = StochasticSoftmax(0.3)(ArgmaxProblem(Categorical(), SCORES, MASK))
    torch.testing.assert_close(value, ((SCORES + noise) / 0.3).softmax(dim=-1))


def test_on_trees_value_and_gradient_are_those_of_the_marginals_of_perturbed_scores():
    torch.manual_seed(2)
    scores, costs = torch.randn(2, 2, 5, 5)
    structure = NonProjectiveTree()
    mask = structure.part_mask(torch.ones(2, 5, dtype=torch.bool), scores.shape)
    torch.manual_seed(7)
    noise = GumbelNoise(0.4).sample(ArgmaxProblem(structure, scores, mask))
    expected = scores_gradient(
        StructuredAttention(0.5), structure, scores + noise, mask, linear(costs)
    )
    torch.manual_seed(7)
    estimator = StochasticSoftmax(0.5, GumbelNoise(0.4))
    gradient = scores_gradient(estimator, structure, scores, mask, linear(costs))
    torch.testing.assert_close(gradient, expected)


def test_at_test_time_the_value_is_the_argmax_without_noise():
    layer = StructuredArgmaxLayer(Categorical(), StochasticSoftmax()).eval()
    assert all(layer(SCORES, MASK).value.tolist() == [[1, 0, 0]] for _ in range(20))
