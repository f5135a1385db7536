"""
A part of the training data that is held out, for the test data must never select a model.

A data path says which part is meant: `FILE#held_out` has every eleventh sample (or what the reader
is set to), from the first on, `FILE#train` all others, and `FILE` all. `FILE#train:20000` are the
first 20000 of these. So one reader serves for training, validation and test.
"""

from typing import Iterable, Iterator, NamedTuple, Optional, Tuple, TypeVar

from allennlp.common.checks import ConfigurationError

from spigot_allennlp.data.blocks import number_of
from spigot_allennlp.data.errors import Fault, MalformedInputError

Sample = TypeVar("Sample")

PARTS = ("train", "held_out")


class Part(NamedTuple):
    """
    # Parameters

    path : `str`
        Of the file, without what says which part is meant.
    name : `str`, optional (default = `None`)
        One of `PARTS`, or all if there is none.
    limit : `int`, optional (default = `None`)
        So many samples of the part, or all.
    """

    path: str
    name: Optional[str] = None
    limit: Optional[int] = None

    def select(self, samples: Iterable[Sample], every: int) -> Iterator[Tuple[int, Sample]]:
        """
        Those of the part, with their numbers in the whole; one of `every` is held out.

        # Raises

        `MalformedInputError` if there is none.
        """
        found = 0
        for number, sample in enumerate(samples):
            is_held_out = number % every == 0
            if self.name is None or is_held_out == (self.name == "held_out"):
                if found == self.limit:
                    return
                found += 1
                yield number, sample
        if not found:
            part = "" if self.name is None else f" in the part {self.name}"
            raise MalformedInputError(
                self.path, None, Fault.NO_INSTANCES, f"it holds no sample{part}"
            )


def part_of(data_path: str) -> Part:
    """
    # Raises

    `ConfigurationError` if the data path names a part that there is not.
    """
    path, mark, rest = str(data_path).partition("#")
    name, colon, limit = rest.partition(":")
    if not mark:
        return Part(path)
    if name not in PARTS:
        raise ConfigurationError(
            f'"{data_path}" asks for the part "{name}", but the parts are {", ".join(PARTS)}. '
            "Leave # out for the whole file."
        )
    if colon and not number_of(limit):
        raise ConfigurationError(
            f'"{data_path}" limits the part to "{limit}" samples; write a whole number, as in '
            f"#{name}:1000."
        )
    return Part(path, name, number_of(limit))


def check_every(held_out_every: int) -> int:
    """
    The same number.

    # Raises

    `ConfigurationError` if nothing would be left to train on.
    """
    if held_out_every < 2:
        raise ConfigurationError(f"held_out_every must be at least 2 but found {held_out_every}.")
    return held_out_every
