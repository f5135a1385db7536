"""The base of readers of long sequences: files or generated ones, an instance each, in shares."""

from os import PathLike
from typing import Any, Dict, Iterator, Mapping

import numpy
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance

from spigot_allennlp.data.left_out import not_empty
from spigot_allennlp.data.source import is_synthetic
from spigot_allennlp.data.synthetic.specification import parse_settings

DEFAULT_SIZE, DEFAULT_SEED = 1000, 1


class SequenceReader(DatasetReader):
    """
    Reads sequences. A subclass fills `_generated`, or `_of_file` or both, and `text_to_instance`,
    which takes what those yield as arguments.

    A data path is a file or `"synthetic:size=2000,seed=1"`, generated sequences: sequence i of a
    seed is the same for every size. There, a subclass may know further settings (`_settings`).
    """

    #: Of generated data, besides size and seed: with the least each may be.
    _settings: Mapping[str, int] = {}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            manual_distributed_sharding=True, manual_multiprocess_sharding=True, **kwargs
        )

    def _generated(
        self, random: numpy.random.Generator, settings: Dict[str, int]
    ) -> Dict[str, Any]:
        """One sequence, as the arguments of `text_to_instance`."""
        raise ConfigurationError(f"{type(self).__name__} generates nothing; give it a file.")

    def _of_file(self, path: str) -> Iterator[Dict[str, Any]]:
        """The sequences of a file, as the arguments of `text_to_instance`."""
        raise ConfigurationError(
            f"{type(self).__name__} reads no file, but was given {path!r}. Its data is generated: "
            'write, for example, "synthetic:size=2000,seed=1".'
        )

    def _read(self, file_path: "str | PathLike") -> Iterator[Instance]:
        path = str(file_path)
        sequences = self._all_generated(path) if is_synthetic(path) else self._of_file(path)
        for sequence in self.shard_iterable(not_empty(sequences, path)):
            yield self.text_to_instance(**sequence)

    def _all_generated(self, path: str) -> Iterator[Dict[str, Any]]:
        try:
            settings = parse_settings(path, {"size": 1, "seed": 0, **self._settings})
        except ValueError as error:
            raise ConfigurationError(str(error)) from error
        size, seed = settings.pop("size", DEFAULT_SIZE), settings.pop("seed", DEFAULT_SEED)
        for number in range(size):
            yield self._generated(numpy.random.default_rng([seed, number]), settings)
