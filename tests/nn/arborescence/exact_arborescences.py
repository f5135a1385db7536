"""
Sums over all dependency trees without any rounding: arcs weigh powers of two, and determinants are
computed in whole numbers.
"""

import math
from typing import List, Optional, Tuple

# `[dependent][head]`, from the first token on; None where there is no arc
Exponents = List[List[Optional[int]]]


def exact_logarithms(exponents: Exponents, single_root: bool) -> Tuple[float, List[List[float]]]:
    """
    Of the sum over all trees of the product of the arcs' weights, `2 ** exponent`, and of the
    marginals.
    """
    total = sum_over_trees(exponents, single_root)
    marginals: List[List[float]] = []
    for dependent, row in enumerate(exponents):
        marginals.append([])
        for head in range(len(row)):
            others = [list(incoming) for incoming in exponents]
            others[dependent][head] = None
            without = sum_over_trees(others, single_root)
            marginals[-1].append(log(total - without) - log(total))
    return log(total), marginals


def sum_over_trees(exponents: Exponents, single_root: bool) -> int:
    """By the matrix-tree theorem; where the root has one dependent, Koo et al. (2007), eq. 9."""
    size = len(exponents)
    weights = [[0 if e is None else 2**e for e in row] for row in exponents]
    matrix = [[-weights[i][j + 1] for j in range(size)] for i in range(size)]
    for i, row in enumerate(weights):
        matrix[i][i] = sum(w for j, w in enumerate(row[1:]) if j != i)
        if not single_root:
            matrix[i][i] += row[0]
        else:
            matrix[i][0] = row[0]
    return determinant(matrix)


def determinant(matrix: List[List[int]]) -> int:
    """By the elimination of Bareiss, in which every division leaves no remainder."""
    matrix, sign, before = [list(row) for row in matrix], 1, 1
    for k in range(len(matrix) - 1):
        pivots = [i for i in range(k, len(matrix)) if matrix[i][k] != 0]
        if not pivots:
            return 0
        if pivots[0] != k:
            matrix[k], matrix[pivots[0]], sign = matrix[pivots[0]], matrix[k], -sign
        for i in range(k + 1, len(matrix)):
            for j in range(k + 1, len(matrix)):
                product = matrix[i][j] * matrix[k][k] - matrix[i][k] * matrix[k][j]
                matrix[i][j] = product // before
        before = matrix[k][k]
    return sign * matrix[-1][-1]


def log(number: int) -> float:
    """The natural logarithm, of numbers of any size."""
    return math.log2(number) * math.log(2) if number else -math.inf
