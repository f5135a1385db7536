"""Categorical choices: one part of many; the structure to test with."""

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.instances import are_choices, at_least_single, flatten_parts, per_instance
from spigot_allennlp.nn.invalid_scores import known_moderate
from spigot_allennlp.nn.simplex.simplex import project_onto_simplex, simplex_jvp, simplex_step
from spigot_allennlp.nn.tensor_checks import PARTS, check_pair, check_scores
from spigot_allennlp.structures.structure import Structure, expand_mask


@Structure.register("categorical")
class Categorical(Structure):
    """
    Exactly one choice in each row of the last dimension; the polytope is a simplex per row.
    `(batch_size, size)` is one choice per instance, `(batch_size, length, size)` one per token (for
    example "every token chooses a head, tree or not"). A row without any legal part is empty. Where
    the legal parts of a row all score minus infinity, no object is possible: all rows are empty.

    Registered as a `Structure` with name "categorical". Provides everything.
    """

    fixed_size = True

    def part_mask(self, mask: BoolTensor, shape: torch.Size) -> BoolTensor:
        """
        Returns the legal parts, from the mask of the choices themselves, `(batch_size, size)`, or,
        for one choice per token, from the mask of the tokens.
        """
        return expand_mask(mask, shape)

    def argmax(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        check_scores(PARTS, scores, mask)
        if scores.numel() == 0:
            return torch.zeros_like(scores)
        legal = scores.detach().masked_fill(~mask, -torch.inf)
        best = _one_hot(legal.argmax(dim=-1), scores).masked_fill(legal == -torch.inf, 0)
        return _empty_if_a_row_is(best, mask)

    def contains(self, vertex: Tensor, mask: BoolTensor) -> BoolTensor:
        legal = mask.expand(vertex.shape)
        has_one = (vertex == 1).sum(dim=-1) == legal.any(dim=-1)
        return are_choices(vertex, legal) & flatten_parts(has_one).all(dim=-1)

    def log_partition(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        check_scores(PARTS, scores, mask)
        legal = at_least_single(scores).masked_fill(~mask, -torch.inf)
        is_empty = (legal == -torch.inf).all(dim=-1)
        # Keep rows without options from logsumexp and its derivatives.
        rows = legal.masked_fill(is_empty.unsqueeze(-1), 0).logsumexp(dim=-1)
        total = flatten_parts(rows.masked_fill(is_empty, 0)).sum(dim=-1)
        impossible = flatten_parts(is_empty & mask.any(dim=-1)).any(dim=-1)
        return total.masked_fill(impossible, -torch.inf)

    def sample(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        # The argmax of Gumbel-perturbed scores is a sample; -log of an exponential is Gumbel.
        check_scores(PARTS, scores, mask)
        exact = at_least_single(scores.detach())
        noise = exact.new_empty(exact.shape).exponential_().log()
        return self.argmax(exact - noise, mask).to(scores.dtype)

    def project(self, point: Tensor, mask: BoolTensor) -> Tensor:
        if known_moderate(point) and point.dim() > 1:
            return project_onto_simplex(point, mask)
        return super().project(point, mask)

    def projected_step(self, origin: Tensor, step: Tensor, mask: BoolTensor) -> Tensor:
        """Projects onto the simplex of each row. This is exact."""
        check_pair(("origin", "step"), PARTS, origin, step, mask)
        moved = simplex_step(origin, step, mask)
        if origin.dim() == 2 or known_moderate(step):
            return moved
        # If one row has no projection, the whole point has none.
        is_empty = mask.any(dim=-1) & (origin - moved == 0).all(dim=-1)
        lost = per_instance(flatten_parts(is_empty).any(dim=-1), origin)
        return torch.where(lost & mask, origin.to(moved.dtype), moved)

    def hull_jvp(self, point: Tensor, direction: Tensor, mask: BoolTensor) -> Tensor:
        check_pair(("point", "direction"), PARTS, point, direction, mask)
        return simplex_jvp(point, direction)


def _empty_if_a_row_is(vertex: Tensor, mask: BoolTensor) -> Tensor:
    """Empties the instances of `vertex` that have an empty row with a legal part."""
    if vertex.dim() == 2:
        return vertex
    is_empty = mask.any(dim=-1) & (vertex == 0).all(dim=-1)
    return vertex.masked_fill(per_instance(flatten_parts(is_empty).any(dim=-1), vertex), 0)


def _one_hot(index: Tensor, like: Tensor) -> Tensor:
    return torch.zeros_like(like).scatter_(-1, index.unsqueeze(-1), 1)
