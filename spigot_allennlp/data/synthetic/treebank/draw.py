"""Random draws that are the same on every platform and every version of Python."""

import random
from bisect import bisect
from itertools import accumulate
from typing import Generic, Iterable, List, Sequence, TypeVar

T = TypeVar("T")


class Weighted(Generic[T]):
    """
    Things to draw from, each with its weight.

    # Parameters

    items : `Sequence[T]`
    weights : `Iterable[float]`
        One positive weight an item; they need not sum to one.
    """

    __slots__ = ("items", "cumulative")

    def __init__(self, items: Sequence[T], weights: Iterable[float]) -> None:
        self.items = tuple(items)
        self.cumulative = tuple(accumulate(weights))
        assert len(self.items) == len(self.cumulative) > 0


def zipf(*groups: Sequence[T], shares: Sequence[float] = (1.0,)) -> Weighted[T]:
    """
    Groups of items in order of rank: the r-th of a group is drawn in proportion to `1 / (r + 2)`,
    the groups in proportion to their `shares`.
    """
    items: List[T] = []
    weights: List[float] = []
    for group, share in zip(groups, shares, strict=True):
        scores = [1.0 / (rank + 2) for rank in range(1, len(group) + 1)]
        items.extend(group)
        weights.extend(share * score / sum(scores) for score in scores)
    return Weighted(items, weights)


def weighted(**weights: float) -> Weighted[str]:
    """Names and their weights: `weighted(person=3, work=1)`."""
    return Weighted(list(weights), weights.values())


class Draw:
    """
    A stream of draws. Everything comes from `random.Random.random`, the one method whose sequence
    for a seed Python promises to keep; a text seed is hashed by SHA-512, whatever the platform.

    # Parameters

    seed : `str`
    """

    __slots__ = ("_random",)

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed).random

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self._random() < probability

    def pick(self, choices: Weighted[T]) -> T:
        """One of the items, in proportion to its weight."""
        cumulative = choices.cumulative
        position = bisect(cumulative, self._random() * cumulative[-1])
        return choices.items[min(position, len(cumulative) - 1)]
