"""What an estimator sends back through one batch, without a model around it."""

from typing import Callable

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.problem import ArgmaxProblem, Downstream
from spigot_allennlp.structures.structure import Structure


def scores_gradient(
    estimator: GradientEstimator,
    structure: Structure,
    scores: Tensor,
    mask: BoolTensor,
    downstream: Downstream,
    reduce: Callable[[Tensor], Tensor] = torch.mean,
) -> Tensor:
    """The gradient of `reduce(losses)` that arrives at the scores; zero where none arrives."""
    leaf = scores.detach().clone().requires_grad_()
    problem = ArgmaxProblem(structure, leaf, mask, downstream)
    loss = reduce(problem.losses(estimator(problem)))
    if not loss.requires_grad:
        return torch.zeros_like(leaf)
    loss.backward()
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad


def linear(costs: Tensor) -> Downstream:
    """Downstream losses whose gradient is `costs` everywhere."""
    return lambda value: (value * costs).flatten(1).sum(dim=1)


def quadratic(target: Tensor) -> Downstream:
    """Downstream losses whose gradient at z is `z - target`."""
    return lambda value: ((value - target) ** 2).flatten(1).sum(dim=1) / 2
