"""What `spigot_ce` and `spigot_eg` have in common; `spigot` has a file of its own."""

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.estimators.spigot import Spigot
from spigot_allennlp.estimators.spigot_ce import SpigotCE
from spigot_allennlp.estimators.spigot_eg import SpigotEG
from spigot_allennlp.estimators.structured_attention import StructuredAttention
from spigot_allennlp.projections.projection import IdentityProjection
from spigot_allennlp.projections.sparsemap import SparseMAPProjection
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from tests.estimators.backward import linear, quadratic, scores_gradient

SCORES = torch.tensor([[2.0, 0.0, 1.0]], dtype=torch.double)
MASK = torch.ones(1, 3, dtype=torch.bool)
TARGET = torch.tensor([[0.0, 2.0, 0.0]], dtype=torch.double)
FROM_MARGINALS = pytest.mark.parametrize("kind", [SpigotCE, SpigotEG])


def on_three_numbers(estimator, downstream, scores=SCORES):
    return scores_gradient(estimator, Categorical(), scores, MASK, downstream, torch.sum)


def on_trees(estimator, downstream, scores):
    structure = ProjectiveTree()
    mask = structure.part_mask(torch.ones(scores.shape[:2], dtype=torch.bool), scores.shape)
    return scores_gradient(estimator, structure, scores, mask, downstream, torch.sum)


@pytest.fixture
def trees():
    torch.manual_seed(5)
    return torch.randn(2, 3, 5, 5, dtype=torch.double)


@FROM_MARGINALS
def test_the_value_is_the_argmax(kind):
    assert kind()(ArgmaxProblem(Categorical(), SCORES, MASK, linear(TARGET))).tolist() == [
        [1, 0, 0]
    ]


@FROM_MARGINALS
def test_the_gradient_is_taken_at_the_marginals_and_not_the_one_that_arrives(kind):
    # A loss that is flat at the argmax and steep at the marginals.
    def downstream(value):
        return ((value - torch.tensor([1.0, 0.0, 0.0])) ** 2).sum(dim=1)

    assert on_three_numbers(kind(), downstream).any()
    assert not on_three_numbers(Spigot(), downstream).any()


def test_cross_entropy_by_hand():
    # All scores equal: mu is (1/3, 1/3, 1/3). The step .3 (1, 0, 0) leads to (1/30, 1/3, 1/3),
    # whose projection adds .1 to each.
    costs = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.double)
    gradient = on_three_numbers(SpigotCE(step_size=0.3), linear(costs), torch.zeros_like(SCORES))
    torch.testing.assert_close(gradient, torch.tensor([[0.2, -0.1, -0.1]], dtype=torch.double))


def test_exponentiated_gradient_by_hand():
    # mu is (1/2, 1/4, 1/4); a step of log 2 against the first halves its weight: (1, 1, 1) / 3.
    scores = torch.tensor([[2.0, 1.0, 1.0]], dtype=torch.double).log()
    costs = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.double)
    step = torch.tensor(2.0, dtype=torch.double).log().item()
    gradient = on_three_numbers(SpigotEG(step_size=step), linear(costs), scores)
    expected = torch.tensor([[1 / 6, -1 / 12, -1 / 12]], dtype=torch.double)
    torch.testing.assert_close(gradient, expected)


def test_two_steps_of_cross_entropy_by_hand():
    estimator = SpigotCE(step_size=0.25, num_steps=2, projection=IdentityProjection())
    gradient = on_three_numbers(estimator, quadratic(TARGET))
    mu = SCORES.softmax(dim=-1)
    once = mu - 0.25 * (mu - TARGET)
    torch.testing.assert_close(gradient, mu - (once - 0.25 * (once - TARGET)))


def test_two_steps_of_exponentiated_gradient_by_hand():
    gradient = on_three_numbers(SpigotEG(step_size=0.5, num_steps=2), quadratic(TARGET))
    mu = SCORES.softmax(dim=-1)
    moved = SCORES - 0.5 * (mu - TARGET)
    moved = moved - 0.5 * (moved.softmax(dim=-1) - TARGET)
    torch.testing.assert_close(gradient, mu - moved.softmax(dim=-1))


@pytest.mark.parametrize("size", [1e-4, 1e-8])
def test_small_exponentiated_steps_are_the_jacobian_of_the_marginals(trees, size):
    scores, target = trees
    exact = on_trees(StructuredAttention(), quadratic(target), scores)
    gradient = on_trees(SpigotEG(step_size=size), quadratic(target), scores)
    torch.testing.assert_close(gradient / size, exact, rtol=1e-2, atol=1e-2 * exact.abs().max())


def test_a_step_of_1e_7_comes_through_in_single_precision(trees):
    scores, target = trees.float()
    exact = on_trees(StructuredAttention(), quadratic(target), scores)
    gradient = on_trees(SpigotEG(step_size=1e-7), quadratic(target), scores)
    assert gradient.dtype == torch.float32
    torch.testing.assert_close(gradient / 1e-7, exact, rtol=1e-2, atol=1e-2 * exact.abs().max())


def test_within_the_polytope_a_cross_entropy_step_loses_what_leaves_its_plane(trees):
    scores, target = trees
    scaled_gradient = on_trees(SpigotCE(step_size=1e-7), quadratic(target), scores) / 1e-7
    structure = ProjectiveTree()
    mask = structure.part_mask(torch.ones(3, 5, dtype=torch.bool), scores.shape)
    gradient = (structure.marginals(scores, mask) - target).masked_fill(~mask, 0)
    mean = gradient.sum(dim=-1, keepdim=True) / mask.sum(dim=-1, keepdim=True).clamp(min=1)
    torch.testing.assert_close(
        scaled_gradient, (gradient - mean).masked_fill(~mask, 0), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("step_size", [0.1, 1.0, 100.0])
def test_the_target_is_a_point_of_the_polytope(trees, step_size):
    scores, target = trees
    structure = ProjectiveTree()
    mask = structure.part_mask(torch.ones(3, 5, dtype=torch.bool), scores.shape)
    mu = structure.marginals(scores, mask)
    for estimator in (SpigotCE(step_size), SpigotEG(step_size), SpigotCE(step_size, 0.5, 2)):
        point = mu - on_trees(estimator, quadratic(target), scores)
        assert point.min() > -1e-9
        torch.testing.assert_close(point.sum(dim=-1)[:, 1:], torch.ones(3, 4).double())


def test_a_long_exponentiated_step_reaches_the_object_that_is_liked_best(trees):
    scores, costs = trees
    structure = ProjectiveTree()
    mask = structure.part_mask(torch.ones(3, 5, dtype=torch.bool), scores.shape)
    gradient = on_trees(SpigotEG(step_size=1e5), linear(costs), scores)
    expected = structure.marginals(scores, mask) - structure.argmax(-costs, mask)
    torch.testing.assert_close(gradient, expected)


def test_the_exact_hull_of_one_choice_is_the_simplex():
    for kind in (Spigot, SpigotCE):
        local = on_three_numbers(kind(0.7), quadratic(TARGET))
        exact = on_three_numbers(kind(0.7, projection=SparseMAPProjection()), quadratic(TARGET))
        torch.testing.assert_close(exact, local)


@FROM_MARGINALS
def test_a_long_step_is_scaled_down(kind):
    costs = torch.tensor([[3.0, 0.0, -4.0]], dtype=torch.double)
    capped = on_three_numbers(kind(max_step_norm=0.5), linear(costs))
    torch.testing.assert_close(capped, on_three_numbers(kind(step_size=0.1), linear(costs)))


@FROM_MARGINALS
def test_the_rest_of_the_model_runs_once_for_every_step(kind):
    calls = []

    def downstream(value):
        calls.append(value.detach())
        return quadratic(TARGET)(value)

    on_three_numbers(kind(num_steps=3), downstream)
    assert len(calls) == 1 + 3
    torch.testing.assert_close(calls[1], SCORES.softmax(dim=-1))
    assert kind().reevaluates


@FROM_MARGINALS
def test_the_marginals_are_asked_for_when_the_config_is_read(kind):
    assert "marginals" in kind().requirements
    assert SpigotCE(projection=IdentityProjection()).requirements == {"marginals"}


@pytest.mark.parametrize("name", ["step_size", "max_step_norm", "num_steps"])
@FROM_MARGINALS
def test_what_must_be_positive_is_refused(kind, name):
    with pytest.raises(ConfigurationError, match=f"{name} must be positive but is 0"):
        kind(**{name: 0})
