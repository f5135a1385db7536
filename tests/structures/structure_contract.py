"""What every structure promises, checked against the list of all its objects."""

from dataclasses import dataclass, replace
from itertools import product
from typing import List

import pytest
import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.structures.structure import Structure


@dataclass(frozen=True)
class Batch:
    """
    Scores, their legal parts, and for each instance the objects that are possible,
    `(num_objects, *parts)`.
    """

    structure: Structure
    scores: Tensor
    mask: BoolTensor
    objects: List[Tensor]

    def __iter__(self):
        """Instance by instance: scores without those of illegal parts, and objects."""
        legal = self.scores.double().masked_fill(~self.mask | self.scores.isinf(), 0)
        return zip(legal, self.objects, strict=True)

    def object_scores(self) -> List[Tensor]:
        return [(objects * scores).flatten(1).sum(1) for scores, objects in self]

    def log_partition(self) -> Tensor:
        return torch.stack([scores.logsumexp(0) for scores in self.object_scores()])

    def marginals(self) -> Tensor:
        means = zip(self.probabilities(), self.objects, strict=True)
        return torch.stack([torch.tensordot(p, objects, 1) for p, objects in means])

    def probabilities(self) -> List[Tensor]:
        return [scores.softmax(0) for scores in self.object_scores()]

    def entropy(self) -> Tensor:
        return torch.stack([torch.special.entr(p).sum() for p in self.probabilities()])

    def argmax(self) -> Tensor:
        return self.structure.argmax(self.scores, self.mask)


class StructureContract:
    """
    Inherit, and provide the fixture `structure` and the first four methods below, to have a
    structure tested.
    """

    def token_mask(self) -> BoolTensor:
        """
        The token mask of a batch, `(batch_size, length)`: of several lengths, one of them empty.
        """
        raise NotImplementedError

    def shape(self, token_mask: BoolTensor) -> torch.Size:
        """The shape of the scores."""
        raise NotImplementedError

    def enumerate(self, structure: Structure, legal: BoolTensor) -> Tensor:
        """
        Every object that uses legal parts alone, `(num_objects, *parts)`, in double precision.
        """
        raise NotImplementedError

    def relaxed_points(self, legal: BoolTensor, number: int) -> Tensor:
        """
        Random points of the polytope of `projected_step`, `(number, *parts)`, legal parts only.
        """
        raise NotImplementedError

    @pytest.fixture
    def batch(self, structure: Structure) -> Batch:
        torch.manual_seed(11)
        token_mask = self.token_mask()
        shape = self.shape(token_mask)
        mask = structure.part_mask(token_mask, shape).expand(shape)
        scores = torch.randn(shape, dtype=torch.double)
        return self.enumerated(Batch(structure, scores, mask, []))

    def enumerated(self, batch: Batch) -> Batch:
        objects = [self.enumerate(batch.structure, legal) for legal in batch.mask]
        for index, impossible in enumerate(batch.scores == -torch.inf):
            uses_it = (objects[index].bool() & impossible & batch.mask[index]).flatten(1).any(dim=1)
            objects[index] = objects[index][~uses_it]
        return replace(batch, objects=objects)

    @pytest.fixture
    def pruned(self, batch: Batch) -> Batch:
        """A third of the parts is illegal; some instances have no object left."""
        return self.enumerated(
            replace(batch, mask=batch.mask & (torch.rand(batch.mask.shape) > 0.3))
        )

    # --- argmax

    def test_argmax_is_the_best_of_all_objects(self, batch):
        self.check_argmax(batch)

    def test_argmax_respects_pruned_parts(self, pruned):
        self.check_argmax(pruned)

    def test_parts_that_score_minus_infinity_are_not_chosen(self, pruned):
        scores = pruned.scores.masked_fill(torch.rand(pruned.scores.shape) > 0.8, -torch.inf)
        self.check_argmax(self.enumerated(replace(pruned, scores=scores)))

    def check_argmax(self, batch):
        for argmax, objects, scores in zip(
            batch.argmax(), batch.objects, batch.object_scores(), strict=True
        ):
            if len(objects) == 0:
                assert not argmax.any()
            else:
                assert torch.equal(argmax, objects[scores.argmax()])

    def test_ties_give_one_object(self, batch):
        flat = replace(batch, scores=torch.ones_like(batch.scores))
        for argmax, objects in zip(flat.argmax(), batch.objects, strict=True):
            assert (objects == argmax).flatten(1).all(dim=1).any()

    def test_argmax_of_huge_scores(self, batch):
        self.check_argmax(replace(batch, scores=1e4 * batch.scores))

    # --- log_partition, marginals

    def test_log_partition_sums_over_all_objects(self, batch):
        self.check_distribution(batch)

    def test_log_partition_respects_pruned_parts(self, pruned):
        self.check_distribution(pruned)

    def test_log_partition_ignores_parts_that_score_minus_infinity(self, pruned):
        scores = pruned.scores.masked_fill(torch.rand(pruned.scores.shape) > 0.8, -torch.inf)
        self.check_distribution(self.enumerated(replace(pruned, scores=scores)))

    @pytest.mark.parametrize("scale", [1e3, 1e4])
    def test_log_partition_and_marginals_of_huge_scores(self, batch, scale):
        self.check_distribution(replace(batch, scores=scale * batch.scores))

    def check_distribution(self, batch):
        self.needs(batch.structure, "log_partition")
        total = batch.structure.log_partition(batch.scores, batch.mask)
        torch.testing.assert_close(total, batch.log_partition())
        marginals = batch.structure.marginals(batch.scores, batch.mask)
        torch.testing.assert_close(marginals, batch.marginals())

    def test_probabilities_of_all_objects_sum_to_one(self, batch):
        self.needs(batch.structure, "log_partition")
        for index, objects in enumerate(batch.objects):
            copies = [t[index].expand(objects.shape) for t in (batch.scores, batch.mask)]
            log_probs = batch.structure.log_prob(*copies, objects)
            torch.testing.assert_close(log_probs.exp().sum().item(), 1.0)

    def test_first_and_second_derivatives_of_log_partition(self, batch):
        self.check_derivatives(batch)

    def test_first_and_second_derivatives_with_pruned_parts(self, pruned):
        self.check_derivatives(pruned)

    def check_derivatives(self, batch):
        self.needs(batch.structure, "log_partition")
        feasible = [i for i, objects in enumerate(batch.objects) if len(objects)]
        scores, mask = batch.scores[feasible].requires_grad_(), batch.mask[feasible]

        def log_partition(point):
            return batch.structure.log_partition(point, mask)

        def marginals(point):
            return batch.structure.marginals(point, mask)

        assert torch.autograd.gradcheck(log_partition, scores, fast_mode=True)
        assert torch.autograd.gradgradcheck(log_partition, scores, fast_mode=True)
        assert torch.autograd.gradcheck(marginals, scores)

    def test_where_nothing_is_possible_nothing_has_a_gradient(self, batch):
        self.needs(batch.structure, "log_partition")
        scores = torch.full_like(batch.scores, -torch.inf).requires_grad_()
        marginals = batch.structure.marginals(scores, batch.mask)
        (gradient,) = torch.autograd.grad((marginals * batch.scores).sum(), scores)
        assert not marginals.any() and not gradient.any()

    # --- entropy

    def test_entropy_is_that_of_the_probabilities_of_all_objects(self, batch):
        self.check_entropy(batch)

    def test_entropy_respects_pruned_parts(self, pruned):
        self.check_entropy(pruned)

    def test_entropy_ignores_parts_that_score_minus_infinity(self, pruned):
        scores = pruned.scores.masked_fill(torch.rand(pruned.scores.shape) > 0.8, -torch.inf)
        self.check_entropy(self.enumerated(replace(pruned, scores=scores)))

    @pytest.mark.parametrize("scale", [0.0, 1e2, 1e4])
    def test_entropy_of_equal_and_of_huge_scores(self, batch, scale):
        self.check_entropy(replace(batch, scores=scale * batch.scores))

    def test_entropy_of_ties_between_huge_scores(self, batch):
        scores = torch.zeros_like(batch.scores)
        for index, objects in enumerate(batch.objects):
            scores[index] = 1e4 * (objects[0] + objects[-1])
        self.check_entropy(replace(batch, scores=scores))

    def check_entropy(self, batch):
        self.needs(batch.structure, "log_partition")
        entropy = batch.structure.entropy(batch.scores, batch.mask)
        torch.testing.assert_close(entropy, batch.entropy(), atol=1e-7, rtol=1e-7)
        assert (entropy >= 0).all()

    def test_derivative_of_entropy(self, batch):
        self.needs(batch.structure, "log_partition")
        scores = batch.scores.clone().requires_grad_()

        def entropy(point):
            return batch.structure.entropy(point, batch.mask)

        assert torch.autograd.gradcheck(entropy, scores)

    # --- contains

    def test_its_objects_are_contained_and_no_other_zeros_and_ones(self, batch):
        self.check_contains(batch)

    def test_what_uses_a_pruned_part_is_not_contained(self, pruned):
        self.check_contains(pruned)

    def check_contains(self, batch):
        for legal, objects in zip(batch.mask, batch.objects, strict=True):
            tried = torch.cat([objects, zeros_and_ones(legal), near(objects, legal)])
            expected = among(tried, objects)
            legal = legal.expand(tried.shape)
            assert torch.equal(batch.structure.contains(tried, legal), expected)
            assert torch.equal(Structure.contains(batch.structure, tried, legal), expected)

    def test_an_object_is_contained_whatever_its_type(self, batch):
        best = batch.argmax()
        for kind in (torch.bool, torch.uint8, torch.long, torch.float16):
            assert batch.structure.contains(best.to(kind), batch.mask).all()

    def test_what_is_neither_zero_nor_one_is_not_contained(self, batch):
        for value, index in product((0.5, 2, -1, torch.nan, torch.inf, -torch.inf), (0, -1)):
            vertex = batch.argmax()
            vertex.flatten(1)[:, index] = value
            assert not batch.structure.contains(vertex, batch.mask).any()
            assert not Structure.contains(batch.structure, vertex, batch.mask).any()

    # --- sample

    def test_draws_come_as_often_as_they_are_probable(self, batch):
        self.needs(batch.structure, "sample")
        number, objects = 4000, batch.objects[0].flatten(1)
        expanded = [t[0].expand(number, *t[0].shape) for t in (batch.scores, batch.mask)]
        draws = batch.structure.sample(*expanded).flatten(1)
        # (number, num_objects)
        same = draws @ objects.T + (1 - draws) @ (1 - objects).T == objects.size(1)
        assert same.any(dim=1).all()
        expected = batch.probabilities()[0]
        deviation = (expected * (1 - expected) / number).sqrt()
        assert ((same.double().mean(dim=0) - expected).abs() <= 4.5 * deviation + 1 / number).all()

    def test_draws_respect_pruned_parts(self, pruned):
        self.check_draws(pruned)

    def test_draws_are_without_parts_that_score_minus_infinity(self, pruned):
        scores = pruned.scores.masked_fill(torch.rand(pruned.scores.shape) > 0.8, -torch.inf)
        self.check_draws(self.enumerated(replace(pruned, scores=scores)))

    def check_draws(self, batch):
        self.needs(batch.structure, "sample")
        for _ in range(20):
            draws = batch.structure.sample(batch.scores, batch.mask)
            for drawn, objects in zip(draws, batch.objects, strict=True):
                if len(objects):
                    assert (drawn == objects).flatten(1).all(dim=1).any()
                else:
                    assert not drawn.any()

    def test_draws_of_huge_scores_are_the_best(self, batch):
        self.needs(batch.structure, "sample")
        huge = replace(batch, scores=1e4 * batch.scores)
        assert torch.equal(huge.structure.sample(huge.scores, huge.mask), huge.argmax())

    # --- projected_step

    def test_projection_is_the_nearest_point_of_its_polytope(self, batch):
        self.needs(batch.structure, "projected_step")
        point = 2 * torch.randn_like(batch.scores)
        projected = batch.structure.project(point, batch.mask)
        for p, x, legal in zip(projected, point, batch.mask, strict=True):
            others = self.relaxed_points(legal, 100)
            # the angle between the way out and any way within the polytope is at least a right one
            assert (((x - p) * (others - p)).masked_fill(~legal, 0).flatten(1).sum(1) <= 1e-9).all()

    def test_projection_is_feasible_and_changes_no_feasible_point(self, batch):
        self.needs(batch.structure, "projected_step")
        point = batch.structure.project(2 * torch.randn_like(batch.scores), batch.mask)
        assert not point[~batch.mask].any() and (point >= 0).all()
        torch.testing.assert_close(batch.structure.project(point, batch.mask), point)
        for _index, legal in enumerate(batch.mask):
            inside = self.relaxed_points(legal, 1)
            torch.testing.assert_close(batch.structure.project(inside, legal.unsqueeze(0)), inside)

    def test_every_object_is_a_point_of_the_relaxed_polytope(self, batch):
        self.needs(batch.structure, "projected_step")
        for objects, legal in zip(batch.objects, batch.mask, strict=True):
            same = batch.structure.project(objects, legal.expand(objects.shape))
            assert torch.equal(same, objects)

    def test_no_step_is_no_step(self, batch):
        self.needs(batch.structure, "projected_step")
        vertex, zero = batch.argmax(), torch.zeros_like(batch.scores)
        assert not batch.structure.projected_step(vertex, zero, batch.mask).any()

    @pytest.mark.parametrize("size", [1e-8, 1e-12])
    def test_a_tiny_step_keeps_its_size_and_direction_in_single_precision(self, batch, size):
        self.needs(batch.structure, "projected_step")
        vertex, step = batch.argmax(), torch.randn_like(batch.scores)
        tiny = batch.structure.projected_step(vertex.float(), size * step.float(), batch.mask)
        # From a vertex the set looks like a cone, so a step of 1e-3 is the same in another size.
        exact = batch.structure.projected_step(vertex, 1e-3 * step, batch.mask) / 1e-3
        torch.testing.assert_close(tiny.double() / size, exact, atol=1e-5, rtol=1e-5)
        assert tiny.any()

    # --- what holds for every operation

    def operations(self, structure):
        step = structure.provides("projected_step") and structure.project
        total = structure.provides("log_partition") and structure.log_partition
        mean = structure.provides("log_partition") and structure.marginals
        spread = structure.provides("log_partition") and structure.entropy
        draw = structure.provides("sample") and structure.sample
        operations = structure.argmax, step, total, mean, spread, draw
        return [operation for operation in operations if operation]

    def test_what_stands_in_illegal_places_does_not_matter(self, batch):
        for rubbish in (torch.nan, torch.inf, -torch.inf, 1e30):
            dirty = batch.scores.masked_fill(~batch.mask, rubbish)
            for operation in self.operations(batch.structure):
                torch.manual_seed(1)
                clean_result = operation(batch.scores, batch.mask)
                torch.manual_seed(1)
                assert torch.equal(operation(dirty, batch.mask), clean_result), operation

    def test_an_instance_alone_gives_what_it_gives_in_a_batch(self, batch):
        for operation in self.operations(batch.structure):
            if operation == batch.structure.sample:
                continue
            together = operation(batch.scores, batch.mask)
            for index in range(len(batch.scores)):
                alone = operation(batch.scores[index : index + 1], batch.mask[index : index + 1])
                torch.testing.assert_close(alone[0], together[index])

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
    def test_lower_precision_gives_the_same_rounded(self, batch, dtype):
        rounded = batch.scores.to(dtype)
        exact = rounded.double()
        structure, mask = batch.structure, batch.mask
        best = structure.argmax(rounded, mask)
        assert best.dtype == dtype
        torch.testing.assert_close(
            structure.score(exact, best.double()),
            structure.score(exact, structure.argmax(exact, mask)),
        )
        if structure.provides("log_partition"):
            marginals = structure.marginals(rounded, mask)
            assert marginals.dtype == dtype
            tolerance = {"atol": 3 * torch.finfo(dtype).eps, "rtol": 0}
            torch.testing.assert_close(
                marginals.double(), structure.marginals(exact, mask), **tolerance
            )
            total = structure.log_partition(rounded, mask)
            torch.testing.assert_close(
                total.double(), structure.log_partition(exact, mask), atol=1e-5, rtol=1e-5
            )
            entropy = structure.entropy(rounded, mask)
            assert entropy.dtype == total.dtype
            torch.testing.assert_close(
                entropy.double(), structure.entropy(exact, mask), atol=1e-5, rtol=1e-5
            )
        if structure.provides("sample"):
            assert structure.sample(rounded, mask).dtype == dtype

    def test_non_contiguous_tensors(self, batch):
        def scattered(tensor):
            return tensor.transpose(0, -1).contiguous().transpose(0, -1)

        for operation in self.operations(batch.structure):
            torch.manual_seed(1)
            expected = operation(batch.scores, batch.mask)
            torch.manual_seed(1)
            assert torch.equal(operation(scattered(batch.scores), scattered(batch.mask)), expected)

    def test_the_tensors_of_the_caller_are_left_alone(self, batch):
        scores, mask = batch.scores.clone(), batch.mask.clone()
        for operation in self.operations(batch.structure):
            operation(scores, mask)
            assert torch.equal(scores, batch.scores) and torch.equal(mask, batch.mask)
            assert not scores.requires_grad and scores.grad is None

    def test_without_gradients_no_graph_is_left_behind(self, batch):
        scores = batch.scores.clone().requires_grad_()
        assert batch.argmax().grad_fn is None
        assert not batch.structure.argmax(scores, batch.mask).requires_grad
        with torch.no_grad():
            for operation in self.operations(batch.structure):
                assert not operation(scores, batch.mask).requires_grad

    def test_in_inference_mode_and_with_tensors_made_there_nothing_changes(self, batch):
        with torch.inference_mode():
            scores, mask = batch.scores.clone(), batch.mask.clone()
        for operation in self.operations(batch.structure):
            torch.manual_seed(1)
            expected = operation(batch.scores, batch.mask)
            torch.manual_seed(1)
            assert torch.equal(operation(scores, mask), expected)
            torch.manual_seed(1)
            with torch.inference_mode():
                assert torch.equal(operation(scores, mask), expected)

    def test_on_the_cpu_they_do_not_notice_that_another_device_is_the_default(self, batch):
        for operation in self.operations(batch.structure):
            torch.manual_seed(1)
            expected = operation(batch.scores, batch.mask)
            torch.manual_seed(1)
            with torch.device("meta"):
                assert torch.equal(operation(batch.scores, batch.mask), expected)

    def test_a_batch_of_empty_sentences_and_an_empty_batch(self, batch):
        nothing = torch.zeros_like(batch.mask)
        for operation in self.operations(batch.structure):
            assert not operation(batch.scores, nothing).any()
            assert operation(batch.scores[:0], batch.mask[:0]).numel() == 0

    def test_sentences_without_any_position_have_the_empty_object(self, structure):
        token_mask = torch.zeros(2, 0, dtype=torch.bool)
        shape = self.shape(token_mask)
        mask = structure.part_mask(token_mask, shape).expand(shape)
        for operation in self.operations(structure):
            assert not operation(torch.zeros(shape), mask).any()
        assert structure.contains(torch.zeros(shape), mask).all()

    @staticmethod
    def needs(structure, operation):
        if not structure.provides(operation):
            pytest.skip(f"{type(structure).__name__} (so configured) does not provide {operation}")


def zeros_and_ones(legal: BoolTensor) -> Tensor:
    """Every choice of the legal parts, `(number, *parts)`; of many parts, some choices."""
    places = legal.flatten().nonzero().flatten()
    if len(places) <= 12:
        chosen = torch.arange(2 ** len(places)).unsqueeze(1) >> torch.arange(len(places)) & 1
    else:
        chosen = torch.randint(2, (500, len(places)))
    vertices = torch.zeros(len(chosen), legal.numel(), dtype=torch.double)
    return vertices.index_copy(1, places, chosen.double()).reshape(-1, *legal.shape)


def near(objects: Tensor, legal: BoolTensor) -> Tensor:
    """Objects, and the empty one, in which some parts, legal or not, have been exchanged."""
    vertices = torch.cat([objects.flatten(1), torch.zeros(1, legal.numel())]).repeat(4, 1)
    changes = torch.randint(1, 4, (len(vertices), 1)) / legal.numel()
    changed = torch.rand(vertices.shape) < changes
    return torch.where(changed, 1 - vertices, vertices).reshape(-1, *legal.shape)


def among(tried: Tensor, objects: Tensor) -> BoolTensor:
    """Which of `tried`, `(number, *parts)`, are one of `objects`, `(num_objects, *parts)`."""
    known = {tuple(parts) for parts in objects.flatten(1).tolist()}
    return torch.tensor([tuple(parts) in known for parts in tried.flatten(1).tolist()])
