import math

import pytest
import torch

from benchmarks.accuracy_check import (
    are_trees,
    check_implicit_mle,
    check_matchings,
    check_numbers,
    check_perturbed_matchings,
    check_perturbed_subsets,
    check_subsets,
    check_tags,
    check_trees,
    describe_error,
)
from benchmarks.library import OURS, arcs_from_heads, one_hot_tags
from benchmarks.operation import OPERATIONS
from benchmarks.problem import Problem, Size
from tests.nn.dependency_trees import dependency_trees, is_projective, is_tree


def arcs(*heads):
    return arcs_from_heads(torch.tensor([[0, *heads]]))


@pytest.mark.parametrize("projective", [False, True])
def test_trees_are_distinguished_from_what_is_none(projective):
    for code in range(5**4):
        heads = tuple(code // 5**place % 5 for place in range(4))
        expected = is_tree(heads) and heads.count(0) == 1
        expected = expected and (not projective or is_projective(heads))
        assert bool(are_trees(arcs(*heads), projective)) == expected, heads


def test_a_token_with_two_heads_is_no_tree():
    two = arcs(0, 1)
    two[0, 2, 0] = 1
    assert not are_trees(two, projective=False)


def test_a_worse_matching_is_wrong_by_what_it_lacks_and_no_matching_by_infinity():
    scores = torch.tensor([[[1.0, 5.0], [4.0, 1.0]]])
    problem = Problem(Size(1, 2), scores, scores)
    best = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])
    results = {OURS: best.flip(1), "best": best, "column twice": torch.tensor([[[1.0, 0], [1, 0]]])}
    errors = check_matchings(problem, results, None)
    assert errors == {OURS: pytest.approx(7 / 9), "best": 0.0, "column twice": math.inf}


def test_a_subset_has_a_quarter_of_each_row():
    scores = torch.arange(16.0).view(1, 4, 4)
    problem = Problem(Size(1, 4), scores, scores)
    last = torch.nn.functional.one_hot(torch.full((1, 4), 3), 4).float()
    results = {OURS: last.flip(2), "best": last, "all": torch.ones(1, 4, 4)}
    errors = check_subsets(problem, results, None)
    assert errors == {OURS: pytest.approx(12 / 36), "best": 0.0, "all": math.inf}


# The noise helps the diagonal, whose parts have the gradients 1 and 5.
DIRECTION = torch.tensor([[1.0, 2.0], [3.0, 5.0]])
NOISE = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
DIAGONAL = torch.eye(2)


@pytest.mark.parametrize(
    ("check", "gradient"),
    [
        # The whole matching changes by 1 + 5, times the noise.
        (check_perturbed_matchings, [[12.0, 0.0], [0.0, 6.0]]),
        # Each row changes by itself: 1 and 5, times its noise.
        (check_perturbed_subsets, [[2.0, 0.0], [0.0, 5.0]]),
        # Against the step, 10 and 50 to 20 and 30, the other diagonal is best.
        (check_implicit_mle, [[1.0, -1.0], [-1.0, 1.0]]),
    ],
)
def test_a_layer_is_checked_by_the_definition_of_its_estimator(check, gradient):
    problem = Problem(Size(1, 2), torch.zeros(1, 2, 2), DIRECTION.unsqueeze(0))
    right = torch.stack([DIAGONAL, torch.tensor(gradient), NOISE]).unsqueeze(1)
    doubled, other_noise, lost = right.clone(), right.clone(), right.clone()
    doubled[1] *= 2
    other_noise[2] = NOISE.flip(1)
    lost[0, 0, 0, 0] = math.nan
    results = {OURS: right, "doubled": doubled, "other noise": other_noise, "lost": lost}
    errors = check(problem, results, None)
    assert errors[OURS] == 0 and errors["doubled"] == 1
    assert errors["other noise"] >= 1 and not errors["lost"] <= 1


def test_a_gradient_that_should_be_zero_is_checked_too():
    scores = 1000 * DIAGONAL.unsqueeze(0)  # no step of 10 changes the matching
    problem = Problem(Size(1, 2), scores, DIRECTION.unsqueeze(0))
    right = torch.stack([DIAGONAL, torch.zeros(2, 2), NOISE]).unsqueeze(1)
    moved = right.clone()
    moved[1, 0, 0, 0] = 0.5
    errors = check_implicit_mle(problem, {OURS: right, "moved": moved}, None)
    assert errors == {OURS: 0.0, "moved": 0.5}


def test_a_worse_tree_is_wrong_by_what_it_lacks_and_no_tree_by_infinity():
    scores = torch.zeros(1, 3, 3)
    scores[0, 1, 0], scores[0, 2, 1] = 2.0, 2.0
    problem = Problem(Size(1, 2), scores, scores)
    results = {OURS: arcs(2, 0), "best": arcs(0, 1), "circle": arcs(2, 1)}
    errors = check_trees(problem, results, None)
    assert errors == {OURS: 1.0, "best": 0.0, "circle": math.inf}


def test_tags_are_checked_with_their_transitions():
    transitions = torch.zeros(20, 20)
    transitions[3, 4] = 1.0
    scores = torch.zeros(1, 2, 20)
    problem = Problem(Size(1, 2), scores, scores, transitions)
    results = {
        "best": one_hot_tags(torch.tensor([[3, 4]])),
        "worse": one_hot_tags(torch.tensor([[4, 3]])),
    }
    assert check_tags(problem, results, None) == {"best": 0.0, "worse": 1.0}


def test_numbers_are_compared_with_the_truth_or_else_with_ours():
    problem = OPERATIONS["projective_marginals"].problem(Size(1, 2), seed=1)
    results = {OURS: torch.tensor([1.0, 2.0]), "peer": torch.tensor([1.0, 4.0])}
    assert check_numbers(problem, results, None) == {OURS: 0.0, "peer": 1.0}
    assert check_numbers(problem, results, torch.tensor([1.0, 4.0])) == {OURS: 0.5, "peer": 0.0}


def test_what_is_no_number_is_not_right():
    problem = OPERATIONS["projective_marginals"].problem(Size(1, 2), seed=1)
    errors = check_numbers(
        problem, {OURS: torch.ones(2), "peer": torch.tensor([1, math.nan])}, None
    )
    assert not OPERATIONS["projective_marginals"].is_right(errors["peer"])
    assert describe_error(errors["peer"]) == "not a number"
    assert describe_error(math.inf) == "not a legal object"
    assert describe_error(0.25) == "wrong by 0.25"


def test_the_gap_is_zero_at_the_projection_and_at_no_other_tree():
    operation = OPERATIONS["projective_tree_projection"]
    trees = dependency_trees(3, projective=True, single_root=True).float()
    point = 10 * trees[:1]
    problem = Problem(Size(1, 3), point, point)
    results = {"projection": trees[:1], "other": trees[1:2], "outside": 0.5 * trees[:1]}
    errors = operation.check(problem, results, None)
    assert operation.is_right(errors["projection"])
    assert not operation.is_right(errors["other"])
    assert math.isinf(errors["outside"])
