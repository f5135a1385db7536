"""
How far a result is from the right one: an error, infinite for what is no legal object at all, NaN
for what is no number.

A check takes a problem, the results of the libraries by name, and the reference, or `None` where
there is none but the results themselves; it returns the error of each library.
"""

import math
from typing import Callable, Dict, Mapping, Optional

import torch
from torch import Tensor

from benchmarks.library import OURS
from benchmarks.problem import Problem, chosen_of_row

AccuracyCheck = Callable[[Problem, Mapping[str, Tensor], Optional[Tensor]], Dict[str, float]]

# By how much the heads of a token in a projection may differ from one in sum.
_FEASIBLE = 1e-4


def check_numbers(
    problem: Problem, results: Mapping[str, Tensor], reference: Optional[Tensor]
) -> Dict[str, float]:
    """
    Returns the largest difference of each result from the reference (without one, from ours), in
    units of the largest number of the reference where that is above one.
    """
    right = results[OURS] if reference is None else reference
    return {name: _distance(result, right) for name, result in results.items()}


def check_projective_trees(
    problem: Problem, results: Mapping[str, Tensor], reference: Optional[Tensor]
) -> Dict[str, float]:
    """Returns how much less the trees score than the best ones of any library."""
    return _behind_the_best(problem, results, lambda trees: are_trees(trees, projective=True))


def check_trees(
    problem: Problem, results: Mapping[str, Tensor], reference: Optional[Tensor]
) -> Dict[str, float]:
    """Returns the same as `check_projective_trees`, where arcs may cross."""
    return _behind_the_best(problem, results, lambda trees: are_trees(trees, projective=False))


def check_tags(
    problem: Problem, results: Mapping[str, Tensor], reference: Optional[Tensor]
) -> Dict[str, float]:
    """Returns how much less the tags, one-hot, score than the best ones of any library."""
    return _behind_the_best(problem, results, lambda tags: (tags.sum(dim=-1) == 1).all(dim=-1))


def check_subsets(
    problem: Problem, results: Mapping[str, Tensor], reference: Optional[Tensor]
) -> Dict[str, float]:
    """Returns how much less the subsets of all rows score than the best ones of any library."""
    size = chosen_of_row(problem)
    return _behind_the_best(problem, results, lambda rows: (rows.sum(dim=2) == size).all(dim=1))


def check_matchings(
    problem: Problem, results: Mapping[str, Tensor], reference: Optional[Tensor]
) -> Dict[str, float]:
    """Returns how much less the matchings score than the best ones of any library."""
    return _behind_the_best(problem, results, _are_permutations)


def check_projection(argmax: Callable[[Tensor], Tensor]) -> AccuracyCheck:
    """
    Returns a check of projections onto the hull of a structure's objects.

    `p` is the projection of `x` if and only if no object `z` has a higher inner product with
    `x - p` than `p` itself: the gap `max_z <x - p, z> - <x - p, p>` is zero, and bounds how much
    nearer a point could be. The best `z` is an argmax, whose own benchmark says whether it is
    right.

    # Parameters

    argmax : `Callable[[Tensor], Tensor]`
        Returns the best object of each instance, as zeros and ones, for double-precision scores.
    """

    def check(
        problem: Problem, results: Mapping[str, Tensor], reference: Optional[Tensor]
    ) -> Dict[str, float]:
        point = problem.scores.double()
        return {name: _gap(point, result.double(), argmax) for name, result in results.items()}

    return check


def describe_error(error: float) -> str:
    """Returns an error that is too large in words."""
    if math.isnan(error):
        return "not a number"
    return "not a legal object" if math.isinf(error) else f"wrong by {error:.2g}"


def are_trees(arcs: Tensor, projective: bool) -> Tensor:
    """
    Returns which of `arcs`, zeros and ones of shape `(batch_size, length + 1, length + 1)`, are
    trees with a single root; shape `(batch_size,)`.
    """
    tokens = arcs[:, 1:]
    single_heads = (tokens.sum(dim=-1) == 1).all(dim=-1) & (arcs[:, 0] == 0).all(dim=-1)
    single_root = arcs[:, :, 0].sum(dim=-1) == 1
    # (batch_size, length + 1): the root leads to itself, and so should everything
    heads = arcs.argmax(dim=-1)
    ancestors = heads
    for _ in range(arcs.size(1).bit_length()):
        ancestors = ancestors.gather(1, ancestors)
    are_legal = single_heads & single_root & (ancestors == 0).all(dim=-1)
    return are_legal & ~_cross(heads) if projective else are_legal


def _are_permutations(pairs: Tensor) -> Tensor:
    return (pairs.sum(dim=1) == 1).all(dim=1) & (pairs.sum(dim=2) == 1).all(dim=1)


def _cross(heads: Tensor) -> Tensor:
    """Returns whether any two arcs cross; shape `(batch_size,)`."""
    positions = torch.arange(heads.size(1))
    left, right = torch.minimum(heads, positions)[:, 1:], torch.maximum(heads, positions)[:, 1:]
    starts_inside = (left.unsqueeze(2) < left.unsqueeze(1)) & (
        left.unsqueeze(1) < right.unsqueeze(2)
    )
    ends_outside = right.unsqueeze(2) < right.unsqueeze(1)
    return (starts_inside & ends_outside).flatten(1).any(dim=1)


def _distance(result: Tensor, reference: Tensor) -> float:
    largest = max(1.0, float(reference.abs().max()))
    return float((result.double() - reference.double()).abs().max()) / largest


def _behind_the_best(
    problem: Problem, results: Mapping[str, Tensor], are_legal: Callable[[Tensor], Tensor]
) -> Dict[str, float]:
    totals = {
        name: _total(problem, result).masked_fill(~are_legal(result), -torch.inf)
        for name, result in results.items()
    }
    best = torch.stack(list(totals.values())).amax(dim=0)
    scale = best.abs().clamp(min=1)
    return {name: float(((best - total) / scale).max()) for name, total in totals.items()}


def _total(problem: Problem, chosen: Tensor) -> Tensor:
    """Returns the score of the chosen parts, shape `(batch_size,)`."""
    chosen = chosen.double()
    total = (problem.scores * chosen).flatten(1).sum(dim=1)
    if problem.transitions is not None:
        pairs = torch.einsum(
            "bni,ij,bnj->b", chosen[:, :-1], problem.transitions.double(), chosen[:, 1:]
        )
        total = total + pairs
    return total


def _gap(point: Tensor, projection: Tensor, argmax: Callable[[Tensor], Tensor]) -> float:
    """Returns the largest gap of a batch; infinite if a token does not have one head in all."""
    heads = projection[:, 1:].sum(dim=-1)
    if bool(((heads - 1).abs() > _FEASIBLE).any() or (projection < -_FEASIBLE).any()):
        return float("inf")
    residual = point - projection
    gap = (residual * (argmax(residual) - projection)).flatten(1).sum(dim=1)
    scale = (point * projection).flatten(1).sum(dim=1).abs().clamp(min=1)
    return float((gap / scale).max())
