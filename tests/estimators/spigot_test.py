import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.spigot import Spigot
from spigot_allennlp.estimators.straight_through import StraightThrough
from spigot_allennlp.projections.projection import IdentityProjection
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from spigot_allennlp.structures.semantic_graph import SemanticGraph
from tests.estimators.backward import linear, quadratic, scores_gradient

# The first of three parts is the argmax.
SCORES, MASK = torch.tensor([[2.0, 0.0, 1.0]]), torch.ones(1, 3, dtype=torch.bool)


def on_three_numbers(estimator, downstream):
    return scores_gradient(estimator, Categorical(), SCORES, MASK, downstream)[0]


def on_trees(estimator, costs, scores=None):
    """Per sentence; `costs` of shape `(batch_size, length, length)`."""
    structure = ProjectiveTree()
    scores = torch.arange(costs.numel()).reshape(costs.shape).cos() if scores is None else scores
    mask = structure.part_mask(torch.ones(costs.shape[:2], dtype=torch.bool), costs.shape)
    gradient = scores_gradient(estimator, structure, scores, mask, linear(costs), torch.sum)
    return gradient, structure.argmax(scores, mask), mask


@pytest.fixture
def costs():
    torch.manual_seed(8)
    return torch.randn(4, 6, 6)


# --- the formula, z - P(z - step_size * gradient), by hand


def test_three_numbers_by_hand():
    gradient = on_three_numbers(Spigot(), linear(torch.tensor([[0.3, -0.1, 0.4]])))
    # z - gradient = (.7, .1, -.4); tau = -.1; P = (.8, .2, 0)
    torch.testing.assert_close(gradient, torch.tensor([0.2, -0.2, 0.0]))


def test_step_size_multiplies_the_gradient():
    gradient = on_three_numbers(Spigot(step_size=0.5), linear(torch.tensor([[0.6, -0.2, 0.8]])))
    torch.testing.assert_close(gradient, torch.tensor([0.2, -0.2, 0.0]))


def test_a_two_sided_step_by_hand():
    estimator = Spigot(two_sided=True)
    gradient = on_three_numbers(estimator, linear(torch.tensor([[0.3, -0.1, 0.4]])))
    # against the gradient as above; along it (1.3, -.1, .4); tau = .35; P = (.95, 0, .05)
    torch.testing.assert_close(gradient, torch.tensor([0.075, -0.1, 0.025]))


@pytest.mark.parametrize("projection", ["local", "sparsemap"])
def test_of_the_opposite_gradient_a_two_sided_step_is_the_opposite(costs, projection):
    spigot = {"type": "spigot", "two_sided": True, "projection": projection}
    estimator = GradientEstimator.from_params(Params(spigot))
    gradient, opposite = on_trees(estimator, costs)[0], on_trees(estimator, -costs)[0]
    torch.testing.assert_close(gradient, -opposite)
    assert gradient.any()


def test_two_sided_steps_that_would_leave_the_polytope_are_refused():
    with pytest.raises(ConfigurationError, match="two_sided takes a single step, but num_steps is"):
        Spigot(two_sided=True, num_steps=2)


def test_an_arc_of_a_graph_moves_within_the_box():
    structure, scores = SemanticGraph(), torch.ones(1, 3, 3, 1)
    mask = structure.part_mask(torch.ones(1, 3, dtype=torch.bool), scores.shape)
    costs = torch.zeros(1, 3, 3, 1)
    costs[0, 1, 0], costs[0, 2, 0], costs[0, 1, 2] = 0.25, -0.5, 3.0
    gradient = scores_gradient(Spigot(), structure, scores, mask, linear(costs))[0, ..., 0]
    # all arcs are there: one may become weaker, but none stronger, and none weaker than nothing
    assert (gradient[1, 0], gradient[2, 0], gradient[1, 2]) == (0.25, 0.0, 1.0)


# --- identities


def test_no_gradient_where_the_chosen_part_is_already_liked_best():
    assert not on_three_numbers(Spigot(), linear(torch.tensor([[-0.5, 0.1, -0.5]]))).any()


def test_gradients_of_the_heads_of_a_token_sum_to_zero(costs):
    gradient, _, _ = on_trees(Spigot(), costs)
    torch.testing.assert_close(gradient.sum(dim=-1), torch.zeros(4, 6))
    assert gradient.any()


def test_a_constant_added_to_the_gradients_of_a_token_changes_nothing(costs):
    plain, _, _ = on_trees(Spigot(), costs)
    shifted, _, _ = on_trees(Spigot(), costs + torch.randn(4, 6, 1))
    torch.testing.assert_close(shifted, plain)


def test_a_constant_added_to_the_scores_of_a_token_changes_nothing(costs):
    scores = torch.randn_like(costs)
    plain, _, _ = on_trees(Spigot(), costs, scores)
    shifted, _, _ = on_trees(Spigot(), costs, scores + torch.randn(4, 6, 1))
    torch.testing.assert_close(shifted, plain)


@pytest.mark.parametrize("step_size", [0.01, 1.0, 100.0, 1e6])
def test_no_entry_is_larger_than_one(costs, step_size):
    gradient, _, _ = on_trees(Spigot(step_size), costs)
    assert gradient.abs().max() <= 1


def test_a_large_step_is_a_perceptron_update(costs):
    gradient, tree, mask = on_trees(Spigot(step_size=1e4), costs)
    liked_best = costs.masked_fill(~mask, torch.inf).argmin(dim=-1, keepdim=True)
    target = torch.zeros_like(tree).scatter_(-1, liked_best, 1) * mask
    torch.testing.assert_close(gradient, tree - target)


def test_a_step_larger_than_large_changes_nothing(costs):
    large, _, _ = on_trees(Spigot(step_size=1e4), costs)
    larger, _, _ = on_trees(Spigot(step_size=1e7), costs)
    torch.testing.assert_close(larger, large)


def test_small_steps_scale_with_their_size(costs):
    small, _, _ = on_trees(Spigot(step_size=1e-3), costs)
    tiny, _, _ = on_trees(Spigot(step_size=1e-9), costs)
    torch.testing.assert_close(tiny / 1e-9, small / 1e-3, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [1e-8, 1e-12])
def test_a_tiny_gradient_comes_through_in_single_precision(costs, size):
    tiny, _, _ = on_trees(Spigot(), size * costs)
    unscaled, _, _ = on_trees(Spigot(), 1e-3 * costs)
    assert tiny.dtype == torch.float32
    torch.testing.assert_close(tiny / size, unscaled / 1e-3, rtol=1e-4, atol=1e-4)


def test_without_projection_it_is_straight_through_times_the_step_size(costs):
    ours, _, _ = on_trees(Spigot(step_size=0.5, projection=IdentityProjection()), costs)
    straight_through, _, _ = on_trees(StraightThrough(), costs)
    assert torch.equal(ours, 0.5 * straight_through)


# --- max_step_norm


def test_a_long_step_is_scaled_down_before_the_projection():
    # the step (3, 0, -4) has norm 5, and becomes (.3, 0, -.4); z - step = (.7, 0, .4); tau = .05
    gradient = on_three_numbers(Spigot(max_step_norm=0.5), linear(torch.tensor([[3.0, 0.0, -4.0]])))
    torch.testing.assert_close(gradient, torch.tensor([0.35, 0.0, -0.35]))


def test_the_norm_is_that_of_a_whole_structure_and_not_of_the_batch(costs):
    capped, _, mask = on_trees(Spigot(max_step_norm=1.0), costs)
    legal = costs.masked_fill(~mask, 0)
    unit = legal / legal.flatten(1).norm(dim=1).reshape(-1, 1, 1)
    torch.testing.assert_close(capped, on_trees(Spigot(), unit)[0])


def test_the_norm_is_taken_after_the_step_size():
    downstream = linear(torch.tensor([[3.0, 0.0, -4.0]]))
    short = on_three_numbers(Spigot(step_size=1.0, max_step_norm=0.5), downstream)
    long = on_three_numbers(Spigot(step_size=10.0, max_step_norm=0.5), downstream)
    torch.testing.assert_close(short, long)


def test_a_short_step_is_not_scaled_up():
    downstream = linear(torch.tensor([[0.3, -0.1, 0.4]]))
    assert torch.equal(
        on_three_numbers(Spigot(max_step_norm=1.0), downstream),
        on_three_numbers(Spigot(), downstream),
    )


# --- num_steps


def test_two_steps_by_hand_on_a_quadratic_loss():
    gradient = on_three_numbers(
        Spigot(0.25, num_steps=2), quadratic(torch.tensor([[0.0, 2.0, 0.0]]))
    )
    # (1, 0, 0) - .25 (1, -2, 0) = (.75, .5, 0), projected (.625, .375, 0);
    # then - .25 (.625, -1.625, 0) = (.46875, .78125, 0), projected (.34375, .65625, 0)
    torch.testing.assert_close(gradient, torch.tensor([0.65625, -0.65625, 0.0]))


def test_two_steps_without_projection_by_hand():
    estimator = Spigot(0.25, num_steps=2, projection=IdentityProjection())
    gradient = on_three_numbers(estimator, quadratic(torch.tensor([[0.0, 2.0, 0.0]])))
    # (1, 0, 0) - .25 (1, -2, 0) = (.75, .5, 0); then - .25 (.75, -1.5, 0) = (.5625, .875, 0)
    torch.testing.assert_close(gradient, torch.tensor([0.4375, -0.875, 0.0]))


def test_two_steps_on_a_linear_loss_are_one_of_twice_the_size(costs):
    twice, _, _ = on_trees(Spigot(step_size=0.2, num_steps=2), costs)
    once, _, _ = on_trees(Spigot(step_size=0.4), costs)
    torch.testing.assert_close(twice, once)


def test_two_steps_from_a_mean_are_those_from_a_sum():
    downstream, estimator = quadratic(torch.tensor([[0.0, 2.0, 0.0]])), Spigot(0.25, num_steps=2)
    arguments = estimator, Categorical(), SCORES.expand(4, 3), MASK.expand(4, 3), downstream
    of_sum = scores_gradient(*arguments, torch.sum)
    torch.testing.assert_close(of_sum, torch.tensor([[0.65625, -0.65625, 0.0]]).expand(4, 3))
    torch.testing.assert_close(scores_gradient(*arguments, torch.mean), of_sum / 4)


def test_only_further_steps_run_the_rest_of_the_model_again():
    assert not Spigot().reevaluates and Spigot(num_steps=2).reevaluates


# --- configuration


@pytest.mark.parametrize("name", ["step_size", "max_step_norm", "num_steps"])
@pytest.mark.parametrize("value", [0, -1.0, float("nan")])
def test_what_must_be_positive_is_refused_with_its_name_and_value(name, value):
    with pytest.raises(ConfigurationError, match=f"{name} must be positive but is {value}"):
        Spigot(**{name: value})


def test_the_projection_is_chosen_in_the_config():
    config = {"type": "spigot", "step_size": 2.0, "projection": "identity"}
    estimator = GradientEstimator.from_params(Params(config))
    assert not estimator.requirements
    assert Spigot().requirements == {"projected_step"}
