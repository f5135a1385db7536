import pytest
import torch
from allennlp.common.checks import ConfigurationError
from torch.utils.checkpoint import checkpoint

from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.estimators.reinforce import Reinforce
from spigot_allennlp.estimators.structured_attention import StructuredAttention
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.chain import Chain
from spigot_allennlp.structures.non_projective_tree import NonProjectiveTree
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from spigot_allennlp.structures.semantic_graph import SemanticGraph
from tests.estimators.backward import linear, scores_gradient
from tests.estimators.expected_gradient import mean_gradient

SCORES = torch.tensor([0.6, 0.0, -0.5])
COSTS = torch.tensor([1.0, -2.0, 0.5])
TOKENS = torch.ones(3, dtype=torch.bool)
BOTH = pytest.mark.parametrize("num_samples", [1, 3])


@BOTH
@pytest.mark.parametrize(
    "structure, parts",
    [
        (Categorical(), (3,)),
        (ProjectiveTree(), (3, 3)),
        (NonProjectiveTree(), (3, 3)),
        (SemanticGraph(), (3, 3, 2)),
        (Chain(), (3, 2, 2)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_mean_gradient_of_a_linear_loss_is_that_of_the_expected_loss(
    structure, parts, num_samples
):
    torch.manual_seed(3)
    scores, costs = torch.randn(2, *parts)
    mask = structure.part_mask(TOKENS.unsqueeze(0), (1, *parts)).expand(1, *parts)
    exact = scores_gradient(
        StructuredAttention(), structure, scores.unsqueeze(0), mask, linear(costs)
    )
    estimate = mean_gradient(Reinforce(num_samples), structure, scores, TOKENS, costs, 20000)
    torch.testing.assert_close(estimate, exact[0], atol=0.06, rtol=0)


def test_a_loss_that_is_not_linear_has_the_gradient_of_its_expectation():
    # What no relaxation gives: the loss is 7 at the first part, 0 elsewhere, whatever lies between.
    torch.manual_seed(0)
    leaf = SCORES.expand(30000, 3).clone().requires_grad_()
    layer = StructuredArgmaxLayer(Categorical(), Reinforce(2))
    latent = layer(leaf, TOKENS.expand(30000, 3), lambda value: 7 * (value[:, 0] > 0.5).float())
    losses = latent.losses()
    (losses.sum() + 30000 * layer.auxiliary_loss(latent, losses)).backward()
    p = SCORES.softmax(-1)
    expected = 7 * p[0] * (torch.tensor([1.0, 0, 0]) - p)
    torch.testing.assert_close(leaf.grad.mean(dim=0), expected, atol=0.05, rtol=0)


@BOTH
def test_a_constant_added_to_the_losses_changes_nothing_once_it_is_usual(num_samples):
    def spread(constant):
        torch.manual_seed(0)
        layer = StructuredArgmaxLayer(Categorical(), Reinforce(num_samples))
        for _ in range(2):  # the first time, one sample has no baseline yet
            leaf = SCORES.expand(500, 3).clone().requires_grad_()
            latent = layer(
                leaf, TOKENS.expand(500, 3), lambda value: (value * COSTS).sum(-1) + constant
            )
            layer.auxiliary_loss(latent, latent.losses()).backward()
        return leaf.grad.std(dim=0).sum()

    torch.testing.assert_close(spread(100.0), spread(0.0), rtol=0.01, atol=0)


def test_the_running_mean_is_that_of_the_losses_before():
    estimator = Reinforce(decay=0.5)
    first, second = torch.tensor([1.0, 3.0]), torch.tensor([5.0])
    assert estimator._running_mean(first) == 0
    assert estimator._running_mean(second) == 2
    # (0.25 * 2 + 0.5 * 5) / 0.75
    assert estimator._running_mean(first).item() == pytest.approx(4)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_running_mean_is_as_exact_in_a_model_of_half_precision(dtype):
    estimators = [Reinforce(), Reinforce().to(dtype)]
    for number in range(300):
        for estimator in estimators:
            estimator._running_mean(torch.tensor([3.0 + number % 2]))
    mean, in_half = (estimator._running_mean(torch.zeros(0)).item() for estimator in estimators)
    assert mean == in_half == pytest.approx(3.5, abs=0.01)


def test_with_decay_one_there_is_no_baseline():
    estimator = Reinforce(decay=1.0)
    assert [estimator._running_mean(torch.tensor([4.0])).item() for _ in range(3)] == [0, 0, 0]


@BOTH
def test_the_reported_loss_stays_the_loss(num_samples):
    leaf = SCORES.expand(4, 3).clone().requires_grad_()
    layer = StructuredArgmaxLayer(Categorical(), Reinforce(num_samples))
    latent = layer(leaf, TOKENS.expand(4, 3), linear(COSTS))
    auxiliary = layer.auxiliary_loss(latent, latent.losses())
    assert auxiliary.item() == 0 and auxiliary.requires_grad


def test_further_samples_run_the_rest_of_the_model_without_gradient_and_with_its_dropout():
    dropout, readout = torch.nn.Dropout(0.5), torch.nn.Linear(3, 1)
    seen = []

    def downstream(value):
        seen.append((dropout(torch.ones(4)), torch.is_grad_enabled()))
        return readout(value).squeeze(-1)

    leaf = SCORES.expand(4, 3).clone().requires_grad_()
    layer = StructuredArgmaxLayer(Categorical(), Reinforce(3))
    latent = layer(leaf, TOKENS.expand(4, 3), downstream)
    layer.auxiliary_loss(latent, latent.losses())
    assert [enabled for _, enabled in seen] == [True, False, False]
    assert all(torch.equal(seen[0][0], mask) for mask, _ in seen)


def test_the_baseline_is_saved_with_the_weights():
    estimator = Reinforce()
    estimator._running_mean(torch.tensor([4.0]))
    other = Reinforce()
    other.load_state_dict(estimator.state_dict())
    assert other._running_mean(torch.tensor([0.0])) == 4


@BOTH
def test_what_is_no_loss_of_each_instance_is_refused(num_samples):
    layer = StructuredArgmaxLayer(Categorical(), Reinforce(num_samples))
    latent = layer(SCORES.expand(4, 3), TOKENS.expand(4, 3), linear(COSTS))
    for losses in (latent.losses().mean(), latent.losses().unsqueeze(1)):
        with pytest.raises(ValueError, match=r"needs the loss of each instance.*shape \(4,\)"):
            layer.auxiliary_loss(latent, losses)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ConfigurationError, match="num_samples must be positive but is 0"):
        Reinforce(0)
    with pytest.raises(ConfigurationError, match=r"decay must be in \[0, 1\] but is 2"):
        Reinforce(decay=2)


@BOTH
def test_where_no_object_is_possible_the_others_learn_all_the_same(num_samples):
    scores = torch.stack([torch.full_like(SCORES, -torch.inf), SCORES]).requires_grad_()
    layer = StructuredArgmaxLayer(Categorical(), Reinforce(num_samples)).train()
    latent = layer(scores, TOKENS.expand(2, -1), linear(COSTS))
    losses = latent.losses()
    loss = losses.mean() + layer.auxiliary_loss(latent, losses)
    (gradient,) = torch.autograd.grad(loss, scores)
    assert loss.isfinite() and gradient.isfinite().all() and not gradient[0].any()


def test_a_loss_that_is_not_finite_leaves_the_baseline_alone():
    estimator = Reinforce()
    problem = ArgmaxProblem(Categorical(), SCORES.expand(3, -1), TOKENS.expand(3, -1))
    value = estimator(problem)
    estimator.auxiliary_loss(problem, value, torch.tensor([torch.nan, 4.0, torch.inf]))
    assert estimator._running_mean(torch.zeros(0)) == pytest.approx(4.0)


def test_the_sum_of_no_losses_is_zero_not_nan():
    layer = StructuredArgmaxLayer(Categorical(), Reinforce())
    leaf = torch.zeros(0, 3, requires_grad=True)
    latent = layer(leaf, TOKENS.expand(0, 3), linear(COSTS))
    losses = latent.losses()
    loss = losses.sum() + len(losses) * layer.auxiliary_loss(latent, losses)
    assert loss == 0 and torch.autograd.grad(loss, leaf)[0].shape == (0, 3)


@pytest.mark.parametrize("use_reentrant", [True, False])
def test_a_batch_that_is_computed_again_counts_once_and_keeps_its_baseline(use_reentrant):
    layer = StructuredArgmaxLayer(Categorical(), Reinforce(decay=0.5))
    sampled = []

    def step(scores):
        latent = layer(scores, TOKENS.expand(1, 3), linear(COSTS))
        sampled.append(latent.value)
        return layer.auxiliary_loss(latent, latent.losses())

    layer.estimator._running_mean(torch.tensor([3.0]))
    leaf = SCORES.unsqueeze(0).clone().requires_grad_()
    checkpoint(step, leaf, use_reentrant=use_reentrant).backward()
    assert len(sampled) == 2
    cost = (sampled[0] * COSTS).sum()
    torch.testing.assert_close(leaf.grad, (cost - 3) * (sampled[0] - SCORES.softmax(-1)))
    # (0.25 * 3 + 0.5 * cost) / 0.75
    assert layer.estimator._running_mean(torch.zeros(0)).item() == pytest.approx(
        (3 + 2 * cost.item()) / 3
    )
