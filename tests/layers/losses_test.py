"""Losses by their definitions, with lists of all objects; their inequalities; closed forms."""

import itertools

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from scipy.optimize import linear_sum_assignment
from torch.nn.functional import cross_entropy, one_hot
from torch.testing import assert_close

from spigot_allennlp.estimators.noise import GumbelNoise
from spigot_allennlp.layers.differentiable_solver import DifferentiableSolver
from spigot_allennlp.layers.losses import (
    hinge_loss,
    negative_log_likelihood,
    perceptron_loss,
    perturbed_loss,
    sparsemap_loss,
    spo_plus_loss,
)
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.projective_tree import ProjectiveTree

ASSIGNMENT = {"numpy": True, "batched": False, "indices": True}
EYE = torch.eye(3, dtype=torch.double)
PERMUTATIONS = torch.stack([EYE[list(order)] for order in itertools.permutations(range(3))])


def log_partition(scores):
    totals = torch.where(PERMUTATIONS == 1, scores.unsqueeze(1), 0).sum(dim=(2, 3))
    return totals.logsumexp(dim=1)


def best_assignment(scores):
    return linear_sum_assignment(scores, maximize=True)


MATCHING = DifferentiableSolver(best_assignment, log_partition=log_partition, **ASSIGNMENT)
LEAST = DifferentiableSolver(
    linear_sum_assignment,
    maximize=False,
    log_partition=lambda costs: log_partition(-costs),
    **ASSIGNMENT,
)


def spo_plus(structure, scores, gold, mask=None):
    """SPO+ against true scores that are fixed, and of which gold is the best object."""
    return spo_plus_loss(structure, scores, 2 * gold - 0.5, gold, mask)


def perturbed(structure, scores, gold, mask=None):
    torch.manual_seed(1)
    return perturbed_loss(structure, scores, gold, mask, num_samples=3)


LOSSES = {
    "perceptron": perceptron_loss,
    "hinge": hinge_loss,
    "spo_plus": spo_plus,
    "perturbed": perturbed,
    "sparsemap": sparsemap_loss,
    "likelihood": negative_log_likelihood,
}


def draw(number, size=3, seed=2):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, number, size, size, generator=generator, dtype=torch.double)


def batch(kind, number=8):
    """A structure, scores and gold objects, and the legal parts."""
    scores, other = draw(number, 4 if kind == "tree" else 3)
    structure = {"tree": ProjectiveTree(), "matching": MATCHING.structure, "choice": Categorical()}
    mask = torch.ones_like(scores, dtype=torch.bool)
    if kind == "tree":
        mask = ProjectiveTree().part_mask(torch.ones(number, 4, dtype=torch.bool), scores.shape)
    return structure[kind], scores, structure[kind].argmax(other, mask), mask


# --- what all promise


@pytest.mark.parametrize("kind", ["tree", "matching", "choice"])
@pytest.mark.parametrize("name", LOSSES)
def test_it_is_never_negative_and_convex_and_its_gradient_is_its_derivative(name, kind):
    structure, scores, gold, mask = batch(kind)
    loss = LOSSES[name]

    def value(point):
        return loss(structure, point, gold, mask)

    ends = scores, 3 * scores.flip(0)
    assert (value(ends[0]) >= -1e-12).all() and (value(ends[1]) >= -1e-12).all()
    for share in (0.1, 0.5, 0.8):
        between = share * value(ends[0]) + (1 - share) * value(ends[1])
        assert (value(share * ends[0] + (1 - share) * ends[1]) <= between + 1e-9).all()
    assert torch.autograd.gradcheck(value, scores.clone().requires_grad_(), fast_mode=True)


@pytest.mark.parametrize("kind", ["tree", "matching", "choice"])
def test_it_vanishes_where_gold_wins_by_a_margin(kind):
    structure, scores, gold, mask = batch(kind)
    clear = 50 * gold + 0.01 * scores
    for name, loss in LOSSES.items():
        leaf = clear.clone().requires_grad_()
        losses = loss(structure, leaf, gold, mask)
        losses.sum().backward()
        assert losses.abs().max() < 1e-8 and leaf.grad.abs().max() < 1e-8, name
        assert (loss(structure, -clear, gold, mask) > 1).all(), name


@pytest.mark.parametrize("name", LOSSES)
def test_a_solver_that_minimises_takes_costs(name):
    scores, other = draw(6)
    gold, loss = MATCHING.structure.argmax(other, torch.ones_like(other).bool()), LOSSES[name]
    leaf, costs = scores.clone().requires_grad_(), (-scores).requires_grad_()
    expected = loss(MATCHING, leaf, gold)
    if name == "spo_plus":
        value = spo_plus_loss(LEAST, costs, 0.5 - 2 * gold)
    elif name == "perturbed":
        value = loss(MATCHING, -costs, gold)  # the same noise
    else:
        value = loss(LEAST, costs, gold)
    assert_close(value, expected)
    expected.sum().backward()
    value.sum().backward()
    assert_close(costs.grad, -leaf.grad)
    assert leaf.grad.any()


@pytest.mark.parametrize("name", LOSSES)
def test_the_impossible_and_what_is_no_number(name):
    loss = LOSSES[name]
    scores = torch.tensor([[1.0, 2.0, 0.0], [1.0, -torch.inf, 0.0], [1.0, torch.nan, 0.0]])
    scores.requires_grad_()
    gold = torch.tensor([[1, 0, 0], [0, 1, 0], [1, 0, 0]])
    losses = loss(Categorical(), scores, gold)
    assert losses[0].isfinite() and losses[1] == torch.inf and losses[2].isnan()
    other = loss(Categorical(), scores, torch.tensor([[1, 0, 0], [1, 0, 0], [1, 0, 0]]))
    assert other[:2].isfinite().all()
    (slope,) = torch.autograd.grad(other.sum(), scores)
    assert slope[:2].isfinite().all() and slope[1, 1] == 0 and slope[2].isnan().any()
    half = loss(Categorical(), scores[:1].half(), gold[:1])
    assert half.dtype == torch.float32
    assert_close(half, loss(Categorical(), scores[:1], gold[:1]), atol=1e-3, rtol=1e-3)
    assert loss(Categorical(), scores[:0], gold[:0]).shape == (0,)


@pytest.mark.parametrize("closed_form", [True, False])
@pytest.mark.parametrize("name", LOSSES)
def test_gold_on_a_part_that_is_masked_costs_infinity(name, closed_form):
    structure = Categorical() if closed_form else MATCHING.structure
    scores = torch.tensor([[0.0, 0.0, 5.0], [0.0, 2.0, torch.nan]], dtype=torch.double)
    gold = torch.tensor([[0, 0, 1], [0, 1, 0]])
    mask = torch.tensor([[True, True, False], [True, True, False]])
    if not closed_form:  # of three permutations without the part (0, 2), or with it
        scores = scores.unsqueeze(1).repeat(1, 3, 1)
        scores[1, 1:] = 0
        mask = mask.unsqueeze(1) | torch.tensor([[False], [True], [True]])
        gold = torch.stack([PERMUTATIONS[5], PERMUTATIONS[2]])
    leaf = scores.clone().requires_grad_()
    losses = LOSSES[name](structure, leaf, gold, mask)
    assert losses[0] == torch.inf and losses[1].isfinite() and losses[1] >= 0
    losses.sum().backward()
    assert leaf.grad.isfinite().all() and not leaf.grad[~mask].any()
    impossible = scores.masked_fill(~mask, -torch.inf)
    assert_close(losses.detach(), LOSSES[name](structure, impossible, gold))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("size", [(1, 4), (4,), (2, 1)], ids=str)
def test_gold_of_another_shape_is_refused_by_all_in_the_same_words(name, size):
    with pytest.raises(ValueError, match=r"gold of shape .*but found scores of shape \(2, 4\)"):
        LOSSES[name](Categorical(), torch.randn(2, 4), torch.zeros(size))


@pytest.mark.parametrize("name", LOSSES)
def test_a_mask_of_tokens_is_refused_with_what_makes_the_parts_of_it(name):
    scores, tokens = torch.randn(2, 4, 4), torch.ones(2, 4, dtype=torch.bool)
    with pytest.raises(ValueError, match=r"found shape \(2, 4\). The part_mask of a structure"):
        LOSSES[name](ProjectiveTree(), scores, torch.zeros(2, 4, 4), tokens)


def test_costs_and_true_scores_of_another_shape_are_refused():
    scores, gold = torch.randn(2, 4), torch.eye(4)[:2]
    with pytest.raises(ValueError, match="cost of shape"):
        hinge_loss(Categorical(), scores, gold, cost=torch.ones(4))
    with pytest.raises(ValueError, match="true_scores of shape"):
        spo_plus_loss(Categorical(), scores, torch.randn(1, 4), gold)


def test_the_dimensions_of_a_solver_and_several_tensors_are_refused():
    scores = torch.zeros(2, 3)
    for number in (0, 2):
        solver = DifferentiableSolver(torch.clone, num_batch_dims=number)
        for loss in LOSSES.values():
            with pytest.raises(ConfigurationError, match=f"but found num_batch_dims={number}"):
                loss(solver, scores, scores)
    for loss in (perceptron_loss, hinge_loss, sparsemap_loss, perturbed_loss):
        with pytest.raises(TypeError, match="single tensor of scores, but found a tuple"):
            loss(MATCHING, (scores, scores), (scores, scores))


@pytest.mark.parametrize("options", [{}, {"marginals": lambda scores: scores.softmax(dim=-1)}])
def test_the_likelihood_is_refused_where_there_is_no_log_partition(options):
    scores = torch.zeros(2, 3)
    solver = DifferentiableSolver(torch.clone, **options)
    with pytest.raises(ConfigurationError, match="needs log_partition, which SolverStructure"):
        negative_log_likelihood(solver, scores, scores)


# --- each by its definition


def test_the_perceptron_loss_and_the_regret_by_all_permutations():
    scores, other = draw(10)
    gold = MATCHING.structure.argmax(other, torch.ones_like(other).bool())
    totals = torch.einsum("bij,kij->bk", scores, PERMUTATIONS)
    expected = totals.amax(dim=1) - (scores * gold).sum(dim=(1, 2))
    assert_close(perceptron_loss(MATCHING, scores, gold), expected)
    assert (expected > 0).any()


def test_the_hinge_by_all_permutations_and_its_bound_of_the_cost():
    scores, other = draw(10)
    gold = MATCHING.structure.argmax(other, torch.ones_like(other).bool())
    totals = torch.einsum("bij,kij->bk", scores, PERMUTATIONS)
    wrong = (PERMUTATIONS != gold.unsqueeze(1)).double().sum(dim=(2, 3)) / 2
    expected = (totals + wrong).amax(dim=1) - (scores * gold).sum(dim=(1, 2))
    hinge = hinge_loss(MATCHING, scores, gold)
    assert_close(hinge, expected)
    chosen = wrong.gather(1, totals.argmax(dim=1, keepdim=True)).squeeze(1)
    assert (hinge >= chosen - 1e-12).all() and (chosen > 0).any()
    cost = draw(10, seed=3)[0]
    of_objects = torch.einsum("bij,bkij->bk", cost, PERMUTATIONS - gold.unsqueeze(1))
    expected = (totals + of_objects).amax(dim=1) - (scores * gold).sum(dim=(1, 2))
    assert_close(hinge_loss(MATCHING, scores, gold, cost=cost), expected)


def test_spo_plus_in_costs_as_its_paper_has_it_and_its_bound_of_the_regret():
    predicted, true = draw(10)
    of_objects = torch.einsum("bij,kij->bk", true, PERMUTATIONS)
    best = PERMUTATIONS[of_objects.argmin(dim=1)]
    # max_w (c - 2 c') w + 2 c' w* - c w*, w* the best under the true costs c
    moved = torch.einsum("bij,kij->bk", true - 2 * predicted, PERMUTATIONS).amax(dim=1)
    expected = moved + ((2 * predicted - true) * best).sum(dim=(1, 2))
    leaf = predicted.clone().requires_grad_()
    loss = spo_plus_loss(LEAST, leaf, true)
    assert_close(loss, expected)
    assert_close(spo_plus_loss(LEAST, predicted, true, best), expected)
    loss.sum().backward()
    worst = torch.einsum("bij,kij->bk", true - 2 * predicted, PERMUTATIONS).argmax(dim=1)
    assert_close(leaf.grad, 2 * (best - PERMUTATIONS[worst]))
    choice = LEAST.structure.argmax(-predicted, torch.ones_like(predicted).bool())
    regret = ((choice - best) * true).sum(dim=(1, 2))
    assert_close(perceptron_loss(LEAST, true, choice), regret)
    assert (loss >= regret - 1e-12).all() and (regret > 0).any()
    assert_close(spo_plus_loss(LEAST, true, true), torch.zeros(10, dtype=torch.double))


def test_the_likelihood_of_a_choice_is_the_cross_entropy_and_of_a_matching_that_of_six():
    scores, other = draw(10)
    rows, label = scores[:, 0], other[:, 0].argmax(dim=1)
    gold = one_hot(label, 3)
    expected = cross_entropy(rows, label, reduction="none")
    assert_close(negative_log_likelihood(Categorical(), rows, gold), expected)
    totals = torch.einsum("bij,kij->bk", scores, PERMUTATIONS)
    expected = cross_entropy(totals, torch.full((10,), 4), reduction="none")
    gold = PERMUTATIONS[4].expand(10, 3, 3)
    assert_close(negative_log_likelihood(MATCHING, scores, gold), expected)


def test_the_mean_loss_under_gumbel_noise_is_the_cross_entropy():
    scores = torch.tensor([[1.0, -0.5, 0.2], [0.0, 2.0, 0.0]], requires_grad=True)
    gold = torch.tensor([[1, 0, 0], [0, 0, 1]])
    torch.manual_seed(4)
    loss = perturbed_loss(Categorical(), scores, gold, num_samples=100_000, noise=GumbelNoise())
    expected = cross_entropy(scores, torch.tensor([0, 2]), reduction="none")
    assert_close(loss, expected, atol=0.02, rtol=0)
    slopes = [torch.autograd.grad(value.sum(), scores)[0] for value in (loss, expected)]
    assert_close(slopes[0], slopes[1], atol=0.01, rtol=0)


def test_the_sparsemap_loss_of_a_choice_is_the_sparsemax_loss():
    # Martins & Astudillo (2016), equation 17: -s_k + sum_{j in S} (s_j^2 - t^2) / 2 + 1 / 2
    scores = torch.tensor([[0.9, 0.5, -1.0], [3.0, 0.0, 0.0]], requires_grad=True)
    gold = torch.tensor([[0, 1, 0], [1, 0, 0]])
    # The support of the first is {0, 1}, with the threshold (0.9 + 0.5 - 1) / 2 = 0.2.
    expected = -0.5 + (0.81 - 0.04 + 0.25 - 0.04) / 2 + 0.5
    losses = sparsemap_loss(Categorical(), scores, gold)
    assert losses.tolist() == pytest.approx([expected, 0])
    losses.sum().backward()
    assert_close(scores.grad, torch.tensor([[0.7, -0.7, 0.0], [0.0, 0.0, 0.0]]))


def test_the_sparsemap_loss_of_a_matching_goes_to_the_nearest_mean_of_matchings():
    scores, other = draw(10)
    gold = MATCHING.structure.argmax(other, torch.ones_like(other).bool())
    leaf = scores.clone().requires_grad_()
    losses = sparsemap_loss(MATCHING, leaf, gold)
    losses.sum().backward()
    mean = leaf.grad + gold
    squares = [((scores - point) ** 2).sum(dim=(1, 2)) / 2 for point in (gold, mean)]
    assert_close(losses, squares[0] - squares[1])
    # No object lies further in the direction of the scores, which is what makes it the nearest.
    gain = torch.einsum("bij,bkij->bk", scores - mean, PERMUTATIONS - mean.unsqueeze(1))
    assert gain.max() < 1e-7
    assert_close(mean.sum(dim=1), torch.ones(10, 3, dtype=torch.double))


@pytest.mark.parametrize("kind", ["choice", "tree", "matching"])
@pytest.mark.parametrize("name", ["sparsemap", "likelihood"])
def test_the_second_derivative_is_that_of_the_gradient(kind, name):
    structure, scores, gold, mask = batch(kind, number=3)

    def loss(scores):
        return LOSSES[name](structure, scores, gold, mask)

    assert torch.autograd.gradgradcheck(loss, scores.requires_grad_())


def test_a_penalty_on_the_gradient_of_the_sparsemap_loss_is_learnt_from():
    structure, scores, gold, mask = batch("choice")
    scores.requires_grad_()
    loss = sparsemap_loss(structure, scores, gold, mask).sum()
    (gradient,) = torch.autograd.grad(loss, scores, create_graph=True)
    (of_penalty,) = torch.autograd.grad(gradient.pow(2).sum(), scores)
    assert of_penalty.any()


def test_the_sparsemap_loss_needs_zeros_and_ones():
    ranks = DifferentiableSolver(lambda s: s.argsort().argsort(), binary=False)
    with pytest.raises(ConfigurationError, match="sparsemap_loss needs objects of zeros and ones"):
        sparsemap_loss(ranks, torch.zeros(1, 3), torch.zeros(1, 3))
    scores, gold = torch.tensor([[0.1, 0.2, 0.3]]), torch.tensor([[2.0, 1.0, 0.0]])
    # the best ranks score 0.8, these 0.4
    assert_close(perceptron_loss(ranks, scores, gold), torch.tensor([0.4]))
