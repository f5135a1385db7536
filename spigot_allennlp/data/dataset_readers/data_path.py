"""
Interprets the data paths of a config: a file, a part of a file, or an embedded data set.

A path that begins with `synthetic:` names an embedded data set and its settings, as in
`"synthetic:size=2000,seed=1"`. Any other path is a file, or a URL, which is downloaded.

For readers of images and events, a path may name a part, since the test data must never select a
model: `FILE#held_out` has every eleventh sample (or as set in the reader), starting with the first,
`FILE#train` has all others, and `FILE` has all. `FILE#train:20000` has the first 20000 of
`FILE#train`. So one reader works for training, validation and test.
"""

import io
from contextlib import contextmanager
from os import PathLike
from typing import BinaryIO, Iterable, Iterator, NamedTuple, Optional, Tuple, TypeVar, Union

from allennlp.common.file_utils import cached_path

from spigot_allennlp.config_checks import PlainConfigurationError
from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.blocks import number_of
from spigot_allennlp.data.formats.source import PathOrSource, Source, as_source
from spigot_allennlp.data.synthetic.specification import PREFIX
from spigot_allennlp.data.synthetic.treebank.treebank import synthetic_text

Sample = TypeVar("Sample")

#: The input of a text reader: a path, or a source for input that can be read only once.
DataPath = Union[str, Source]

PARTS = ("train", "held_out")


def is_synthetic(path: PathOrSource) -> bool:
    """Returns whether `path` names an embedded data set."""
    return name_of(path).startswith(PREFIX)


def name_of(path: PathOrSource) -> str:
    """Returns the name of a path or source for errors."""
    return path.name if isinstance(path, Source) else str(path)


def local_path(path: str) -> str:
    """Returns the file that `path` names, and downloads it if it is remote."""
    return str(cached_path(path))


def text_source(path: DataPath, embedded_format: str) -> Source:
    """
    Returns the text that a data path names.

    # Parameters

    path : `DataPath`
        A source is returned as it is.
    embedded_format : `str`
        The format for the embedded treebank, if the path names it; see `synthetic_text`. It does
        not affect files.
    """
    if isinstance(path, Source):
        return path
    if not is_synthetic(path):
        return as_source(local_path(path))

    def open_text() -> BinaryIO:
        with config_errors():
            return io.BytesIO(synthetic_text(path, embedded_format).encode("utf-8"))

    return Source(path, open_text)


@contextmanager
def config_errors() -> Iterator[None]:
    """
    Turns a `ValueError` for the settings of an embedded data set into a config error.

    # Raises

    `ConfigurationError`
    """
    try:
        yield
    except ValueError as error:
        raise PlainConfigurationError(str(error)) from error


class Part(NamedTuple):
    """
    A part of the samples of a file.

    # Parameters

    path : `str`
        The file, without the name of the part.
    name : `str`, optional (default = `None`)
        One of `PARTS`; `None` is the whole file.
    limit : `int`, optional (default = `None`)
        The largest number of samples; `None` for all.
    """

    path: str
    name: Optional[str] = None
    limit: Optional[int] = None

    def select(self, samples: Iterable[Sample], every: int) -> Iterator[Tuple[int, Sample]]:
        """
        Yields the samples of the part, with their numbers in the whole file. The first of `every`
        samples is held out.

        # Raises

        `MalformedInputError` if the part has no samples.
        """
        count = 0
        for number, sample in enumerate(samples):
            is_held_out = number % every == 0
            if self.name is None or is_held_out == (self.name == "held_out"):
                if count == self.limit:
                    return
                count += 1
                yield number, sample
        if not count:
            part = "" if self.name is None else f" in the part {self.name}"
            raise MalformedInputError(
                self.path, None, Fault.NO_INSTANCES, f"it holds no sample{part}"
            )


def part_of(data_path: Union[str, PathLike]) -> Part:
    """
    Returns the part that a data path names.

    # Raises

    `ConfigurationError` if there is no such part.
    """
    path, mark, selection = str(data_path).partition("#")
    name, colon, limit = selection.partition(":")
    if not mark:
        return Part(path)
    if name not in PARTS:
        raise PlainConfigurationError(
            f'"{data_path}" asks for the part "{name}", but the parts are {", ".join(PARTS)}. '
            "Leave # out for the whole file."
        )
    if colon and not number_of(limit):
        raise PlainConfigurationError(
            f'"{data_path}" limits the part to "{limit}" samples; write a whole number, as in '
            f"#{name}:1000."
        )
    return Part(path, name, number_of(limit))
