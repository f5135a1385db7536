import itertools
import re

import numpy
import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from scipy.optimize import linear_sum_assignment, minimize

from spigot_allennlp.estimators.reinforce import Reinforce
from spigot_allennlp.estimators.structured_attention import StructuredAttention
from spigot_allennlp.layers.structured_argmax_layer import (
    StructuredArgmaxLayer,
    fitting_estimators,
)
from spigot_allennlp.projections.sparsemap import SparseMAPProjection
from spigot_allennlp.structures.matching import Matching
from spigot_allennlp.structures.structure import Structure
from tests.structures.structure_contract import StructureContract


class MatchingContract(StructureContract):
    num_columns: int

    @pytest.fixture
    def structure(self):
        return Matching()

    def shape(self, token_mask):
        return torch.Size([*token_mask.shape[:2], self.num_columns])

    def enumerate(self, structure, legal):
        rows, columns = (legal.any(dim=dim).nonzero().flatten().tolist() for dim in (1, 0))
        number = min(len(rows), len(columns))
        chosen_rows = [rows] if number == len(rows) else itertools.permutations(rows, number)
        chosen_columns = (
            [columns] if number < len(rows) else itertools.permutations(columns, number)
        )
        matchings = list(itertools.product(chosen_rows, chosen_columns))
        objects = torch.zeros(len(matchings), *legal.shape, dtype=torch.double)
        for vertex, pairs in zip(objects, matchings, strict=True):
            vertex[pairs] = 1
        return objects[~(objects.bool() & ~legal).flatten(1).any(dim=1)]


class TestFourRowsOrFewerAndThreeColumns(MatchingContract):
    num_columns = 3

    def token_mask(self):
        return torch.arange(4) < torch.tensor([4, 2, 3, 1, 0]).unsqueeze(1)


class TestTwoRowsAndFiveColumns(MatchingContract):
    num_columns = 5

    def token_mask(self):
        return torch.tensor([[1, 1], [0, 1], [1, 0], [0, 0]]).bool()


class TestRowsAndColumnsOfManySizes(MatchingContract):
    num_columns = 4

    def token_mask(self):
        sizes = torch.tensor([[4, 4], [3, 4], [4, 2], [1, 3], [2, 2], [0, 0]])
        rows, columns = (torch.arange(4) < sizes[:, side, None] for side in (0, 1))
        return rows.unsqueeze(2) & columns.unsqueeze(1)


@pytest.mark.parametrize("num_rows, num_columns", [(1, 1), (9, 9), (30, 30), (7, 40), (40, 7)])
@pytest.mark.parametrize("kinds", ["real", "whole", "pruned"])
def test_the_best_matching_scores_as_much_as_that_of_scipy(num_rows, num_columns, kinds):
    generator = torch.Generator().manual_seed(num_rows)
    scores = torch.randn(20, num_rows, num_columns, generator=generator, dtype=torch.double)
    if kinds == "whole":  # with many ties
        scores = scores.mul(2).round()
    mask = torch.ones_like(scores).bool()
    if kinds == "pruned":
        mask = torch.rand(scores.shape, generator=generator) < 0.7
        mask[..., 0] = mask[:, 0] = True  # no row or column is padding
    best = Matching().argmax(scores, mask)
    for values, legal, matching in zip(scores, mask, best, strict=True):
        # minus infinity might leave no matching, of which SciPy makes an error
        costs = torch.where(legal, values, -1e9)
        expected = costs.numpy()[linear_sum_assignment(costs.numpy(), maximize=True)].sum()
        if expected < -1e8:
            assert not matching.any()
        else:
            assert Matching().contains(matching[None], legal[None]).all()
            torch.testing.assert_close((matching * costs).sum().item(), float(expected))


def test_several_threads_match_as_one_does():
    scores = torch.randn(40, 24, 24, generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(scores).bool()
    expected, threads = Matching().argmax(scores, mask), torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert torch.equal(Matching().argmax(scores, mask), expected)
    finally:
        torch.set_num_threads(threads)


def test_pairs_of_which_no_matching_can_be_made_are_none():
    mask = torch.ones(2, 3, 3).bool()
    mask[0, :2, 1:] = False  # two rows for one column
    scores = torch.randn(mask.shape)
    best = Matching().argmax(scores, mask)
    assert not best[0].any() and best[1].sum() == 3
    assert Matching().lacks_objects(best, mask).tolist() == [True, False]
    assert Matching().contains(torch.zeros(2, 3, 3), mask).tolist() == [False, False]


@pytest.mark.parametrize("shape", [(0, 4, 4), (2, 0, 4), (2, 4, 0), (2, 0, 0)])
def test_an_empty_batch_and_instances_without_pairs(shape):
    scores, mask = torch.randn(shape), torch.ones(shape).bool()
    assert Matching().argmax(scores, mask).shape == shape
    assert Matching().contains(torch.zeros(shape), mask).all()


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3)])
@pytest.mark.parametrize("scale", [0.2, 1.0, 5.0])
def test_the_projection_is_that_of_a_quadratic_programme(shape, scale):
    point = scale * numpy.random.default_rng(3).standard_normal((3, *shape))
    tensors = torch.zeros(point.shape, dtype=torch.double), -torch.from_numpy(point)
    mask = torch.ones(point.shape, dtype=torch.bool)
    projected = -SparseMAPProjection(tolerance=1e-14).projected_step(Matching(), *tensors, mask)
    for origin, projection in zip(point, projected, strict=True):
        expected = nearest_by_programme(origin)
        numpy.testing.assert_allclose(projection.numpy(), expected, atol=2e-6)


def nearest_by_programme(point):
    """
    The nearest matrix of numbers from zero on whose lines sum to one, or, the lines of which there
    are more, to one at most.
    """
    num_rows, num_columns = point.shape
    by_row = numpy.kron(numpy.eye(num_rows), numpy.ones(num_columns))
    by_column = numpy.kron(numpy.ones(num_rows), numpy.eye(num_columns))
    if num_rows == num_columns:
        by_column = by_column[1:]  # the first sum follows from the others
    kinds = "eq" if num_rows <= num_columns else "ineq", "eq" if num_rows >= num_columns else "ineq"
    constraints = [
        {"type": kind, "fun": lambda z, m=matrix: 1 - m @ z, "jac": lambda z, m=matrix: -m}
        for kind, matrix in zip(kinds, (by_row, by_column), strict=True)
    ]
    solution = minimize(
        lambda z: ((z - point.ravel()) ** 2).sum() / 2,
        numpy.full(point.size, 1 / max(point.shape)),
        jac=lambda z: z - point.ravel(),
        bounds=[(0, None)] * point.size,
        constraints=constraints,
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 1000},
    )
    return solution.x.reshape(point.shape)


@pytest.mark.parametrize("estimator", [StructuredAttention(), Reinforce()])
def test_what_needs_a_sum_over_all_matchings_is_refused_with_what_does_not(estimator):
    with pytest.raises(ConfigurationError, match="Matching.*permanent.*these fit") as error:
        StructuredArgmaxLayer(Matching(), estimator)
    listed = str(error.value).partition("these fit: ")[2]
    assert listed.startswith("'blackbox', 'identity_with_projection', 'implicit_mle'")
    assert "'perturbed'" in listed and "'spigot'" not in listed


def test_the_documentation_names_the_estimators_that_fit():
    assert Matching.__doc__ is not None
    named = Matching.__doc__.partition("none of these fit:")[2].partition("No `projected_step`")[0]
    assert re.findall(r'"(\w+)"', named) == fitting_estimators(Matching())


def test_an_operation_that_is_not_provided_says_so():
    scores, mask = torch.zeros(1, 2, 2), torch.ones(1, 2, 2).bool()
    for operation in ("log_partition", "marginals", "entropy", "sample"):
        with pytest.raises(NotImplementedError, match="Matching .*only argmax.*permanent"):
            getattr(Matching(), operation)(scores, mask)


def test_scores_of_other_dimensions_are_refused():
    with pytest.raises(ConfigurationError, match=r"\(batch_size, rows, columns\).*\(2, 3\)"):
        Matching().part_mask(torch.ones(2, 3).bool(), torch.Size([2, 3]))
    with pytest.raises(ValueError, match="mask of the first dimensions"):
        Matching().part_mask(torch.ones(2, 4).bool(), torch.Size([2, 3, 4]))


def test_it_is_made_from_a_config():
    assert isinstance(Structure.from_params(Params({"type": "matching"})), Matching)
