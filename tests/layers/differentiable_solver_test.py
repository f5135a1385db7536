"""Solvers of one's own: scipy's assignment, top-k, ranks, against lists of all objects."""

import copy
import functools
import itertools
import pickle

import numpy as np
import pytest
import torch
from allennlp.common.checks import ConfigurationError
from scipy.optimize import linear_sum_assignment
from torch.testing import assert_close

from spigot_allennlp.estimators.blackbox import Blackbox
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.identity_with_projection import IdentityWithProjection
from spigot_allennlp.estimators.implicit_mle import ImplicitMLE
from spigot_allennlp.estimators.noise import GumbelNoise, NormalNoise
from spigot_allennlp.estimators.perturbed import Perturbed
from spigot_allennlp.estimators.spigot import Spigot
from spigot_allennlp.layers.differentiable_solver import DifferentiableSolver
from spigot_allennlp.layers.solver_structure import SolverStructure
from spigot_allennlp.layers.structured_argmax_layer import (
    StructuredArgmaxLayer,
    fitting_estimators,
)
from spigot_allennlp.projections.sparsemap import SparseMAPProjection
from spigot_allennlp.structures.categorical import Categorical

ASSIGNMENT = {"numpy": True, "batched": False, "indices": True}
ARGMAX_ALONE = [
    *("blackbox", "implicit_mle", "perturbed", "pipeline", "sparsemap", "straight_through")
]


def permutations(size):
    """All permutation matrices, `(size!, size, size)`."""
    eye = torch.eye(size, dtype=torch.double)
    return torch.stack([eye[list(order)] for order in itertools.permutations(range(size))])


def enumerated_assignment(scores):
    objects = permutations(scores.size(-1)).to(scores)
    return objects[torch.einsum("bij,kij->bk", scores, objects).argmax(dim=1)]


def choice(scores):
    return scores.argmax(dim=-1)


def best_three(scores):
    return scores.topk(3).indices


def gradient(module, scores, weights):
    """The gradient of `sum <weights, object>` at the scores."""
    leaf = scores.clone().requires_grad_()
    (module(leaf) * weights).sum().backward()
    return leaf.grad


# --- values


@pytest.mark.parametrize("maximize", [True, False])
def test_an_assignment_by_scipy_is_the_best_permutation(maximize):
    generator = torch.Generator().manual_seed(1)
    scores = torch.randn(20, 4, 4, generator=generator)
    module = DifferentiableSolver(
        linear_sum_assignment_of(maximize), "straight_through", maximize=maximize, **ASSIGNMENT
    )
    expected = enumerated_assignment(scores if maximize else -scores)
    assert torch.equal(module(scores), expected)
    assert torch.equal(module.eval()(scores), expected)


def linear_sum_assignment_of(maximize):
    return lambda scores: linear_sum_assignment(scores, maximize=maximize)


def test_indices_of_the_best_parts_and_of_each_row_and_of_all():
    scores = torch.tensor([[1.0, 4.0, 2.0, 3.0], [4.0, 3.0, 2.0, 1.0]])
    best = DifferentiableSolver(best_three, "straight_through", indices=True)
    assert best(scores).tolist() == [[0, 1, 1, 1], [1, 1, 1, 0]]
    per_row = DifferentiableSolver(choice, "straight_through", indices=True)
    assert per_row(scores).tolist() == [[0, 1, 0, 0], [1, 0, 0, 0]]
    assert per_row(scores.view(1, 2, 4)).tolist() == [[[0, 1, 0, 0], [1, 0, 0, 0]]]
    alone = DifferentiableSolver(np.argmax, "straight_through", **ASSIGNMENT)
    assert torch.equal(alone(scores), per_row(scores))


def test_leading_dimensions_count_instances():
    scores = torch.randn(2, 3, 3, 3, generator=torch.Generator().manual_seed(2))
    options = {"maximize": False, **ASSIGNMENT}
    several = DifferentiableSolver(
        linear_sum_assignment, "straight_through", num_batch_dims=2, **options
    )
    single = DifferentiableSolver(
        linear_sum_assignment, "straight_through", num_batch_dims=0, **options
    )
    expected = enumerated_assignment(-scores.flatten(0, 1)).view(scores.shape)
    assert torch.equal(several(scores), expected)
    assert torch.equal(single(scores[1, 2]), expected[1, 2])
    with pytest.raises(ValueError, match=r"2 dimensions that count instances.*\[\(3, 3\)\]"):
        several(scores[0, 0])


def test_ranks_are_objects_that_are_not_zeros_and_ones():
    # From blackbox-backprop: the largest score has rank 0; gradient -(rank - rank') / step.
    def ranks(scores):
        return np.argsort(np.argsort(-scores))

    scores = torch.tensor([[0.1, 0.5, 0.3]])
    module = DifferentiableSolver(
        ranks, Blackbox(10.0), numpy=True, batched=False, maximize=False, binary=False
    )
    assert module(scores).tolist() == [[2, 0, 1]]
    # scores + 10 * weights = (10.1, 0.5, 0.3), with ranks (0, 1, 2)
    grad = gradient(module, scores, torch.tensor([[1.0, 0.0, 0.0]]))
    assert_close(grad, torch.tensor([[-0.2, 0.1, 0.1]]))
    with pytest.raises(ValueError, match="must return zeros and ones .or pass binary=False.*2.0"):
        DifferentiableSolver(ranks, "blackbox", numpy=True, batched=False)(scores)


def test_several_tensors_give_a_tuple_of_objects():
    """Rows and columns are chosen, but not both with the same number."""

    def differing(rows, columns):
        assert rows.shape[1:] == (2,) and columns.shape[1:] == (3, 1)
        totals = rows.unsqueeze(2) + columns.squeeze(2).unsqueeze(1)
        totals[:, [0, 1], [0, 1]] = -torch.inf
        best = totals.flatten(1).argmax(dim=1)
        one_hot = torch.nn.functional.one_hot
        return one_hot(best // 3, 2), one_hot(best % 3, 3).unsqueeze(2)

    rows = torch.tensor([[2.0, 1.0], [0.0, 1.0]], dtype=torch.double, requires_grad=True)
    columns = torch.tensor([[3.0, 1.0, 0.0], [2.0, 9.0, 1.0]]).unsqueeze(2).requires_grad_()
    module = DifferentiableSolver(differing, Blackbox(1.0), reduction="sum")
    chosen_rows, chosen_columns = module(rows, columns)
    assert chosen_rows.dtype == torch.double and chosen_columns.dtype == torch.float
    assert chosen_rows.tolist() == [[0, 1], [1, 0]]
    assert chosen_columns.squeeze(2).tolist() == [[1, 0, 0], [0, 1, 0]]
    # Lowered by 3, the first column is beaten by the second, which goes with the first row.
    (3 * chosen_columns[0, 0]).sum().backward()
    assert rows.grad.tolist() == [[-1, 1], [0, 0]]
    assert columns.grad.squeeze(2).tolist() == [[1, -1, 0], [0, 0, 0]]
    with pytest.raises(ValueError, match="gets 2 tensors and must return a tuple of as many"):
        DifferentiableSolver(lambda rows, columns: rows)(rows, columns)
    with pytest.raises(ValueError, match="the same for all"):
        module(rows, columns[:1])


@pytest.mark.parametrize("numpy", [True, False])
def test_a_solver_may_write_every_object_into_the_same_memory(numpy):
    buffer = np.zeros(3) if numpy else torch.zeros(3)

    def best(scores):
        buffer[:] = 0
        buffer[scores.argmax()] = 1
        return buffer

    module = DifferentiableSolver(best, "straight_through", numpy=numpy, batched=False)
    assert torch.equal(module(torch.eye(3)), torch.eye(3))


# --- gradients


def test_gradients_of_costs_by_hand():
    costs = torch.tensor([[[1.0, 2.0], [3.0, 1.0]]])
    weights = torch.tensor([[[4.0, 0.0], [0.0, 4.0]]])
    # The diagonal costs 2, the rest 5. A step of 1 along the weights makes that 10 and 5.
    expected = torch.tensor([[[-1.0, 1.0], [1.0, -1.0]]])
    for estimator in (Blackbox(1.0), ImplicitMLE(noise=GumbelNoise(0.0))):
        module = DifferentiableSolver(
            linear_sum_assignment, estimator, maximize=False, **ASSIGNMENT
        )
        assert torch.equal(gradient(module, costs, weights), expected)
    # a step of 0.4: 5.2 and 5
    module = DifferentiableSolver(
        linear_sum_assignment, Blackbox(0.4), maximize=False, **ASSIGNMENT
    )
    assert_close(gradient(module, costs, weights), expected / 0.4)
    module = DifferentiableSolver(
        linear_sum_assignment, "straight_through", maximize=False, **ASSIGNMENT
    )
    assert torch.equal(gradient(module, costs, weights), -weights)


def test_a_step_is_that_of_the_loss_of_an_instance_under_a_mean_and_under_a_sum():
    costs = torch.tensor([[[1.0, 2.0], [3.0, 1.0]]]).expand(5, 2, 2)
    weights = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]).expand(5, 2, 2)
    expected = torch.tensor([[-0.5, 0.5], [0.5, -0.5]]).expand(5, 2, 2)
    options = {"maximize": False, **ASSIGNMENT}
    # 5 against 5 needs a step of 1.5.
    by_mean = DifferentiableSolver(linear_sum_assignment, Blackbox(2.0), **options)
    assert_close(gradient(by_mean, costs, weights / 5), expected / 5)
    by_sum = DifferentiableSolver(linear_sum_assignment, Blackbox(2.0), reduction="sum", **options)
    assert_close(gradient(by_sum, costs, weights), expected)
    assert not gradient(by_sum, costs, weights / 5).any()


@pytest.mark.parametrize("noise", [NormalNoise(0.7), GumbelNoise(0.5)])
def test_the_mean_perturbed_gradient_is_that_of_the_smoothed_assignment(noise):
    generator = torch.Generator().manual_seed(3)
    scores, weights = torch.randn(2, 1, 3, 3, generator=generator, dtype=torch.double)
    module = DifferentiableSolver(enumerated_assignment, Perturbed(100_000, noise))
    torch.manual_seed(4)
    estimate = gradient(module, scores, weights)

    torch.manual_seed(5)
    shape = (400_000, 3, 3)
    if isinstance(noise, NormalNoise):
        perturbation = 0.7 * torch.randn(shape, dtype=torch.double)
    else:
        perturbation = -0.5 * torch.empty(shape, dtype=torch.double).exponential_().log()
    objects = permutations(3)
    values, flat = (objects * weights).sum(dim=(1, 2)), objects.flatten(1)
    noisy = (scores + perturbation).flatten(1) @ flat.T

    def smoothed(change):
        return values[(noisy + change @ flat.T).argmax(dim=1)].mean()

    step = 0.1 * torch.eye(9, dtype=torch.double)
    expected = torch.stack([(smoothed(change) - smoothed(-change)) / 0.2 for change in step])
    assert expected.norm() > 0.3
    assert_close(estimate.flatten(), expected, atol=0.03, rtol=0)


FUNCTIONS = {
    "sample": lambda scores: Categorical().sample(scores, torch.ones_like(scores).bool()),
    "log_partition": lambda scores: scores.logsumexp(dim=-1),
    "project": lambda point: Categorical().project(point, point > -torch.inf),
}


@pytest.mark.parametrize("name", sorted(GradientEstimator.list_available()))
def test_a_choice_that_is_wrapped_is_a_categorical_choice(name):
    """The same values and gradients, under the same noise, by each estimator."""
    scores, target = torch.randn(2, 4, 5, generator=torch.Generator().manual_seed(6))
    scores[1, 2] = -torch.inf
    mask = torch.ones(4, 5, dtype=torch.bool)
    mask[2, 3:] = mask[3] = False
    estimator = GradientEstimator.by_name(name)
    wrapped = DifferentiableSolver(choice, estimator(), indices=True, fixed_size=True, **FUNCTIONS)
    layers = wrapped.layer, StructuredArgmaxLayer(Categorical(), estimator())
    results = []
    for layer in layers:
        torch.manual_seed(7)
        leaf = scores.clone().requires_grad_()
        latent = layer(leaf, mask, lambda value: ((value - target) ** 2).sum(dim=1))
        losses = latent.losses()
        loss = losses.mean() + layer.auxiliary_loss(latent, losses)
        grad = torch.autograd.grad(loss, leaf)[0] if loss.requires_grad else torch.zeros(4, 5)
        results.append((latent.value, grad))
    assert_close(results[0][0], results[1][0])
    assert_close(results[0][1], results[1][1], atol=1e-6, rtol=1e-4)
    assert name == "pipeline" or results[0][1].any()
    if not layers[1].estimator.reevaluates and name != "reinforce":
        torch.manual_seed(7)
        assert_close(wrapped(scores, mask=mask), results[1][0])


# --- what fits


def test_what_needs_more_is_refused_with_what_fits():
    assert fitting_estimators(SolverStructure(choice)) == ARGMAX_ALONE
    listed = ", ".join(f"'{name}'" for name in ARGMAX_ALONE)
    for name, needed in (
        *(
            ("structured_attention", "marginals.*log_partition"),
            ("reinforce", "log_partition"),
        ),
        *(("spigot", "projected_step"), ("identity_with_projection", "subtracts the mean")),
    ):
        with pytest.raises(
            ConfigurationError, match=f"{needed}.*these fit: {listed}[.] By keywords"
        ):
            DifferentiableSolver(choice, name, indices=True)
    with pytest.raises(ConfigurationError, match="estimator.*must be one of.*perturbed"):
        DifferentiableSolver(choice, "pertubed")
    with pytest.raises(ConfigurationError, match="estimator must be of type GradientEstimator"):
        DifferentiableSolver(choice, 3)
    with pytest.raises(ConfigurationError, match="solver must be a function, but found 3"):
        DifferentiableSolver(3)
    with pytest.raises(ConfigurationError, match="reduction"):
        DifferentiableSolver(choice, reduction="max")


def test_functions_by_keyword_make_more_fit():
    by_marginals = {"straight_through_marginals", "structured_attention", "stochastic_softmax"}
    by_marginals |= {"perturb_and_map", "spigot_eg"}

    def fitting(**options):
        return set(fitting_estimators(SolverStructure(choice, **options))) - set(ARGMAX_ALONE)

    softmax = {"marginals": lambda scores: scores.softmax(dim=-1)}
    log_partition = {"log_partition": FUNCTIONS["log_partition"]}
    sample, project = {"sample": FUNCTIONS["sample"]}, {"project": FUNCTIONS["project"]}
    assert fitting(**softmax) == fitting(**log_partition) == by_marginals
    assert fitting(**softmax, **sample) == by_marginals
    assert fitting(**log_partition, **sample) == by_marginals | {"reinforce"}
    assert {"spigot"} <= fitting(**project) and "spigot_ce" not in fitting(**project)
    assert {"spigot", "spigot_ce"} <= fitting(**project, **softmax)
    assert fitting(fixed_size=True) == {"identity_with_projection"}
    assert not fitting(**sample)


def test_an_estimator_without_default_settings_is_not_offered():
    class Scaled(Blackbox):
        def __init__(self, factor):
            super().__init__(factor)

    fitting = fitting_estimators(SolverStructure(choice))
    GradientEstimator.register("scaled")(Scaled)
    try:
        assert fitting_estimators(SolverStructure(choice)) == fitting
    finally:
        del GradientEstimator._registry[GradientEstimator]["scaled"]


def test_the_sparsest_projection_and_centred_scores_fit_on_request():
    scores, weights = torch.randn(2, 2, 3, 3, generator=torch.Generator().manual_seed(8))
    for estimator in (Spigot(projection=SparseMAPProjection()), IdentityWithProjection(False)):
        module = DifferentiableSolver(enumerated_assignment, estimator)
        grad = gradient(module, scores, weights)
        assert grad.isfinite().all() and grad.flatten(1).any(dim=1).all()


def test_marginals_alone_are_the_value_of_structured_attention_in_costs():
    costs = torch.randn(3, 4, generator=torch.Generator().manual_seed(9))
    module = DifferentiableSolver(
        choice,
        "structured_attention",
        maximize=False,
        marginals=lambda costs: (-costs).softmax(dim=-1),
    )
    leaf = costs.clone().requires_grad_()
    assert_close(module(costs), (-costs).softmax(dim=-1))
    expected = torch.autograd.grad(((-leaf).softmax(dim=-1) * costs).sum(), leaf)[0]
    assert_close(gradient(module, costs, costs), expected)
    invalid = costs.clone()
    invalid[1, 1] = torch.nan
    value = module(invalid)
    assert value[1].isnan().all() and torch.equal(value[[0, 2]], module(costs)[[0, 2]])
    with pytest.raises(NotImplementedError, match="Pass log_partition together with choice"):
        module.structure.log_partition(costs, torch.ones_like(costs).bool())


def test_what_learns_by_a_loss_of_its_own_or_runs_the_model_again_is_refused_in_a_plain_call():
    scores = torch.zeros(2, 3)
    options = {"indices": True, **FUNCTIONS}
    with pytest.raises(RuntimeError, match="Reinforce sends its gradient.*auxiliary_loss"):
        DifferentiableSolver(choice, "reinforce", **options)(scores)
    assert DifferentiableSolver(choice, "reinforce", **options).eval()(scores).sum() == 2
    with pytest.raises(ConfigurationError, match="runs the rest of the model again"):
        DifferentiableSolver(choice, "spigot_ce", **options)(scores)


def test_sparsemap_needs_zeros_and_ones():
    for estimator in ("sparsemap", Spigot(projection=SparseMAPProjection())):
        with pytest.raises(ConfigurationError, match="needs objects of zeros and ones"):
            DifferentiableSolver(choice, estimator, binary=False)


# --- masks, and scores that are no numbers


def test_impossible_parts_are_handed_over_as_such_and_must_not_be_chosen():
    seen = []

    def solver(scores):
        seen.append(scores.clone())
        return scores.argmax(dim=-1)

    scores = torch.tensor([[3.0, 2.0, 1.0], [3.0, -torch.inf, 4.0], [1.0, 2.0, 3.0]])
    scores.requires_grad_()
    mask = torch.tensor([[False, True, True], [True, True, False], [False, False, False]])
    module = DifferentiableSolver(solver, "straight_through", indices=True)
    value = module(scores, mask=mask)
    minus = -torch.inf
    assert seen[0].tolist() == [[minus, 2, 1], [3, minus, minus], [0, 0, 0]]
    assert value.tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    value.sum().backward()
    assert scores.grad.tolist() == [[0, 1, 1], [1, 0, 0], [0, 0, 0]]
    costs = DifferentiableSolver(
        lambda costs: costs.argmin(dim=-1), "straight_through", indices=True, maximize=False
    )
    assert costs(torch.tensor([[3.0, 2.0, 1.0]]), mask=mask[1:2]).tolist() == [[0, 1, 0]]
    with pytest.raises(ValueError, match="best_three chose a part that its mask.*score of minus"):
        DifferentiableSolver(best_three, "straight_through", indices=True)(scores, mask=mask)


def test_a_mask_of_the_first_dimensions_and_one_that_does_not_fit():
    scores = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(10))
    rows = torch.tensor([[True, True, False], [True, False, False]])

    def per_row(scores):
        zeros = torch.zeros_like(scores).scatter(-1, scores.argmax(-1, keepdim=True), 1)
        return zeros.masked_fill(scores == -torch.inf, 0)

    module = DifferentiableSolver(per_row, "straight_through")
    assert torch.equal(module(scores, mask=rows).sum(-1), rows.float())
    with pytest.raises(ValueError, match=r"Expected a mask of the scores, \(2, 3, 4\).*\(3, 2\)"):
        module(scores, mask=rows.T)


def test_a_single_mask_may_stand_in_a_sequence():
    module = DifferentiableSolver(best_three, "pipeline", indices=True)
    scores = torch.randn(2, 5)
    assert torch.equal(module(scores, mask=(torch.ones(2, 5).bool(),)), module(scores))
    assert torch.equal(module(scores, mask=[None]), module(scores))


@pytest.mark.parametrize(
    "mask, error, words",
    [
        ([None, None], ValueError, "sequence of 1 masks.*but found 2"),
        ([], ValueError, "sequence of 1 masks.*but found 0"),
        (torch.ones(2, 5), TypeError, "tensors of bool, but found torch.float32"),
        ([[True] * 5], TypeError, "tensors of bool, but found list"),
    ],
)
def test_what_are_no_masks_is_refused_in_words(mask, error, words):
    module = DifferentiableSolver(best_three, "pipeline", indices=True)
    with pytest.raises(error, match=words):
        module(torch.randn(2, 5), mask=mask)


@pytest.mark.parametrize("scores", [[torch.randn(2, 5)], torch.randn(2, 5).numpy()])
def test_what_are_no_tensors_of_scores_is_refused_in_words(scores):
    with pytest.raises(TypeError, match="Expected tensors of scores, but found a (list|ndarray)"):
        DifferentiableSolver(best_three, "pipeline", indices=True)(scores)


def test_masks_of_several_tensors_with_several_leading_dimensions():
    def solver(first, second):
        assert first.shape == (4, 3) and second.shape == (4, 2)
        zeros = torch.zeros_like(second).scatter(1, second.argmax(1, keepdim=True), 1)
        return first == first.amax(1, keepdim=True), zeros

    first = torch.tensor([3.0, 2.0, 1.0]).expand(2, 2, 3)
    second = torch.tensor([1.0, 2.0]).expand(2, 2, 2)
    module = DifferentiableSolver(solver, "straight_through", num_batch_dims=2)
    mask = torch.tensor([False, True, True]).expand(2, 2, 3)
    chosen = module(first, second, mask=(mask, None))
    assert (chosen[0] == torch.tensor([0.0, 1.0, 0.0])).all() and chosen[0].shape == (2, 2, 3)
    assert (chosen[1] == torch.tensor([0.0, 1.0])).all() and chosen[1].shape == (2, 2, 2)
    with pytest.raises(ValueError, match=r"Expected a mask of the scores, \(2, 2, 3\).*\(2,\)"):
        module(first, second, mask=(mask[:, 0, 0], None))
    # two rows, which could be taken for two masks
    with pytest.raises(ValueError, match=r"sequence of 2 masks.*found a single tensor"):
        module(first, second, mask=mask)


def test_scores_that_are_no_numbers_spoil_their_own_instance_alone():
    scores = torch.randn(3, 3, 3, generator=torch.Generator().manual_seed(11))
    options = {"maximize": False, **ASSIGNMENT}
    for name in ("straight_through", "blackbox", "sparsemap"):
        module = DifferentiableSolver(linear_sum_assignment, name, **options)
        expected, slope = module(scores), gradient(module, scores, scores)
        spoilt = scores.clone()
        spoilt[1, 0, 2] = torch.nan
        value, grad = module(spoilt), gradient(module, spoilt, scores)
        assert value[1].isnan().all() and grad[1].isnan().all()
        assert_close(value[[0, 2]], expected[[0, 2]])
        assert_close(grad[[0, 2]], slope[[0, 2]])


# --- types, devices, autograd


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_solver_gets_enough_bits_and_objects_have_the_type_of_the_scores(dtype):
    seen = []

    def numpy_solver(scores):
        seen.append(scores.dtype)
        return scores == scores.max(axis=-1, keepdims=True)

    scores = torch.randn(3, 4, generator=torch.Generator().manual_seed(12)).to(dtype)
    by_torch = DifferentiableSolver(lambda s: s == s.amax(-1, keepdim=True), "straight_through")
    value = by_torch(scores)
    assert value.dtype == dtype and gradient(by_torch, scores, scores).dtype == dtype
    by_numpy = DifferentiableSolver(numpy_solver, "straight_through", numpy=True)
    assert torch.equal(by_numpy(scores), value)
    assert seen == [np.float64]
    DifferentiableSolver(lambda s: seen.append(s.dtype) or s == s.amax(-1, keepdim=True))(scores)
    assert seen[1] == torch.promote_types(dtype, torch.float32)


def test_a_solver_is_called_without_gradients_and_without_mixed_precision():
    seen = []

    def solver(scores):
        product = scores @ torch.eye(3)
        seen.append((scores.requires_grad, torch.is_grad_enabled(), product.dtype))
        product.fill_(0)  # its own
        scores.fill_(7)  # a copy
        return torch.tensor([[1, 0, 0]] * len(scores))

    scores = torch.randn(2, 3, requires_grad=True)
    before = scores.detach().clone()
    module = DifferentiableSolver(solver, "straight_through")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        module(scores).sum().backward()
    assert seen == [(False, False, torch.float32)]
    assert torch.equal(scores, before) and torch.equal(scores.grad, torch.ones(2, 3))
    with torch.no_grad():
        assert not module(scores).requires_grad
    assert not module.eval()(scores).requires_grad


def test_a_second_derivative_is_refused():
    scores = torch.randn(2, 3, requires_grad=True)
    value = DifferentiableSolver(choice, "straight_through", indices=True)(scores)
    (first,) = torch.autograd.grad((value**2).sum(), scores, create_graph=True)
    with pytest.raises(RuntimeError, match="is a surrogate, of no function"):
        first.sum().backward()


def test_an_empty_batch_and_no_parts_never_reach_the_solver():
    def solver(scores):
        raise AssertionError

    for name in ("perturbed", "straight_through", "implicit_mle", "sparsemap", "blackbox"):
        module = DifferentiableSolver(solver, name)
        for shape in ((0, 3, 3), (2, 0)):
            grad = gradient(module, torch.zeros(shape), torch.zeros(shape))
            assert grad.shape == shape and not grad.any()


def test_it_is_pickled_with_its_solver():
    module = DifferentiableSolver(
        linear_sum_assignment, "straight_through", maximize=False, **ASSIGNMENT
    )
    scores = torch.randn(2, 3, 3)
    assert torch.equal(pickle.loads(pickle.dumps(module))(scores), module(scores))


# --- what a solver returns


@pytest.mark.parametrize(
    "result, message",
    [
        (np.zeros((2, 4)), r"shape \(2, 3\), but returned a ndarray of shape \(2, 4\)"),
        (np.full((2, 3), np.nan), "zeros and ones .*but returned nan"),
        (np.full((2, 3), 0.5), "zeros and ones .*but returned 0.5"),
        (np.full((2, 3), -1), "zeros and ones .*but returned -1"),
        ("nothing", r"shape \(2, 3\), but returned a str: 'nothing'"),
        (None, r"shape \(2, 3\), but returned a NoneType: None"),
    ],
)
def test_what_is_no_object_is_refused_by_the_name_of_the_solver(result, message):
    def careless(scores):
        return result

    for options in ({}, {"numpy": True}):
        with pytest.raises(ValueError, match=f"careless must return .*{message}"):
            DifferentiableSolver(careless, "straight_through", **options)(torch.zeros(2, 3))


def test_indices_that_do_not_fit_are_refused():
    for indices in (np.array([3, 0]), np.array([0, 1, 2]), (np.array([2]), np.array([0]))):
        with pytest.raises(ValueError, match=r"must return numbers of shape \(2, 3\)"):
            DifferentiableSolver(lambda scores, i=indices: i, "pipeline", indices=True)(
                torch.zeros(2, 3)
            )


@pytest.mark.parametrize("numpy", [True, False])
@pytest.mark.parametrize(
    "indices, message",
    [
        ([-1, 0], "an index must be from 0 to 2, but found -1"),
        (([0, 1], [2, -1]), "an index must be from 0 to 2, but found -1"),
        (([0, 2], [2, 1]), "(an index must be from 0 to 1, but found 2|index 2 is out of bounds)"),
        ([0.0, 1.5], "indices must be integers, but are of type .*float"),
        (([0, 1], [0.0, 1.0]), "indices must be integers, but are of type .*float"),
        (([True, False],), "indices must be integers, but are of type .*bool"),
        ([[True, False, True]] * 2, "indices must be integers, but are of type .*bool"),
        (([0], [0], [0]), "3 index arrays for 2 dimensions"),
    ],
)
def test_what_is_no_index_is_refused_by_the_name_of_the_solver(indices, message, numpy):
    convert = np.array if numpy else torch.tensor

    def careless(scores):
        return tuple(map(convert, indices)) if isinstance(indices, tuple) else convert(indices)

    module = DifferentiableSolver(careless, "pipeline", indices=True, numpy=numpy)
    with pytest.raises(ValueError, match=rf"careless must return.*[(]{message}"):
        module(torch.zeros(2, 3))


@pytest.mark.parametrize("numpy", [True, False])
@pytest.mark.parametrize("indices", [([], []), np.zeros((2, 0)), (np.array([], dtype=bool),) * 2])
def test_no_index_at_all_is_an_empty_object(indices, numpy):
    module = DifferentiableSolver(lambda scores: indices, "pipeline", indices=True, numpy=numpy)
    assert not module(torch.zeros(2, 3)).any()


ROWS_AND_COLUMNS = (np.array([0, 1]), np.array([2, 0]))
# Right answers for an instance of shape `(2, 3)`, with the places of their ones.
INDICES_OF_AN_INSTANCE = [
    (ROWS_AND_COLUMNS, {(0, 2), (1, 0)}),
    ((np.array([1], dtype=np.uint8), np.array([1], dtype=np.uint8)), {(1, 1)}),
    ((np.array([], dtype=int), np.array([], dtype=int)), set()),
    (([0, 1], [1, 1]), {(0, 1), (1, 1)}),
    ((np.array([1]),), {(1, 0), (1, 1), (1, 2)}),
    (np.array([2, 0]), {(0, 2), (1, 0)}),
    ([1, 1], {(0, 1), (1, 1)}),
    (np.array([[0, 2], [1, 2]]), {(0, 0), (0, 2), (1, 1), (1, 2)}),
]


@pytest.mark.parametrize("answers", list(itertools.product(INDICES_OF_AN_INSTANCE, repeat=2)))
def test_instances_may_be_answered_by_indices_of_several_kinds(answers):
    """Also where the solver writes all its answers into the same memory."""
    remaining = iter([indices for indices, _ in answers])
    last = []

    def solver(scores):
        for array in last:
            array[:] = 0
        indices = copy.deepcopy(next(remaining))
        last[:] = [a for a in as_tuple(indices) if isinstance(a, np.ndarray) and a.flags.writeable]
        return indices

    module = DifferentiableSolver(solver, "pipeline", **ASSIGNMENT)
    objects = module(torch.zeros(2, 2, 3))
    ones = [set(map(tuple, vertex.nonzero().tolist())) for vertex in objects]
    assert ones == [places for _, places in answers]


def as_tuple(indices):
    return indices if isinstance(indices, tuple) else (indices,)


@pytest.mark.parametrize(
    "wrong, message",
    [
        ((np.array([0, 1]), np.array([2, -1])), "an index must be from 0 to 2, but found -1"),
        ((np.array([0, 2]), np.array([2, 1])), "index 2 is out of bounds"),
        ((np.array([0, 1]), np.array([0.0, 1.0])), "indices must be integers.*float"),
        ((np.array([True, False]),) * 2, "indices must be integers.*bool"),
        ((np.array([0]),) * 3, "3 index arrays for 2 dimensions"),
        ((np.array([0, 1]), np.array([0, 1, 2])), "shape mismatch"),
        (np.array([0.0, 1.0]), "indices must be integers.*float"),
        (np.array([True, False]), "indices must be integers.*bool"),
        (np.array([0, -1]), "an index must be from 0 to 2, but found -1"),
        (np.array([0, 3]), "index 3 is out of bounds"),
        (np.array([0, 1, 2]), "indices into the last dimension must fit"),
        (None, "indices must be integers.*object"),
        (iter([0, 1]), "indices must be integers.*object"),
    ],
)
@pytest.mark.parametrize("right", [ROWS_AND_COLUMNS, np.array([2, 0])])
def test_a_wrong_answer_to_an_instance_among_right_ones_is_refused(right, wrong, message):
    remaining = iter([right, right, wrong])

    def careless(scores):
        return next(remaining)

    module = DifferentiableSolver(careless, "pipeline", **ASSIGNMENT)
    with pytest.raises(ValueError, match=rf"careless must return.*[(]{message}"):
        module(torch.zeros(3, 2, 3))


def test_a_partial_function_is_called_by_the_name_of_the_whole():
    def careless(weight, scores):
        return weight

    solver = functools.partial(functools.partial(careless, 3))
    assert SolverStructure(solver).name == careless.__qualname__
    with pytest.raises(ValueError, match="careless must return numbers"):
        DifferentiableSolver(solver, "pipeline")(torch.zeros(2, 3))


def test_numbers_that_need_not_be_zeros_and_ones_must_be_finite():
    with pytest.raises(ValueError, match="must return finite numbers, but returned inf"):
        DifferentiableSolver(lambda scores: scores + torch.inf, "pipeline", binary=False)(
            torch.zeros(2, 3)
        )


def test_what_an_integer_program_leaves_is_rounded_and_reversed_arrays_are_read():
    def nearly(scores):
        return np.array([[1e-6, 0.0, 0.99999]])[:, ::-1]

    module = DifferentiableSolver(nearly, "straight_through", numpy=True)
    assert module(torch.zeros(1, 3)).tolist() == [[1, 0, 0]]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_solvers_of_torch_and_of_numpy_on_a_gpu():
    scores = torch.randn(4, 3, 3, generator=torch.Generator().manual_seed(13))
    options = {"maximize": False, **ASSIGNMENT}
    for name in ("straight_through", "blackbox", "sparsemap"):
        for module in (
            DifferentiableSolver(linear_sum_assignment, name, **options),
            DifferentiableSolver(enumerated_assignment, name),
        ):
            expected = module(scores), gradient(module, scores, scores)
            moved = scores.cuda()
            on_gpu = module(moved), gradient(module, moved, moved)
            assert all(tensor.is_cuda for tensor in on_gpu)
            assert_close(tuple(tensor.cpu() for tensor in on_gpu), expected)


def test_functions_that_are_modules_are_trained_and_saved_with_the_model():
    class Tempered(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.temperature = torch.nn.Parameter(torch.tensor(2.0))

        def forward(self, scores):
            return (scores / self.temperature).softmax(dim=-1)

    module = DifferentiableSolver(
        choice, "structured_attention", indices=True, marginals=Tempered()
    )
    (temperature,) = module.parameters()
    assert list(module.state_dict()) == ["functions.marginals.temperature"]
    module(torch.tensor([[1.0, 0.0]]))[0, 0].backward()
    # the derivative of sigmoid(1 / temperature)
    probability = torch.tensor(0.5).sigmoid()
    assert_close(temperature.grad, -0.25 * probability * (1 - probability))
    assert not list(DifferentiableSolver(choice, indices=True).parameters())
    assert copy.deepcopy(module).double()(torch.zeros(1, 2).double()).dtype == torch.double
