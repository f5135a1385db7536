import itertools
import math

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.structures.structure import Structure
from spigot_allennlp.structures.subset import Subset
from tests.structures.structure_contract import StructureContract


class SubsetContract(StructureContract):
    k: int

    @pytest.fixture
    def structure(self):
        return Subset(self.k)

    def shape(self, token_mask):
        return token_mask.shape

    def enumerate(self, structure, legal):
        parts = legal.flatten().nonzero().flatten().tolist()
        chosen = list(itertools.combinations(parts, structure.k)) if parts else [()]
        objects = torch.zeros(len(chosen), legal.numel(), dtype=torch.double)
        for vertex, indices in zip(objects, chosen, strict=True):
            vertex[list(indices)] = 1
        return objects.reshape(-1, *legal.shape)

    def relaxed_points(self, legal, number):
        objects = self.enumerate(Subset(self.k), legal)
        weights = torch.empty(number, len(objects), dtype=torch.double).exponential_()
        return torch.tensordot(weights / weights.sum(dim=1, keepdim=True), objects, 1)


class TestTwoOfFive(SubsetContract):
    k = 2

    def token_mask(self):
        return torch.tensor(
            [[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 0, 1, 1, 0], [0, 0, 0, 0, 0]]
        ).bool()


class TestFiveOfSeven(SubsetContract):
    k = 5

    def token_mask(self):
        return torch.tensor([[1] * 7, [1, 0] + [1] * 5, [0, 0] + [1] * 5, [0] * 7]).bool()


class TestThreePartsInTwoDimensions(SubsetContract):
    k = 3

    def token_mask(self):
        return torch.tensor([[1, 1, 1], [1, 1, 0], [0, 1, 1], [0, 0, 0]]).bool()

    def shape(self, token_mask):
        return torch.Size([*token_mask.shape, 2])


def test_at_zero_scores_subsets_are_counted():
    mask = torch.tensor([[1] * 6, [1, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 0], [0] * 6]).bool()
    total = Subset(3).log_partition(torch.zeros(4, 6), mask)
    torch.testing.assert_close(total, torch.tensor([math.log(20), 0.0, -math.inf, 0.0]))


@pytest.mark.parametrize("size", [1, 4])
def test_more_parts_than_there_are_cannot_be_chosen(size):
    structure = Subset(5)
    scores, mask = torch.randn(2, size), torch.ones(2, size).bool()
    assert structure.log_partition(scores, mask).tolist() == [-math.inf, -math.inf]
    empty = torch.zeros_like(scores)
    for operation in (structure.argmax, structure.sample, structure.marginals, structure.project):
        assert torch.equal(operation(scores, mask), empty)
    assert structure.lacks_objects(empty, mask).all()
    assert not structure.contains(empty, mask).any()


@pytest.mark.parametrize("shape", [(0, 4), (2, 0), (0, 0)])
def test_an_empty_batch_and_instances_without_parts(shape):
    scores, mask = torch.randn(shape), torch.ones(shape).bool()
    structure = Subset(2)
    assert torch.equal(structure.log_partition(scores, mask), torch.zeros(shape[0]))
    for operation in (structure.argmax, structure.sample, structure.marginals, structure.project):
        assert operation(scores, mask).shape == shape


def test_sums_and_marginals_of_scores_that_differ_by_millions():
    # Two subsets are tied at the top, by the third and the fourth part.
    scores = torch.tensor([[3e6, -1e6, 2e4, 2e4, -3e6]])
    mask = torch.ones_like(scores).bool()
    total, marginals = Subset(2).log_partition_and_marginals(scores, mask)
    assert total.item() == pytest.approx(3e6 + 2e4 + math.log(2), rel=1e-7)
    torch.testing.assert_close(marginals, torch.tensor([[1, 0, 0.5, 0.5, 0]]))


def test_marginals_of_many_parts_sum_to_k():
    scores = 20 * torch.randn(3, 300, generator=torch.Generator().manual_seed(1))
    marginals = Subset(40).marginals(scores, torch.ones_like(scores).bool())
    assert (marginals >= 0).all() and (marginals <= 1 + 1e-6).all()
    torch.testing.assert_close(marginals.double().sum(dim=1), torch.full((3,), 40.0).double())


@pytest.mark.parametrize("scale", [0.3, 1.0, 1e6])
@pytest.mark.parametrize("k", [1, 3, 6, 7])
def test_the_projection_is_that_of_the_best_set_of_bounds(k, scale):
    generator = torch.Generator().manual_seed(k)
    points = scale * torch.randn(5, 7, generator=generator, dtype=torch.double)
    projections = Subset(k).project(points, torch.ones_like(points).bool())
    for point, projected in zip(points, projections, strict=True):
        expected = nearest_by_active_sets(point, k)
        torch.testing.assert_close(projected, expected, atol=1e-9, rtol=0)


def nearest_by_active_sets(point, k):
    """The nearest point of the hull: of all choices of entries at 0, at 1 and between, the best."""
    # (3 ** size, size): zero, one, or two for an entry between them
    kinds = torch.cartesian_prod(*[torch.arange(3)] * len(point))
    is_free = kinds == 2
    at_bound = (kinds == 1).to(point.dtype)
    missing = k - at_bound.sum(dim=1) - (is_free * point).sum(dim=1)
    shift = missing / is_free.sum(dim=1).clamp(min=1)
    candidates = torch.where(is_free, point + shift.unsqueeze(1), at_bound)
    slack = 1e-9
    is_feasible = ((candidates >= -slack) & (candidates <= 1 + slack)).all(dim=1)
    is_feasible &= (candidates.sum(dim=1) - k).abs() < slack
    # without the square of the point, which is the same for all
    distances = (candidates * (candidates - 2 * point)).sum(dim=1)
    return candidates[distances.masked_fill(~is_feasible, torch.inf).argmin()]


def test_steps_on_the_hull_are_those_of_differences_of_projections():
    generator = torch.Generator().manual_seed(4)
    scores, step = torch.randn(2, 50, 9, generator=generator, dtype=torch.double)
    mask = torch.rand(50, 9, generator=generator) < 0.8
    structure = Subset(3)
    for origin in (structure.argmax(scores, mask), structure.marginals(scores, mask)):
        moved = structure.projected_step(origin, step, mask)
        expected = origin - structure.project(origin - step, mask)
        torch.testing.assert_close(moved, expected)


def test_the_derivative_of_the_projection_is_that_of_finite_differences():
    generator = torch.Generator().manual_seed(4)
    points, direction = torch.randn(2, 50, 9, generator=generator, dtype=torch.double)
    mask, structure = torch.ones(50, 9).bool(), Subset(3)
    ahead, behind = (structure.project(points + h * direction, mask) for h in (1e-7, -1e-7))
    derivative = structure.hull_jvp(structure.project(points, mask), direction, mask)
    torch.testing.assert_close(derivative, (ahead - behind) / 2e-7, atol=1e-6, rtol=0)


@pytest.mark.parametrize("k", [0, -1, 2.5, True, "3"])
def test_a_number_of_parts_that_cannot_be_is_refused(k):
    with pytest.raises(ConfigurationError, match="k, how many parts a subset has"):
        Subset(k)


def test_it_is_made_from_a_config():
    structure = Structure.from_params(Params({"type": "subset", "k": 3}))
    assert isinstance(structure, Subset) and structure.k == 3
