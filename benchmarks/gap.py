"""
How far a point is from being the projection onto the hull of a structure's objects.

`p` is the projection of `x` if and only if no object `z` has a higher inner product with `x - p`
than `p` itself: `max_z <x - p, z> - <x - p, p>` is zero, and bounds how much nearer a point could
be. The best `z` is an argmax, whose own benchmark says whether it is right.
"""

from typing import Callable, Dict, Mapping, Optional

from torch import Tensor

from benchmarks.judgement import Judge
from benchmarks.problem import Problem

FEASIBLE = 1e-4


def judge_gap(argmax: Callable[[Tensor], Tensor]) -> Judge:
    """
    # Parameters

    argmax : `Callable[[Tensor], Tensor]`
        The best object of each instance, as zeros and ones, given double-precision scores.
    """

    def judge(
        problem: Problem, results: Mapping[str, Tensor], reference: Optional[Tensor]
    ) -> Dict[str, float]:
        point = problem.scores.double()
        return {name: _gap(point, result.double(), argmax) for name, result in results.items()}

    return judge


def _gap(point: Tensor, projection: Tensor, argmax: Callable[[Tensor], Tensor]) -> float:
    """The largest of the batch; infinite if a token does not have one head in all."""
    heads = projection[:, 1:].sum(dim=-1)
    if bool(((heads - 1).abs() > FEASIBLE).any() or (projection < -FEASIBLE).any()):
        return float("inf")
    rest = point - projection
    better = (rest * (argmax(rest) - projection)).flatten(1).sum(dim=1)
    scale = (point * projection).flatten(1).sum(dim=1).abs().clamp(min=1)
    return float((better / scale).max())
