import math

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.nn.alignment import alignment
from spigot_allennlp.projections.sparsemap import SparseMAPProjection
from spigot_allennlp.structures.alignment import Alignment
from spigot_allennlp.structures.structure import Structure
from tests.structures.structure_contract import StructureContract


@pytest.fixture(params=["kernels", "torch_fallback"], autouse=True)
def path(request, monkeypatch):
    """
    Every test runs twice: with the kernels, and with what other devices than the CPU get.
    """
    monkeypatch.setattr(alignment, "has_kernels", lambda device: request.param == "kernels")


def paths(cell, last):
    """All alignments from one cell to the last, as lists of cells."""
    if cell == last:
        return [[cell]]
    steps = [(cell[0] + down, cell[1] + right) for down, right in ((0, 1), (1, 0), (1, 1))]
    inside = [step for step in steps if step[0] <= last[0] and step[1] <= last[1]]
    return [[cell, *rest] for step in inside for rest in paths(step, last)]


class AlignmentContract(StructureContract):
    num_columns: int

    @pytest.fixture
    def structure(self):
        return Alignment()

    def shape(self, token_mask):
        return torch.Size([*token_mask.shape[:2], self.num_columns])

    def enumerate(self, structure, legal):
        rows, columns = (legal.any(dim=dim).nonzero().flatten().tolist() for dim in (1, 0))
        alignments = paths((0, 0), (rows[-1], columns[-1])) if rows else [[]]
        objects = torch.zeros(len(alignments), *legal.shape, dtype=torch.double)
        for vertex, cells in zip(objects, alignments, strict=True):
            for cell in cells:
                vertex[cell] = 1
        return objects[~(objects.bool() & ~legal).flatten(1).any(dim=1)]


class TestFourRowsOrFewerAndThreeColumns(AlignmentContract):
    num_columns = 3

    def token_mask(self):
        return torch.arange(4) < torch.tensor([4, 2, 3, 1, 0]).unsqueeze(1)


class TestTwoRowsAndFiveColumns(AlignmentContract):
    num_columns = 5

    def token_mask(self):
        return torch.tensor([[1, 1], [1, 0], [0, 0]]).bool()


class TestOneColumn(AlignmentContract):
    num_columns = 1

    def token_mask(self):
        return torch.arange(3) < torch.tensor([2, 3, 1, 0]).unsqueeze(1)


class TestTablesOfManySizes(AlignmentContract):
    num_columns = 4

    def token_mask(self):
        # more tables than one group of the kernels has
        sizes = torch.tensor(
            [[4, 4], [3, 4], [4, 2], [1, 3], [2, 2], [0, 0], [1, 1], [4, 1], [1, 4], [3, 3], [2, 4]]
        )
        rows, columns = (torch.arange(4) < sizes[:, side, None] for side in (0, 1))
        return rows.unsqueeze(2) & columns.unsqueeze(1)


def legal_cells(*sizes):
    rows, columns = (torch.tensor(side).unsqueeze(1) for side in zip(*sizes, strict=True))
    is_row, is_column = torch.arange(rows.max()) < rows, torch.arange(columns.max()) < columns
    return is_row.unsqueeze(2) & is_column.unsqueeze(1)


def test_at_zero_scores_alignments_are_counted():
    # Delannoy numbers
    mask = legal_cells((1, 7), (2, 2), (3, 3), (5, 4), (6, 6), (0, 0))
    total = Alignment().log_partition(torch.zeros(mask.shape), mask)
    expected = [math.log(count) for count in (1, 3, 13, 129, 1683, 1)]
    torch.testing.assert_close(total, torch.tensor(expected))


def test_the_best_alignment_is_that_of_dynamic_time_warping_by_hand():
    # of 0 2 3 and 0 0 2 4, squared differences: 0-0, 0-0, 2-2, 3-4
    left, right = torch.tensor([0.0, 2, 3]), torch.tensor([0.0, 0, 2, 4])
    scores = -((left.unsqueeze(1) - right) ** 2).unsqueeze(0)
    mask = torch.ones_like(scores).bool()
    expected = torch.tensor([[[1.0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]])
    assert torch.equal(Alignment().argmax(scores, mask), expected)
    assert Alignment().score(scores, expected).item() == -1


def test_a_band_keeps_alignments_near_the_diagonal():
    scores = torch.zeros(1, 6, 6)
    distance = (torch.arange(6).unsqueeze(1) - torch.arange(6)).abs()
    marginals = Alignment().marginals(scores, (distance <= 1).expand(1, 6, 6))
    assert not marginals[0, distance > 1].any() and (marginals[0, distance <= 1] > 0).all()


@pytest.mark.parametrize("shape", [(0, 4, 4), (2, 0, 4), (2, 4, 0), (2, 0, 0)])
def test_an_empty_batch_and_tables_without_cells(shape):
    scores, mask = torch.randn(shape).requires_grad_(), torch.ones(shape).bool()
    assert torch.equal(Alignment().log_partition(scores, mask), torch.zeros(shape[0]))
    Alignment().log_partition(scores, mask).sum().backward()
    for operation in (Alignment().argmax, Alignment().sample, Alignment().marginals):
        assert operation(scores, mask).shape == shape
    assert Alignment().contains(torch.zeros(shape), mask).all()


def test_long_sequences_of_scores_that_lie_far_apart():
    generator = torch.Generator().manual_seed(2)
    scores = 1e5 * torch.randn(2, 90, 70, generator=generator, dtype=torch.double)
    mask = legal_cells((90, 70), (60, 65))
    best = Alignment().argmax(scores, mask)
    total, marginals = Alignment().log_partition_and_marginals(scores, mask)
    torch.testing.assert_close(total, Alignment().score(scores, best))
    torch.testing.assert_close(marginals, best, atol=1e-3, rtol=0)


def test_samples_repeat_with_the_generator_of_torch():
    scores, mask = torch.randn(20, 7, 9), torch.ones(20, 7, 9).bool()
    torch.manual_seed(1)
    first, second = (Alignment().sample(scores, mask) for _ in range(2))
    torch.manual_seed(1)
    assert torch.equal(Alignment().sample(scores, mask), first)
    assert not torch.equal(second, first)


def test_the_projection_is_a_mean_of_alignments_and_none_is_nearer():
    point = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(3)).double()
    mask = legal_cells((4, 5), (3, 5), (4, 2))
    zero = torch.zeros_like(point)
    projection = SparseMAPProjection(tolerance=1e-12)
    nearest = -projection.projected_step(Alignment(), zero, -point, mask)
    for origin, projected, legal in zip(point, nearest, mask, strict=True):
        rows, columns = (legal.any(dim=dim).sum().item() for dim in (1, 0))
        objects = torch.zeros(len(paths((0, 0), (rows - 1, columns - 1))), 4, 5).double()
        for vertex, cells in zip(objects, paths((0, 0), (rows - 1, columns - 1)), strict=True):
            for cell in cells:
                vertex[cell] = 1
        away = (origin - projected).masked_fill(~legal, 0)
        assert (((objects - projected) * away).flatten(1).sum(dim=1) < 1e-6).all()
        # in the hull: no linear function is larger there than on all objects
        costs = torch.randn(50, 4, 5).double().masked_fill(~legal, 0)
        highest = torch.einsum("crs,ors->co", costs, objects).max(dim=1).values
        assert ((costs * projected).flatten(1).sum(dim=1) <= highest + 1e-9).all()


def test_scores_of_other_dimensions_are_refused():
    with pytest.raises(ConfigurationError, match=r"\(batch_size, rows, columns\).*\(2, 3\)"):
        Alignment().part_mask(torch.ones(2, 3).bool(), torch.Size([2, 3]))


def test_it_is_made_from_a_config():
    assert isinstance(Structure.from_params(Params({"type": "alignment"})), Alignment)
