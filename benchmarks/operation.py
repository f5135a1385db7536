"""The operations that are compared: what each is given, and how its results are judged."""

from dataclasses import dataclass
from functools import partial
from typing import Callable, Dict, Optional

import torch
from torch import Tensor

from benchmarks import judgement, problem, truth
from benchmarks.gap import judge_gap
from benchmarks.judgement import Judge
from benchmarks.ours import best_tree
from benchmarks.problem import Problem, Size

# What rounding to single precision makes of the gap of 1e-5 that is asked for.
GAP = 1e-4


@dataclass(frozen=True)
class Operation:
    """
    # Parameters

    name : `str`
        Also the name of the method of a `Library` that offers it.
    draw : `Callable[[Size, float, torch.Generator], Problem]`
        A problem of that size, its scores multiplied by a factor.
    judge : `Judge`
        The error of each result.
    truth : `Callable[[Problem], Tensor]`, optional (default = `None`)
        The right result, by an algorithm that none of the libraries uses; slow.
    tolerance : `float`, optional (default = `1e-3`)
        The error up to which a result is right.
    """

    name: str
    draw: Callable[[Size, float, torch.Generator], Problem]
    judge: Judge
    truth: Optional[Callable[[Problem], Tensor]] = None
    tolerance: float = 1e-3

    def problem(self, size: Size, seed: int, scale: float = 1.0) -> Problem:
        """The same problem whenever, and in whatever process, it is asked for."""
        generator = torch.Generator().manual_seed(seed + 1000 * size.batch + size.length)
        return self.draw(size, scale, generator)

    def is_right(self, error: float) -> bool:
        return error <= self.tolerance


_ALL = [
    Operation("projective_argmax", problem.trees, judgement.judge_projective_trees),
    Operation("projective_log_partition", problem.trees, judgement.judge_numbers),
    Operation("projective_marginals", problem.trees, judgement.judge_numbers),
    Operation("projective_marginals_backward", problem.trees, judgement.judge_numbers),
    Operation("non_projective_argmax", problem.trees, judgement.judge_trees),
    Operation(
        "non_projective_log_partition",
        problem.trees,
        judgement.judge_numbers,
        truth.non_projective_log_partition,
    ),
    Operation(
        "non_projective_marginals",
        problem.trees,
        judgement.judge_numbers,
        truth.non_projective_marginals,
    ),
    Operation("non_projective_marginals_backward", problem.trees, judgement.judge_numbers),
    Operation("chain_argmax", problem.chains, judgement.judge_tags),
    Operation("chain_marginals", problem.chains, judgement.judge_numbers),
    Operation("simplex_projection", problem.rows, judgement.judge_numbers),
    *(
        Operation(
            f"{flat}{structure}_projection",
            draw,
            judge_gap(partial(best_tree, structure)),
            tolerance=GAP,
        )
        for structure in ("projective_tree", "non_projective_tree")
        for flat, draw in (("", problem.trees), ("flat_", problem.flat_trees))
    ),
]

OPERATIONS: Dict[str, Operation] = {operation.name: operation for operation in _ALL}
