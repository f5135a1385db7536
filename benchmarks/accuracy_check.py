"""
How far a result is from the right one: an error, infinite for what is no legal object at all, NaN
for what is no number.

A check takes a problem, the results of the libraries by name, and the reference, or `None` where
there is none but the results themselves; it returns the error of each library.
"""

import math
from functools import partial
from typing import Callable, Dict, Mapping, Optional, Tuple

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from benchmarks.library import OURS
from benchmarks.problem import STEP_SIZE, Problem, chosen_of_row

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


def check_perturbed_matchings(
    problem: Problem, results: Mapping[str, Tensor], reference: Optional[Tensor]
) -> Dict[str, float]:
    """
    Returns by how much value or gradient of each layer differs from what the estimator "perturbed"
    without a baseline makes, by definition, of the noise that the layer drew.

    The difference is the sum over all numbers, divided by the sum of what is right where that is
    above one: where two objects score alike but for a rounding error, either is right, and the mean
    over samples differs in few numbers.
    """
    return _check_layers(problem, results, partial(_perturbed, best_matchings, (-2, -1)))


def check_perturbed_subsets(
    problem: Problem, results: Mapping[str, Tensor], reference: Optional[Tensor]
) -> Dict[str, float]:
    """Returns the same as `check_perturbed_matchings`, of the subsets of all rows."""
    best = partial(best_subsets, chosen_of_row(problem))
    return _check_layers(problem, results, partial(_perturbed, best, (-1,)))


def check_implicit_mle(
    problem: Problem, results: Mapping[str, Tensor], reference: Optional[Tensor]
) -> Dict[str, float]:
    """Returns the same as `check_perturbed_matchings`, of the estimator "implicit_mle"."""
    return _check_layers(problem, results, _implicit_mle)


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


def best_matchings(scores: Tensor) -> Tensor:
    """Returns the best matchings of scores `(*, length, length)`, as zeros and ones."""
    pairs = torch.zeros_like(scores).flatten(0, -3)
    for number, matrix in enumerate(scores.flatten(0, -3).numpy()):
        rows, columns = linear_sum_assignment(matrix, maximize=True)
        pairs[number, rows, columns] = 1
    return pairs.view(scores.shape)


def best_subsets(size: int, scores: Tensor) -> Tensor:
    """Returns the `size` best of each row of scores `(*, length)`, as zeros and ones."""
    ranks = scores.argsort(dim=-1, descending=True).argsort(dim=-1)
    return (ranks < size).to(scores.dtype)


def _check_layers(
    problem: Problem,
    results: Mapping[str, Tensor],
    expected: Callable[[Problem, Tensor], Tensor],
) -> Dict[str, float]:
    """Compares value and gradient, the first two of each result, with those of its noise."""
    errors = {}
    for name, result in results.items():
        right = expected(problem, result[2:]).double().flatten(1)
        difference = (result[:2].double().flatten(1) - right).abs().sum(dim=1)
        errors[name] = float((difference / right.abs().sum(dim=1).clamp(min=1)).max())
    return errors


def _perturbed(
    best: Callable[[Tensor], Tensor], dims: Tuple[int, ...], problem: Problem, noise: Tensor
) -> Tensor:
    """Returns value and gradient; `dims` are those of the parts of an instance."""
    objects = best(problem.scores + noise)
    change = (objects * problem.direction).sum(dim=dims, keepdim=True)
    return torch.stack([objects.mean(dim=0), (change * noise).mean(dim=0)])


def _implicit_mle(problem: Problem, noise: Tensor) -> Tensor:
    objects = best_matchings(problem.scores + noise)
    moved = best_matchings(problem.scores - STEP_SIZE * problem.direction + noise)
    return torch.stack([objects.mean(dim=0), (objects - moved).mean(dim=0)])


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
