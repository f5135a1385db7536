"""
Non-projective log-partitions and marginals with as many digits as it takes.

By the matrix-tree theorem ([Koo et al., 2007](https://aclanthology.org/D07-1015)): the weights of
all single-rooted trees sum up to the determinant of a Laplacian whose first column holds the
weights of the roots, and the marginals follow from its inverse. In double precision this breaks
down as the scores grow: numbers that agree in all their digits are subtracted. Here the digits
are made to suffice. Slow, independent of every library, and for a few sentences only.
"""

import math
from functools import cache
from typing import List, NamedTuple, Optional, Tuple

import mpmath
import torch
from torch import Tensor

from benchmarks.problem import Problem

# The scores of a sentence, `[dependent][head]`.
Scores = Tuple[Tuple[float, ...], ...]

_FIRST_DIGITS = 50
# A difference that more digits need not explain.
_TOLERANCE = 1e-9


def non_projective_log_partition(problem: Problem) -> Tensor:
    """Returns log-partitions, shape `(batch_size,)`, double precision."""
    totals = [_solve(_as_tuples(scores)).log_partition for scores in problem.scores]
    return torch.tensor(totals, dtype=torch.double)


def non_projective_marginals(problem: Problem) -> Tensor:
    """Returns marginals, `(batch_size, length + 1, length + 1)`, double precision."""
    return torch.stack([_solve(_as_tuples(scores)).marginals for scores in problem.scores])


def _as_tuples(scores: Tensor) -> Scores:
    return tuple(map(tuple, scores.tolist()))


class _Solution(NamedTuple):
    """The log-partition of a sentence, and its marginals, `(length + 1, length + 1)`."""

    log_partition: float
    marginals: Tensor


@cache
def _solve(scores: Scores) -> _Solution:
    """Solves a sentence. The number of digits is doubled until that changes nothing, and the
    marginals of every token sum to one."""
    extent = max(map(max, scores)) - min(map(min, scores))
    digits = _FIRST_DIGITS + round(extent / 5)
    previous = None
    while True:
        solution = _solve_with(scores, digits)
        if solution is not None and previous is not None and _agree(solution, previous):
            return solution
        previous, digits = solution, 2 * digits


def _solve_with(scores: Scores, digits: int) -> Optional[_Solution]:
    length = len(scores) - 1
    with mpmath.workdps(digits):
        # [dependent][head]
        weights = [[mpmath.exp(score) for score in row] for row in scores]
        laplacian = _laplacian(weights, length)
        try:
            inverse = laplacian**-1
        except ZeroDivisionError:  # all digits are lost
            return None
        log_partition = float(mpmath.log(abs(mpmath.det(laplacian))))
        return _Solution(log_partition, _marginals(weights, inverse, length))


def _agree(solution: _Solution, previous: _Solution) -> bool:
    heads = solution.marginals[1:].sum(dim=1)
    return (
        math.isclose(
            solution.log_partition, previous.log_partition, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE
        )
        and torch.allclose(solution.marginals, previous.marginals, rtol=0, atol=_TOLERANCE)
        and torch.allclose(heads, torch.ones_like(heads), rtol=0, atol=_TOLERANCE)
    )


def _laplacian(weights: List[list], length: int) -> mpmath.matrix:
    """Returns the Laplacian `[head, dependent]`, whose first row has the weights of the roots."""
    laplacian = mpmath.matrix(length, length)
    for dependent in range(1, length + 1):
        heads = [head for head in range(1, length + 1) if head != dependent]
        for head in heads:
            laplacian[head - 1, dependent - 1] = -weights[dependent][head]
        laplacian[dependent - 1, dependent - 1] = mpmath.fsum(weights[dependent][h] for h in heads)
        laplacian[0, dependent - 1] = weights[dependent][0]
    return laplacian


def _marginals(weights: List[list], inverse: mpmath.matrix, length: int) -> Tensor:
    """Returns the derivative of the logarithm of the determinant, times the weight, arc by arc."""
    marginals = torch.zeros(length + 1, length + 1, dtype=torch.double)
    for dependent in range(1, length + 1):
        column = dependent - 1
        marginals[dependent, 0] = float(weights[dependent][0] * inverse[column, 0])
        for head in range(1, length + 1):
            if head != dependent:
                on_diagonal = inverse[column, column] if dependent != 1 else 0
                beside = inverse[column, head - 1] if head != 1 else 0
                share = weights[dependent][head] * (on_diagonal - beside)
                marginals[dependent, head] = float(share)
    return marginals
