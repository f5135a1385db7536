import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from spigot_allennlp import structures  # noqa: F401  (registers them)
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.projections.projection import LocalProjection, Projection
from spigot_allennlp.projections.sparsemap import SparseMAPProjection
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from spigot_allennlp.structures.semantic_graph import SemanticGraph
from spigot_allennlp.structures.structure import Structure
from spigot_allennlp.structures.subset import Subset
from tests.estimators.all_pairs_test import REQUIRED, SHAPES, arcs
from tests.estimators.backward import linear, scores_gradient

STRUCTURES = [{"type": name, **REQUIRED.get(name, {})} for name in Structure.list_available()]
STRUCTURES += [
    {"type": config["type"], "single_root": False}
    for config in STRUCTURES
    if config["type"].endswith("_tree")
]


@pytest.fixture(params=STRUCTURES, ids=lambda config: " ".join(map(str, config.values())))
def problem(request):
    """A structure, random scores of sentences of several lengths, and their legal parts."""
    structure = Structure.from_params(Params(dict(request.param)))
    token_mask = torch.arange(5) < torch.tensor([5, 4, 3, 2, 1, 0]).unsqueeze(1)
    shape = SHAPES.get(request.param["type"], arcs)(token_mask)
    scores = torch.randn(shape, generator=torch.Generator().manual_seed(7), dtype=torch.double)
    return structure, scores, structure.part_mask(token_mask, scores.shape).expand(scores.shape)


def gap_of(structure, target, point, mask):
    """How much nearer to `target` than `point` a point of the polytope can be, at most."""
    residual = (target - point).masked_fill(~mask, 0)
    best = structure.argmax(residual, mask)
    return ((best - point) * residual).flatten(1).sum(dim=1)


# --- of every structure


@pytest.mark.parametrize("size", [1e-3, 0.3, 1.0, 30.0])
def test_no_point_of_the_polytope_is_nearer(problem, size):
    structure, scores, mask = problem
    vertex, step = structure.argmax(scores, mask), size * scores.flip(0)
    moved = SparseMAPProjection().projected_step(structure, vertex, step, mask)
    assert not moved[~mask].any()
    gap = gap_of(structure, vertex - step, vertex - moved, mask)
    assert (gap < 1e-9 * (1 + size)).all() and moved.any()


def test_the_way_back_leads_through_the_polytope(problem):
    # A linear function is nowhere larger than at the best vertex, on any point of the polytope.
    structure, scores, mask = problem
    vertex = structure.argmax(scores, mask)
    point = vertex - SparseMAPProjection().projected_step(structure, vertex, scores.flip(0), mask)
    generator = torch.Generator().manual_seed(8)
    for _ in range(20):
        costs = torch.randn(scores.shape, generator=generator, dtype=torch.double)
        costs = costs.masked_fill(~mask, 0)
        best = structure.argmax(costs, mask)
        assert ((costs * (best - point)).flatten(1).sum(dim=1) > -1e-9).all()


def test_a_step_that_is_too_short_for_single_precision_comes_through(problem):
    structure, scores, mask = problem
    vertex, step = structure.argmax(scores, mask), scores.flip(0).masked_fill(~mask, 0)
    expected = SparseMAPProjection().projected_step(structure, vertex, 1e-4 * step, mask) / 1e-4
    for size in (1e-8, 1e-12):
        tiny = size * step.float()
        moved = SparseMAPProjection().projected_step(structure, vertex.float(), tiny, mask)
        torch.testing.assert_close(moved.double() / size, expected, rtol=1e-4, atol=1e-4)


def test_repeating_the_batch_changes_no_instance(problem):
    structure, scores, mask = problem
    vertex, step = structure.argmax(scores, mask), scores.flip(0)
    once = SparseMAPProjection().projected_step(structure, vertex, step, mask)
    twice = [torch.cat([tensor, tensor]) for tensor in (vertex, step, mask)]
    moved = SparseMAPProjection().projected_step(structure, *twice)
    torch.testing.assert_close(moved, torch.cat([once, once]), atol=1e-12, rtol=0)


# --- where the relaxation is the polytope itself


@pytest.mark.parametrize(
    "structure, shape",
    [
        (Categorical(), (4, 3, 5)),
        (SemanticGraph(), (4, 3, 3, 1)),
        (SemanticGraph(), (4, 3, 3, 4)),
        (Subset(2), (4, 3, 5)),
    ],
    ids=["categorical", "unlabelled", "labelled", "subset"],
)
@pytest.mark.parametrize("size", [1e-6, 0.1, 1.0, 50.0])
def test_it_is_the_local_projection_where_that_is_exact(structure, shape, size):
    generator = torch.Generator().manual_seed(9)
    scores, step = torch.randn(2, *shape, generator=generator, dtype=torch.double)
    token_mask = torch.arange(3) < torch.tensor([3, 2, 1, 0]).unsqueeze(1)
    mask = structure.part_mask(token_mask, scores.shape).expand(shape)
    vertex = structure.argmax(scores, mask)
    moved = SparseMAPProjection().projected_step(structure, vertex, size * step, mask)
    expected = LocalProjection().projected_step(structure, vertex, size * step, mask)
    torch.testing.assert_close(moved, expected, atol=1e-6 * min(size, 1), rtol=1e-6)


def test_of_a_tree_it_is_further_in_than_one_head_per_token():
    structure, scores = ProjectiveTree(), torch.zeros(1, 3, 3).double()
    mask = structure.part_mask(torch.ones(1, 3, dtype=torch.bool), scores.shape)
    # the root heads 1, which heads 2; a step away from the root, towards 1 <- 2 and 2 <- 1
    vertex = structure.argmax(torch.tensor([[[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]]).double(), mask)
    step = torch.zeros_like(scores)
    step[0, 1, 0], step[0, 1, 2] = 0.5, -0.5
    local = vertex - LocalProjection().projected_step(structure, vertex, step, mask)
    exact = vertex - SparseMAPProjection().projected_step(structure, vertex, step, mask)
    assert (local[0, 1, 2], local[0, 2, 1]) == (0.5, 1.0)  # half a cycle
    # of the two trees 0 -> 1 -> 2 and 0 -> 2 -> 1: the more of the second, the less of 1 -> 2
    torch.testing.assert_close(exact[0, 1], torch.tensor([0.75, 0.0, 0.25]).double())
    torch.testing.assert_close(exact[0, 2], torch.tensor([0.25, 0.75, 0.0]).double())


# --- SPIGOT with it


def test_the_gradient_of_spigot_is_the_way_to_the_nearest_mean_of_trees():
    torch.manual_seed(10)
    structure, scores, costs = ProjectiveTree(), *torch.randn(2, 4, 7, 7, dtype=torch.double)
    mask = structure.part_mask(torch.ones(4, 7, dtype=torch.bool), scores.shape)
    config = {"type": "spigot", "projection": "sparsemap", "step_size": 0.5}
    estimator = GradientEstimator.from_params(Params(config))
    gradient = scores_gradient(estimator, structure, scores, mask, linear(costs), torch.sum)
    vertex = structure.argmax(scores, mask)
    point = vertex - gradient
    assert (gap_of(structure, vertex - 0.5 * costs, point, mask) < 1e-9).all()
    # the mean object has one root and one head for each token
    torch.testing.assert_close(point[:, 1:].sum(dim=2), torch.ones(4, 6).double())
    torch.testing.assert_close(point[:, :, 0].sum(dim=1), torch.ones(4).double())


# --- configuration


def test_it_asks_for_nothing_but_the_argmax():
    assert not SparseMAPProjection().requires
    config = {"type": "spigot", "projection": {"type": "sparsemap", "max_iterations": 50}}
    assert not GradientEstimator.from_params(Params(config)).requirements


def test_with_few_iterations_it_is_still_in_the_polytope():
    structure, scores = ProjectiveTree(), torch.randn(1, 9, 9, dtype=torch.double)
    mask = structure.part_mask(torch.ones(1, 9, dtype=torch.bool), scores.shape)
    vertex = structure.argmax(scores, mask)
    step = -0.2 * scores.mT
    early, late = [
        vertex - SparseMAPProjection(number).projected_step(structure, vertex, step, mask)
        for number in (2, 1000)
    ]
    torch.testing.assert_close(early[:, 1:].sum(dim=2), torch.ones(1, 8).double())
    assert (early - late).norm() > 0.01


@pytest.mark.parametrize(
    "option, value, message",
    [
        ("max_iterations", 0, "max_iterations must be positive but is 0"),
        ("tolerance", -1e-3, "tolerance must be at least 0 but is -0.001"),
        ("tolerance", float("nan"), "tolerance must be at least 0 but is nan"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_value(option, value, message):
    with pytest.raises(ConfigurationError, match=message):
        Projection.from_params(Params({"type": "sparsemap", option: value}))
