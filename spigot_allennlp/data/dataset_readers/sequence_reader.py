"""The base of the readers of long sequences, from a file or generated."""

from functools import cache
from os import PathLike
from typing import Any, Dict, Iterable, Iterator, Mapping

import numpy
from allennlp.data import Field, Instance, Token
from allennlp.data.fields import TensorField

from spigot_allennlp.config_checks import PlainConfigurationError
from spigot_allennlp.data.dataset_readers.data_path import config_errors, is_synthetic
from spigot_allennlp.data.dataset_readers.shared_reader import SharedReader
from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.synthetic.specification import DEFAULT_SEED, DEFAULT_SIZE, parse_settings


class SequenceReader(SharedReader):
    """
    Reads sequences, one instance each. A subclass implements `_generate`, or `_read_file`, or both,
    and `text_to_instance`, which takes their results as arguments.

    A data path is a file or `"synthetic:size=2000,seed=1"`, generated sequences: sequence i of a
    seed is the same for every size. A subclass may have further settings for generated sequences,
    with the minimum values `_least_settings`.
    """

    #: Further settings of generated data, besides size and seed, with their minimum values.
    _least_settings: Mapping[str, int] = {}

    def _generate(self, random: numpy.random.Generator, settings: Dict[str, int]) -> Dict[str, Any]:
        """Returns a random sequence, as the arguments of `text_to_instance`."""
        raise PlainConfigurationError(f"{type(self).__name__} generates nothing; give it a file.")

    def _read_file(self, path: str) -> Iterator[Dict[str, Any]]:
        """Yields the sequences of a file, as the arguments of `text_to_instance`."""
        raise PlainConfigurationError(
            f"{type(self).__name__} reads no file, but was given {path!r}. Its data is generated: "
            'write, for example, "synthetic:size=2000,seed=1".'
        )

    def _read(self, file_path: "str | PathLike") -> Iterator[Instance]:
        path = str(file_path)
        sequences = self._generate_all(path) if is_synthetic(path) else self._read_file(path)
        for arguments in self.shard_iterable(_not_empty(sequences, path)):
            yield self.text_to_instance(**arguments)

    def _generate_all(self, path: str) -> Iterator[Dict[str, Any]]:
        with config_errors():
            settings = parse_settings(path, {"size": 1, "seed": 0, **self._least_settings})
        size, seed = settings.pop("size", DEFAULT_SIZE), settings.pop("seed", DEFAULT_SEED)
        for number in range(size):
            yield self._generate(numpy.random.default_rng([seed, number]), settings)


def _not_empty(sequences: Iterable[Dict[str, Any]], path: str) -> Iterator[Dict[str, Any]]:
    """
    Yields the same sequences: all those at `path`, before they are divided among processes.

    # Raises

    `MalformedInputError` at the end, if there were none.
    """
    is_empty = True
    for sequence in sequences:
        is_empty = False
        yield sequence
    if is_empty:
        raise MalformedInputError(path, None, Fault.NO_INSTANCES, "it gives no instance")


def vector_fields(vectors: numpy.ndarray) -> Dict[str, Field]:
    """
    Returns the fields of a sequence of vectors, `(length, size)`: `inputs`, and `mask`, which is
    true on them and false on the padding of a batch.
    """
    steps = numpy.ones(len(vectors), dtype=bool)
    return {"inputs": TensorField(vectors), "mask": TensorField(steps, padding_value=False)}


@cache
def shared_token(text: str) -> Token:
    """
    Returns the same token for the same text: a data set has millions of tokens, but few texts.
    """
    return Token(text)
