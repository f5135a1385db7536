"""The operations that are compared: the inputs of each, and how its results are checked."""

from dataclasses import dataclass
from functools import partial
from typing import Callable, Dict, Optional

import torch
from torch import Tensor

from benchmarks import accuracy_check, problem, truth
from benchmarks.accuracy_check import AccuracyCheck
from benchmarks.ours import best_tree
from benchmarks.problem import Problem, Size

# The gap of 1e-5 that is asked for, rounded to single precision.
_GAP = 1e-4


@dataclass(frozen=True)
class Operation:
    """
    An operation that libraries offer.

    # Parameters

    name : `str`
        Also the name of the method of a `Library` that offers it.
    sample : `Callable[[Size, float, torch.Generator], Problem]`
        Samples a problem of a size, its scores multiplied by a factor.
    check : `AccuracyCheck`
        Computes the error of each result.
    truth : `Callable[[Problem], Tensor]`, optional (default = `None`)
        Computes the right result, by an algorithm that none of the libraries uses; slow.
    tolerance : `float`, optional (default = `1e-3`)
        The error up to which a result is right.
    """

    name: str
    sample: Callable[[Size, float, torch.Generator], Problem]
    check: AccuracyCheck
    truth: Optional[Callable[[Problem], Tensor]] = None
    tolerance: float = 1e-3

    def problem(self, size: Size, seed: int, scale: float = 1.0) -> Problem:
        """Returns the problem of these settings, the same in every process."""
        generator = torch.Generator().manual_seed(seed + 1000 * size.batch + size.length)
        return self.sample(size, scale, generator)

    def is_right(self, error: float) -> bool:
        """Returns whether an error is within the tolerance."""
        return error <= self.tolerance


_ALL = [
    Operation("projective_argmax", problem.trees, accuracy_check.check_projective_trees),
    Operation("projective_log_partition", problem.trees, accuracy_check.check_numbers),
    Operation("projective_marginals", problem.trees, accuracy_check.check_numbers),
    Operation("projective_marginals_backward", problem.trees, accuracy_check.check_numbers),
    Operation("non_projective_argmax", problem.trees, accuracy_check.check_trees),
    Operation(
        "non_projective_log_partition",
        problem.trees,
        accuracy_check.check_numbers,
        truth.non_projective_log_partition,
    ),
    Operation(
        "non_projective_marginals",
        problem.trees,
        accuracy_check.check_numbers,
        truth.non_projective_marginals,
    ),
    Operation("non_projective_marginals_backward", problem.trees, accuracy_check.check_numbers),
    Operation("chain_argmax", problem.chains, accuracy_check.check_tags),
    Operation("chain_marginals", problem.chains, accuracy_check.check_numbers),
    Operation("simplex_projection", problem.rows, accuracy_check.check_numbers),
    Operation("subset_argmax", problem.rows, accuracy_check.check_subsets),
    Operation("matching_argmax", problem.rows, accuracy_check.check_matchings),
    Operation("alignment_marginals", problem.rows, accuracy_check.check_numbers),
    Operation("subset_straight_through", problem.rows, accuracy_check.check_numbers),
    Operation("subset_perturbed", problem.rows, accuracy_check.check_perturbed_subsets),
    Operation("matching_perturbed", problem.rows, accuracy_check.check_perturbed_matchings),
    Operation("solver_blackbox", problem.rows, accuracy_check.check_numbers),
    Operation("solver_perturbed", problem.rows, accuracy_check.check_perturbed_matchings),
    Operation("solver_implicit_mle", problem.rows, accuracy_check.check_implicit_mle),
    Operation("solver_spo_plus", problem.rows, accuracy_check.check_numbers),
    *(
        Operation(
            f"{flat}{structure}_projection",
            sample,
            accuracy_check.check_projection(partial(best_tree, structure)),
            tolerance=_GAP,
        )
        for structure in ("projective_tree", "non_projective_tree")
        for flat, sample in (("", problem.trees), ("flat_", problem.flat_trees))
    ),
]

OPERATIONS: Dict[str, Operation] = {operation.name: operation for operation in _ALL}
