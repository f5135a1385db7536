"""The base of the readers of long sequences, which are read from a file or generated."""

from os import PathLike
from typing import Any, Dict, Iterable, Iterator, Mapping

import numpy
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance

from spigot_allennlp.data.dataset_readers.data_path import is_synthetic, settings_of_config
from spigot_allennlp.data.errors import Fault, MalformedInputError
from spigot_allennlp.data.synthetic.specification import parse_settings

DEFAULT_SIZE, DEFAULT_SEED = 1000, 1


class SequenceReader(DatasetReader):
    """
    Reads sequences, one instance each. A subclass implements `_generated`, or `_of_file`, or both,
    and `text_to_instance`, which takes what those return as arguments.

    A data path is a file or `"synthetic:size=2000,seed=1"`, generated sequences: sequence i of a
    seed is the same for every size. There, a subclass may know further settings (`_settings`).
    """

    #: The settings of generated data besides size and seed, with their least values.
    _settings: Mapping[str, int] = {}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            manual_distributed_sharding=True, manual_multiprocess_sharding=True, **kwargs
        )

    def _generated(
        self, random: numpy.random.Generator, settings: Dict[str, int]
    ) -> Dict[str, Any]:
        """Returns a random sequence, as the arguments of `text_to_instance`."""
        raise ConfigurationError(f"{type(self).__name__} generates nothing; give it a file.")

    def _of_file(self, path: str) -> Iterator[Dict[str, Any]]:
        """Yields the sequences of a file, as the arguments of `text_to_instance`."""
        raise ConfigurationError(
            f"{type(self).__name__} reads no file, but was given {path!r}. Its data is generated: "
            'write, for example, "synthetic:size=2000,seed=1".'
        )

    def _read(self, file_path: "str | PathLike") -> Iterator[Instance]:
        path = str(file_path)
        sequences = self._all_generated(path) if is_synthetic(path) else self._of_file(path)
        for arguments in self.shard_iterable(_not_empty(sequences, path)):
            yield self.text_to_instance(**arguments)

    def _all_generated(self, path: str) -> Iterator[Dict[str, Any]]:
        with settings_of_config():
            settings = parse_settings(path, {"size": 1, "seed": 0, **self._settings})
        size, seed = settings.pop("size", DEFAULT_SIZE), settings.pop("seed", DEFAULT_SEED)
        for number in range(size):
            yield self._generated(numpy.random.default_rng([seed, number]), settings)


def _not_empty(sequences: Iterable[Dict[str, Any]], path: str) -> Iterator[Dict[str, Any]]:
    """
    Yields the same sequences, all that there are at `path`, before processes share them.

    # Raises

    `MalformedInputError` at the end, if there was none.
    """
    is_empty = True
    for sequence in sequences:
        is_empty = False
        yield sequence
    if is_empty:
        raise MalformedInputError(path, None, Fault.NO_INSTANCES, "it gives no instance")
