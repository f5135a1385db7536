"""
PyTorch itself: the k best of a row, and layers as users write them around `topk`.

The perturbed one is the estimator of [Berthet et al., 2020](https://arxiv.org/abs/2002.08676), as
[Cordonnier et al., 2021](https://arxiv.org/abs/2104.03059) use it for the k best.
"""

from typing import Any, Tuple

import torch
from torch import Tensor

from benchmarks.library import Call, Library, value_and_gradient
from benchmarks.problem import NUM_SAMPLES, Problem, chosen_of_row

_SEED = 1


class Torch(Library):
    distribution = "torch"

    def subset_argmax(self, problem: Problem) -> Call:
        size = chosen_of_row(problem)
        return Call(lambda: _best(problem.scores, size))

    def subset_straight_through(self, problem: Problem) -> Call:
        size = chosen_of_row(problem)

        def layer(scores: Tensor) -> Tensor:
            return scores + (_best(scores, size) - scores).detach()

        return Call(value_and_gradient(layer, problem.scores, problem.direction), torch.stack)

    def subset_perturbed(self, problem: Problem) -> Call:
        size = chosen_of_row(problem)

        def read(result: Tuple[Tensor, Tensor]) -> Tensor:
            torch.manual_seed(_SEED)
            return torch.cat([torch.stack(result), _noise(problem.scores)])

        torch.manual_seed(_SEED)
        run = value_and_gradient(
            lambda scores: _PerturbedTopK.apply(scores, size), problem.scores, problem.direction
        )
        return Call(run, read)


class _PerturbedTopK(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, scores: Tensor, size: int) -> Tensor:
        noise = _noise(scores)
        subsets = _best(scores + noise, size)
        ctx.save_for_backward(noise, subsets)
        return subsets.mean(dim=0)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tuple[Tensor, None]:
        noise, subsets = ctx.saved_tensors
        change = (subsets * gradient).sum(dim=-1, keepdim=True)
        return (change * noise).mean(dim=0), None


def _best(scores: Tensor, size: int) -> Tensor:
    best = scores.topk(size, dim=-1).indices
    return torch.zeros_like(scores).scatter_(-1, best, 1)


def _noise(scores: Tensor) -> Tensor:
    return torch.randn(NUM_SAMPLES, *scores.shape)
