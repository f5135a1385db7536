"""
pytorch-struct ([Rush, 2020](https://arxiv.org/abs/2002.00876)), on PyPI as torch-struct.

Arcs are `[batch, head, dependent]` without a row for the root, whose scores are on the diagonal;
edges of chains `[batch, position, next_tag, tag]`. Its projective trees write into a view of their
scores, which autograd allows only if these have a history: scores that require gradients get it
inside, others do not, and fail. So these get scores that require gradients. The non-projective
argmax is not implemented there.
"""

from typing import Callable

import torch
from torch import Tensor
from torch_struct import DependencyCRF, LinearChainCRF, NonProjectiveDependencyCRF

from benchmarks.library import Call, Library, backward_through
from benchmarks.problem import Problem


class TorchStruct(Library):
    distribution = "torch-struct"

    def projective_argmax(self, problem: Problem) -> Call:
        return _tree(lambda scores: _projective(scores).argmax, problem)

    def projective_log_partition(self, problem: Problem) -> Call:
        return _tree(lambda scores: _projective(scores).partition, problem, Tensor.detach)

    def projective_marginals(self, problem: Problem) -> Call:
        return _tree(lambda scores: _projective(scores).marginals, problem)

    def projective_marginals_backward(self, problem: Problem) -> Call:
        return _backward(lambda scores: _projective(scores).marginals, problem)

    def non_projective_log_partition(self, problem: Problem) -> Call:
        return _tree(lambda scores: _non_projective(scores).partition, problem, Tensor.detach)

    def non_projective_marginals(self, problem: Problem) -> Call:
        return _tree(lambda scores: _non_projective(scores).marginals, problem)

    def non_projective_marginals_backward(self, problem: Problem) -> Call:
        return _backward(lambda scores: _non_projective(scores).marginals, problem)

    def chain_argmax(self, problem: Problem) -> Call:
        edges = _edges(problem)
        return Call(lambda: LinearChainCRF(edges).argmax, _tags_from_edges)

    def chain_marginals(self, problem: Problem) -> Call:
        edges = _edges(problem)
        return Call(lambda: LinearChainCRF(edges).marginals, _tags_from_edges)


def _projective(scores: Tensor) -> DependencyCRF:
    tracked = scores if scores.requires_grad else scores.detach().requires_grad_()
    return DependencyCRF(tracked, multiroot=False)


def _non_projective(scores: Tensor) -> NonProjectiveDependencyCRF:
    return NonProjectiveDependencyCRF(scores, multiroot=False)


def _root_on_diagonal(arcs: Tensor) -> Tensor:
    """Converts our arcs, `(batch_size, length + 1, length + 1)`, to theirs."""
    theirs = arcs[:, 1:, 1:].transpose(1, 2).clone()
    theirs.diagonal(dim1=1, dim2=2).copy_(arcs[:, 1:, 0])
    return theirs


def _arcs(theirs: Tensor) -> Tensor:
    """Converts arcs back to ours; see `_root_on_diagonal`."""
    arcs = torch.nn.functional.pad(theirs.detach().transpose(1, 2), (1, 0, 1, 0))
    arcs[:, 1:, 0] = theirs.detach().diagonal(dim1=1, dim2=2)
    arcs.diagonal(dim1=1, dim2=2).zero_()
    return arcs


def _tree(
    compute: Callable[[Tensor], Tensor], problem: Problem, read: Callable[[Tensor], Tensor] = _arcs
) -> Call:
    scores = _root_on_diagonal(problem.scores)
    return Call(lambda: compute(scores), read)


def _backward(marginals: Callable[[Tensor], Tensor], problem: Problem) -> Call:
    scores, direction = (_root_on_diagonal(arcs) for arcs in (problem.scores, problem.direction))
    return Call(backward_through(marginals, scores, direction), _arcs)


def _edges(problem: Problem) -> Tensor:
    assert problem.transitions is not None
    # (batch_size, length - 1, next_tag, tag)
    edges = problem.transitions.t() + problem.scores[:, 1:].unsqueeze(3)
    edges[:, 0] += problem.scores[:, 0].unsqueeze(1)
    return edges


def _tags_from_edges(edges: Tensor) -> Tensor:
    first = edges.detach()[:, :1].sum(dim=2)
    return torch.cat([first, edges.detach().sum(dim=3)], dim=1)
