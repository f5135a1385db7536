import pytest
import torch
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.estimators.identity_with_projection import IdentityWithProjection
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.estimators.straight_through import StraightThrough
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from spigot_allennlp.structures.semantic_graph import SemanticGraph
from tests.estimators.backward import linear, scores_gradient

SCORES = torch.tensor([[2.0, 0.0, 1.0, 9.0]], dtype=torch.double)
MASK = torch.tensor([[True, True, True, False]])
COSTS = torch.tensor([[1.0, -2.0, 4.0, 5.0]], dtype=torch.double)


def gradient(estimator, scores=SCORES, costs=COSTS):
    return scores_gradient(estimator, Categorical(), scores, MASK, linear(costs), torch.sum)


def test_without_both_projections_it_is_straight_through():
    grad = gradient(IdentityWithProjection(center=False, normalize=False))
    assert torch.equal(grad, gradient(StraightThrough()))


def test_centred_the_gradient_loses_its_mean():
    grad = gradient(IdentityWithProjection(normalize=False))
    torch.testing.assert_close(grad, torch.tensor([[0.0, -3.0, 3.0, 0.0]], dtype=torch.double))


def test_normalised_the_gradient_loses_what_lies_along_the_scores():
    # (2, 0, 1) / sqrt 5; the costs (1, -2, 4) without their part along it, over the norm
    grad = gradient(IdentityWithProjection(center=False))
    unit = SCORES[0, :3] / 5**0.5
    across = COSTS[0, :3] - (COSTS[0, :3] @ unit) * unit
    torch.testing.assert_close(grad[0, :3], across / 5**0.5)


def test_the_gradient_is_at_right_angles_to_a_constant_and_to_the_scores():
    grad = gradient(IdentityWithProjection())[0, :3]
    assert grad.any()
    assert grad.sum().abs() < 1e-12 and (grad @ SCORES[0, :3]).abs() < 1e-12


def test_the_projection_does_not_change_the_tree():
    torch.manual_seed(0)
    scores, structure = 5 + 3 * torch.randn(20, 6, 6), ProjectiveTree()
    mask = structure.part_mask(torch.ones(20, 6, dtype=torch.bool), scores.shape)
    value = IdentityWithProjection()(ArgmaxProblem(structure, scores, mask))
    assert torch.equal(value, structure.argmax(scores, mask))


def test_equal_scores_give_a_finite_gradient():
    grad = gradient(IdentityWithProjection(), torch.ones_like(SCORES))
    torch.testing.assert_close(grad, torch.tensor([[0.0, -3.0, 3.0, 0.0]], dtype=torch.double))


def test_a_structure_whose_argmax_a_constant_changes_is_refused_with_the_way_out():
    with pytest.raises(ConfigurationError, match="SemanticGraph.*center: false"):
        StructuredArgmaxLayer(SemanticGraph(), IdentityWithProjection())
    StructuredArgmaxLayer(SemanticGraph(), IdentityWithProjection(center=False))


def test_a_score_of_minus_infinity_counts_neither_in_the_mean_nor_in_the_norm():
    scores = torch.tensor([[1.0, 4.0, -torch.inf, 2.0]], requires_grad=True)
    problem = ArgmaxProblem(Categorical(), scores, torch.ones(1, 4, dtype=torch.bool))
    value = IdentityWithProjection()(problem)
    assert value.tolist() == [[0.0, 1.0, 0.0, 0.0]]
    (gradient,) = torch.autograd.grad((value * torch.tensor([3.0, -1.0, 9.0, 2.0])).sum(), scores)
    possible = torch.tensor([[1.0, 4.0, 2.0]], requires_grad=True)
    problem = ArgmaxProblem(Categorical(), possible, torch.ones(1, 3, dtype=torch.bool))
    value = IdentityWithProjection()(problem)
    (expected,) = torch.autograd.grad((value * torch.tensor([3.0, -1.0, 2.0])).sum(), possible)
    torch.testing.assert_close(gradient[:, [0, 1, 3]], expected)
    assert gradient[0, 2] == 0


def test_scores_whose_squares_overflow_keep_their_best_object():
    scores = torch.tensor([[1e25, 3e25, 2e25]])
    problem = ArgmaxProblem(Categorical(), scores, torch.ones(1, 3, dtype=torch.bool))
    assert IdentityWithProjection()(problem).tolist() == [[0.0, 1.0, 0.0]]
