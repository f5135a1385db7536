"""
How far a result is from the right one: one number, infinity for what is no answer at all, NaN for
what is no number.

A judge is given a problem, the results of the libraries by name, and the reference, or `None` where
there is none but the results themselves; it returns the error of each.
"""

import math
from typing import Callable, Dict, Mapping, Optional

import torch
from torch import Tensor

from benchmarks.problem import Problem

Judge = Callable[[Problem, Mapping[str, Tensor], Optional[Tensor]], Dict[str, float]]
OURS = "ours"


def judge_numbers(
    problem: Problem, results: Mapping[str, Tensor], reference: Optional[Tensor]
) -> Dict[str, float]:
    """
    The largest difference from the reference (without one, from ours), in units of the largest
    number of the reference where that is above one.
    """
    right = results[OURS] if reference is None else reference
    return {name: _distance(result, right) for name, result in results.items()}


def judge_projective_trees(
    problem: Problem, results: Mapping[str, Tensor], reference: Optional[Tensor]
) -> Dict[str, float]:
    """What the trees score less than the best ones that any library found."""
    return _behind_the_best(problem, results, lambda trees: are_trees(trees, projective=True))


def judge_trees(
    problem: Problem, results: Mapping[str, Tensor], reference: Optional[Tensor]
) -> Dict[str, float]:
    """As above, where arcs may cross."""
    return _behind_the_best(problem, results, lambda trees: are_trees(trees, projective=False))


def judge_tags(
    problem: Problem, results: Mapping[str, Tensor], reference: Optional[Tensor]
) -> Dict[str, float]:
    """What the tags, one-hot, score less than the best ones that any library found."""
    return _behind_the_best(problem, results, lambda tags: (tags.sum(dim=-1) == 1).all(dim=-1))


def are_trees(arcs: Tensor, projective: bool) -> Tensor:
    """
    Which of `arcs`, zeros and ones of shape `(batch_size, length + 1, length + 1)`, are trees with
    a single root; shape `(batch_size,)`.
    """
    tokens = arcs[:, 1:]
    one_head = (tokens.sum(dim=-1) == 1).all(dim=-1) & (arcs[:, 0] == 0).all(dim=-1)
    one_root = arcs[:, :, 0].sum(dim=-1) == 1
    # (batch_size, length + 1): the root leads to itself, and so should everything
    heads = arcs.argmax(dim=-1)
    ancestors = heads
    for _ in range(arcs.size(1).bit_length()):
        ancestors = ancestors.gather(1, ancestors)
    found = one_head & one_root & (ancestors == 0).all(dim=-1)
    return found & ~_cross(heads) if projective else found


def describe(error: float) -> str:
    if math.isnan(error):
        return "not a number"
    return "not a legal object" if math.isinf(error) else f"wrong by {error:.2g}"


def _cross(heads: Tensor) -> Tensor:
    """Whether any two arcs cross; shape `(batch_size,)`."""
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
    """The score of what is chosen, shape `(batch_size,)`."""
    chosen = chosen.double()
    total = (problem.scores * chosen).flatten(1).sum(dim=1)
    if problem.transitions is not None:
        pairs = torch.einsum(
            "bni,ij,bnj->b", chosen[:, :-1], problem.transitions.double(), chosen[:, 1:]
        )
        total = total + pairs
    return total
