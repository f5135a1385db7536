"""Makes what is to be computed: batches of random scores, the same for every library."""

from dataclasses import dataclass
from typing import Optional

import torch
from torch import Tensor

NUM_TAGS = 20
#: Of layers that perturb their scores.
NUM_SAMPLES = 10
#: By how much layers that compare two objects move the scores of the second.
STEP_SIZE = 10.0
#: Of sum-of-gamma noise: how many samples of it add up to a Gumbel one.
GAMMA_K = 5
# By what the scores of a flat problem are multiplied.
_FLATNESS = 0.1


@dataclass(frozen=True, order=True)
class Size:
    """The size of a problem: `batch` sentences of `length` tokens."""

    batch: int
    length: int

    def __str__(self) -> str:
        return f"{self.batch}x{self.length}"


@dataclass(frozen=True)
class Problem:
    """
    A batch of random scores, in our conventions.

    # Parameters

    size : `Size`
    scores : `Tensor`
        In single precision. Of trees `(batch_size, length + 1, length + 1)`, indexed
        `[batch, dependent, head]`, position 0 being the root; of chains the scores of tags,
        `(batch_size, length, num_tags)`; of rows, matchings and alignments
        `(batch_size, length, length)`.
    direction : `Tensor`
        The incoming gradient of a backward pass, of the shape of `scores`.
    transitions : `Tensor`, optional (default = `None`)
        Of chains: shape `(num_tags, num_tags)`, indexed `[tag, next_tag]`, at every position.
    """

    size: Size
    scores: Tensor
    direction: Tensor
    transitions: Optional[Tensor] = None


def trees(size: Size, scale: float, generator: torch.Generator) -> Problem:
    """Samples normally distributed scores of arcs, times `scale`."""
    return _normal(size, size.length + 1, size.length + 1, scale, generator)


def flat_trees(size: Size, scale: float, generator: torch.Generator) -> Problem:
    """Samples scores that differ by so little that a projection is the mean of many trees."""
    return trees(size, _FLATNESS * scale, generator)


def chains(size: Size, scale: float, generator: torch.Generator) -> Problem:
    """Samples normally distributed scores of tags and of transitions, times `scale`."""
    problem = _normal(size, size.length, NUM_TAGS, scale, generator)
    transitions = scale * torch.randn(NUM_TAGS, NUM_TAGS, generator=generator)
    return Problem(size, problem.scores, problem.direction, transitions)


def chosen_of_row(problem: Problem) -> int:
    """Returns how many parts of a row a subset has: a quarter."""
    return max(1, problem.size.length // 4)


def rows(size: Size, scale: float, generator: torch.Generator) -> Problem:
    """Samples as many rows as there are tokens, each with a score for every token."""
    return _normal(size, size.length, size.length, scale, generator)


def _normal(
    size: Size, height: int, width: int, scale: float, generator: torch.Generator
) -> Problem:
    scores = scale * torch.randn(size.batch, height, width, generator=generator)
    return Problem(size, scores, torch.randn(size.batch, height, width, generator=generator))
