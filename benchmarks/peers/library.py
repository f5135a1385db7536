"""What a library has to look like in order to be compared."""

from dataclasses import dataclass
from importlib import metadata
from typing import Any, Callable

import torch
from torch import Tensor

from benchmarks.problem import NUM_TAGS, Problem


class NotOffered(Exception):
    """A library lacks what an operation needs; the message says what."""


@dataclass(frozen=True)
class Call:
    """
    # Parameters

    run : `Callable[[], Any]`
        The operation itself, on inputs that were converted beforehand: this is what is measured.
    read : `Callable[[Any], Tensor]`, optional (default = identity)
        Brings what `run` returned into our conventions.
    """

    run: Callable[[], Any]
    read: Callable[[Any], Tensor] = lambda result: result


class Library:
    """
    One library. It has a method `operation(problem) -> Call` for each operation that it offers,
    named like the operation. The method copies what the library would write into.

    What they return, after `read`: of argmax operations zeros and ones; of marginals, gradients and
    projections as many numbers as there are scores, zero on arcs that no tree may have; of
    log-partitions one number for each sentence.
    """

    distribution: str
    """The name under which it is installed."""

    @property
    def version(self) -> str:
        return metadata.version(self.distribution)

    def offers(self, operation: str) -> bool:
        return hasattr(self, operation)

    def prepare(self, operation: str, problem: Problem) -> Call:
        """
        # Raises

        `NotOffered` if something is missing that the operation needs.
        """
        if not self.offers(operation):
            raise NotOffered(f"{type(self).__name__} offers no {operation}")
        return getattr(self, operation)(problem)


def backward_through(
    marginals: Callable[[Tensor], Tensor], scores: Tensor, direction: Tensor
) -> Callable[[], Tensor]:
    """
    Marginals, and the gradient of their inner product with `direction`: the backward pass of a
    network that has marginals in its middle.
    """

    def run() -> Tensor:
        leaf = scores.detach().requires_grad_()
        (gradient,) = torch.autograd.grad((marginals(leaf) * direction).sum(), leaf)
        return gradient

    return run


def arcs_from_heads(heads: Tensor) -> Tensor:
    """
    Zeros and ones, `(batch_size, length + 1, length + 1)`, from the heads of all positions,
    `(batch_size, length + 1)`, of which the first is not looked at.
    """
    arcs = torch.nn.functional.one_hot(heads.long(), heads.size(1)).float()
    arcs[:, 0] = 0
    return arcs


def one_hot_tags(tags: Tensor) -> Tensor:
    """Zeros and ones, `(batch_size, length, num_tags)`, from tags, `(batch_size, length)`."""
    return torch.nn.functional.one_hot(tags.long(), NUM_TAGS).float()
