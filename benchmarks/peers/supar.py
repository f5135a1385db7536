"""
The structures of supar ([Zhang et al., 2020](https://aclanthology.org/2020.acl-main.302)).

Arcs are indexed as ours, `[batch, dependent, head]` with the root as position 0. The constructors
switch gradients on for their scores, and the non-projective argmax writes into them: each call has
a copy.
"""

from typing import Callable

import torch
from supar.structs import DependencyCRF, LinearChainCRF, MatrixTree
from torch import LongTensor, Tensor

from benchmarks.library import Call, Library, arcs_from_heads, backward_through, one_hot_tags
from benchmarks.problem import NUM_TAGS, Problem


class Supar(Library):
    distribution = "supar"

    def projective_argmax(self, problem: Problem) -> Call:
        return _tree(lambda *arguments: DependencyCRF(*arguments).argmax, problem, arcs_from_heads)

    def projective_log_partition(self, problem: Problem) -> Call:
        return _tree(lambda *arguments: DependencyCRF(*arguments).log_partition, problem)

    def projective_marginals(self, problem: Problem) -> Call:
        return _tree(lambda *arguments: DependencyCRF(*arguments).marginals, problem)

    def projective_marginals_backward(self, problem: Problem) -> Call:
        return _backward(lambda *arguments: DependencyCRF(*arguments).marginals, problem)

    def non_projective_argmax(self, problem: Problem) -> Call:
        return _tree(lambda *arguments: MatrixTree(*arguments).argmax, problem, arcs_from_heads)

    def non_projective_log_partition(self, problem: Problem) -> Call:
        return _tree(lambda *arguments: MatrixTree(*arguments).log_partition, problem)

    def non_projective_marginals(self, problem: Problem) -> Call:
        return _tree(lambda *arguments: MatrixTree(*arguments).marginals, problem)

    def non_projective_marginals_backward(self, problem: Problem) -> Call:
        return _backward(lambda *arguments: MatrixTree(*arguments).marginals, problem)

    def chain_argmax(self, problem: Problem) -> Call:
        return _chain(lambda *arguments: LinearChainCRF(*arguments).argmax, problem, one_hot_tags)

    def chain_marginals(self, problem: Problem) -> Call:
        return _chain(lambda *arguments: LinearChainCRF(*arguments).marginals, problem)


def _lengths(problem: Problem) -> LongTensor:
    return torch.full((problem.size.batch,), problem.size.length)


def _tree(
    compute: Callable[..., Tensor],
    problem: Problem,
    read: Callable[[Tensor], Tensor] = Tensor.detach,
) -> Call:
    scores, lengths = problem.scores.clone(), _lengths(problem)
    return Call(lambda: compute(scores, lengths), read)


def _backward(marginals: Callable[..., Tensor], problem: Problem) -> Call:
    lengths = _lengths(problem)
    return Call(
        backward_through(
            lambda scores: marginals(scores, lengths), problem.scores, problem.direction
        )
    )


def _chain(
    compute: Callable[..., Tensor],
    problem: Problem,
    read: Callable[[Tensor], Tensor] = Tensor.detach,
) -> Call:
    """Adds the last row and column of its transitions, from the start and to the end."""
    transitions = torch.zeros(NUM_TAGS + 1, NUM_TAGS + 1)
    transitions[:-1, :-1] = problem.transitions
    scores, lengths = problem.scores.clone(), _lengths(problem)
    return Call(lambda: compute(scores, transitions, lengths), read)
