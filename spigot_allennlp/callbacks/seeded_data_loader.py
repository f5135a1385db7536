"""A data loader whose every batch has randomness of its own, whatever was computed before."""

import random
from hashlib import blake2b
from typing import Any, Callable, Iterator

import numpy
import torch
from allennlp.data import DataLoader, TensorDict


class SeededDataLoader:
    """
    Stands in for a data loader. Before each batch is fetched it seeds the generators of Python,
    numpy and PyTorch anew, with a number that follows from the seed, the stage, the epoch and the
    batch. So the randomness of a batch (its place in the shuffled data, dropout, sampling) does not
    depend on whether the batches before it were computed, or merely fetched, as they are when a run
    is resumed.

    # Parameters

    loader : `DataLoader`
        The one that it stands in for.
    seed : `int`
        The seed of the run.
    stage : `str`
        What tells the training data from the validation data.
    epoch : `Callable[[], int]`
        Gives the number of the current epoch.
    """

    def __init__(self, loader: DataLoader, seed: int, stage: str, epoch: Callable[[], int]) -> None:
        self._loader = loader
        self._seed = seed
        self._stage = stage
        self._epoch = epoch

    def __iter__(self) -> Iterator[TensorDict]:
        position = 0
        self._start_batch(position)
        batches = iter(self._loader)
        for batch in batches:
            yield batch
            position += 1
            self._start_batch(position)

    def __len__(self) -> int:
        return len(self._loader)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def _start_batch(self, position: int) -> None:
        name = f"{self._seed} {self._stage} {self._epoch()} {position}"
        seed = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
        random.seed(seed)
        numpy.random.seed(seed % 2**32)
        # `torch.manual_seed` takes a millisecond where there is no device to seed.
        torch.default_generator.manual_seed(seed)
        if torch.cuda.is_available():
            torch.cuda.manual_seed_all(seed)
