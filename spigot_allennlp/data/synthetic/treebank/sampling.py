"""Random choices that are the same on every platform and in every Python version."""

import random
from bisect import bisect
from itertools import accumulate
from typing import Generic, Iterable, List, Sequence, TypeVar

T = TypeVar("T")


class Sampler:
    """
    Makes random choices. All of them come from `random.Random.random`, the only method for which
    Python promises to keep the sequence of a seed. A text seed is hashed with SHA-512 on every
    platform.

    # Parameters

    seed : `str`
    """

    __slots__ = ("_random",)

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed).random

    def chance(self, probability: float) -> bool:
        """Returns True with this probability."""
        return self._random() < probability

    def choose(self, choices: "Weighted[T]") -> T:
        """Returns an item, with a probability proportional to its weight."""
        cumulative = choices.cumulative
        position = bisect(cumulative, self._random() * cumulative[-1])
        return choices.items[min(position, len(cumulative) - 1)]


class Weighted(Generic[T]):
    """
    Items to choose from, each with its weight.

    # Parameters

    items : `Sequence[T]`
    weights : `Iterable[float]`
        A positive weight for each item. They need not sum to one.
    """

    __slots__ = ("items", "cumulative")

    def __init__(self, items: Sequence[T], weights: Iterable[float]) -> None:
        self.items = tuple(items)
        self.cumulative = tuple(accumulate(weights))
        assert len(self.items) == len(self.cumulative) > 0


def weighted(**weights: float) -> Weighted[str]:
    """Returns names to choose from with their weights, as in `weighted(person=3, work=1)`."""
    return Weighted(list(weights), weights.values())


def zipf(*groups: Sequence[T], shares: Sequence[float] = (1.0,)) -> Weighted[T]:
    """
    Returns all items of some groups, to be sampled like words under Zipf's law: within a group, the
    weight of the r-th item is proportional to `1 / (r + 2)`, and each group has its share of the
    total.

    # Parameters

    groups : `Sequence[T]`
        Items from the most to the least frequent.
    shares : `Sequence[float]`, optional (default = `(1.0,)`)
        The weight of each group.
    """
    items: List[T] = []
    weights: List[float] = []
    for group, share in zip(groups, shares, strict=True):
        scores = [1.0 / (rank + 2) for rank in range(1, len(group) + 1)]
        items.extend(group)
        weights.extend(share * score / sum(scores) for score in scores)
    return Weighted(items, weights)
