"""SciPy: the assignment of one instance at a time."""

from typing import Any, List, Tuple

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from benchmarks.library import Call, Library
from benchmarks.problem import Problem


class SciPy(Library):
    distribution = "scipy"

    def matching_argmax(self, problem: Problem) -> Call:
        scores = problem.scores.numpy()

        def run() -> List[Tuple[Any, Any]]:
            return [linear_sum_assignment(matrix, maximize=True) for matrix in scores]

        def read(assignments: List[Tuple[Any, Any]]) -> Tensor:
            pairs = torch.zeros_like(problem.scores)
            for number, (rows, columns) in enumerate(assignments):
                pairs[number, rows, columns] = 1
            return pairs

        return Call(run, read)
