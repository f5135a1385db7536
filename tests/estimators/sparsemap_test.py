import pytest
import torch
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.estimators.sparsemap import SparseMAP
from spigot_allennlp.projections.sparsemap import SparseMAPProjection
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from spigot_allennlp.structures.semantic_graph import SemanticGraph
from tests.estimators.backward import linear, scores_gradient
from tests.nn.dependency_trees import dependency_trees

SCORES = torch.tensor([[0.9, 0.5, -3.0]], dtype=torch.double)
MASK = torch.ones(1, 3, dtype=torch.bool)


def test_on_one_choice_it_is_the_sparsemax_and_its_jacobian():
    value = SparseMAP()(ArgmaxProblem(Categorical(), SCORES, MASK))
    torch.testing.assert_close(value, torch.tensor([[0.7, 0.3, 0.0]], dtype=torch.double))
    costs = torch.tensor([[1.0, 3.0, 7.0]], dtype=torch.double)
    gradient = scores_gradient(SparseMAP(), Categorical(), SCORES, MASK, linear(costs))
    # On the support (1, 2): the costs without their mean there.
    torch.testing.assert_close(gradient, torch.tensor([[-1.0, 1.0, 0.0]], dtype=torch.double))


@pytest.mark.parametrize("temperature", [0.5, 4.0])
def test_on_trees_the_gradient_is_that_of_finite_differences(temperature):
    torch.manual_seed(4)
    scores, costs = torch.randn(2, 1, 4, 4, dtype=torch.double)
    structure, estimator = ProjectiveTree(), SparseMAP(temperature)
    mask = structure.part_mask(torch.ones(1, 4, dtype=torch.bool), scores.shape)

    def loss(point):
        return (estimator(ArgmaxProblem(structure, point, mask)) * costs).sum()

    gradient = scores_gradient(estimator, structure, scores, mask, linear(costs), torch.sum)
    for place in mask.nonzero():
        nudge = torch.zeros_like(scores)
        nudge[tuple(place)] = 1e-6
        slope = (loss(scores + nudge) - loss(scores - nudge)) / 2e-6
        torch.testing.assert_close(gradient[tuple(place)], slope, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("num_labels", [1, 3])
def test_on_graphs_the_closed_form_is_what_the_active_set_finds(num_labels):
    class Oracle(SemanticGraph):
        def provides(self, operation):
            return operation != "hull_jvp"

    torch.manual_seed(4)
    scores, costs = torch.randn(2, 2, 3, 3, num_labels, dtype=torch.double)
    tokens = torch.ones(2, 3, dtype=torch.bool)
    mask = SemanticGraph().part_mask(tokens, scores.shape).expand(scores.shape)
    values, gradients = [], []
    for structure in (SemanticGraph(), Oracle()):
        values.append(SparseMAP(0.7)(ArgmaxProblem(structure, scores, mask)))
        gradients.append(
            scores_gradient(SparseMAP(0.7), structure, scores, mask, linear(costs), torch.sum)
        )
    torch.testing.assert_close(*values)
    torch.testing.assert_close(*gradients, atol=1e-5, rtol=1e-4)


def test_on_trees_no_mean_of_trees_is_nearer():
    torch.manual_seed(1)
    scores = torch.randn(1, 4, 4, dtype=torch.double)
    structure = ProjectiveTree()
    mask = structure.part_mask(torch.ones(1, 4, dtype=torch.bool), scores.shape)
    value = SparseMAP(temperature=3.0)(ArgmaxProblem(structure, scores, mask))[0]
    trees = dependency_trees(3, projective=True, single_root=True)
    target = (scores[0] / 3.0).masked_fill(~mask[0], 0)
    towards = ((target - value) * (trees - value)).flatten(1).sum(dim=1)
    assert towards.max() < 1e-8


def test_towards_temperature_zero_it_is_the_argmax_without_gradient():
    value = SparseMAP(1e-3)(ArgmaxProblem(Categorical(), SCORES, MASK))
    assert value.tolist() == [[1, 0, 0]]
    costs = torch.tensor([[1.0, 3.0, 7.0]], dtype=torch.double)
    gradient = scores_gradient(SparseMAP(1e-3), Categorical(), SCORES, MASK, linear(costs))
    assert gradient.abs().max() < 1e-9


@pytest.mark.parametrize("name", ["temperature", "max_iterations", "tolerance"])
def test_settings_must_be_positive(name):
    with pytest.raises(ConfigurationError, match=f"{name} must be positive but is 0"):
        SparseMAP(**{name: 0})


@pytest.mark.parametrize("kind", [SparseMAP, SparseMAPProjection])
def test_steps_are_whole_numbers(kind):
    with pytest.raises(ConfigurationError, match="max_iterations must be a whole number but is"):
        kind(max_iterations=2.5)
