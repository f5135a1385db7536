"""The adding problem: the sum of two marked numbers among very many."""

from typing import Any, Dict, List, Optional, Sequence

import numpy
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance
from allennlp.data.fields import TensorField

from spigot_allennlp.config_checks import check_least
from spigot_allennlp.data.dataset_readers.sequence_reader import SequenceReader, vector_fields


@DatasetReader.register("adding")
class AddingReader(SequenceReader):
    """
    Generates sequences of numbers between zero and one. Two are marked, one in each half. Their sum
    is the value to predict at the end ([Hochreiter & Schmidhuber,
    1997](https://doi.org/10.1162/neco.1997.9.8.1735)). The constant prediction 1 has a mean squared
    error of 1/6.

    The fields are `inputs`, shape `(length, 2)`, number and mark; their `mask`; and `value`, the
    sum. A data path is `"synthetic:size=20000,seed=1"`; `"synthetic:size=500,seed=3,length=400"`
    overrides the length in the config.

    Registered as a `DatasetReader` with name "adding".

    # Parameters

    length : `int`, optional (default = `200`)
        At least 2.
    """

    _least_settings = {"length": 2}

    def __init__(self, length: int = 200, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_least(2, length=length)
        self._length = length

    def _generate(self, random: numpy.random.Generator, settings: Dict[str, int]) -> Dict[str, Any]:
        length = settings.get("length", self._length)
        marked = random.integers(length // 2), random.integers(length // 2, length)
        return {"numbers": random.random(length), "marked": marked}

    def text_to_instance(  # type: ignore[override]
        self, numbers: Sequence[float], marked: Optional[Sequence[int]] = None
    ) -> Instance:
        """
        Returns the instance of a sequence.

        # Parameters

        numbers : `Sequence[float]`
            At least one.
        marked : `Sequence[int]`, optional
            The positions of the marked numbers, from 0. Without them there is no `value`.

        # Raises

        `ConfigurationError` if the numbers or the positions are invalid.
        """
        inputs = numpy.zeros((_length_of(numbers), 2), numpy.float32)
        inputs[:, 0] = numbers
        if marked is None:
            return Instance(vector_fields(inputs))
        inputs[_positions(marked, len(inputs)), 1] = 1
        value = numpy.asarray((inputs[:, 0] * inputs[:, 1]).sum())
        return Instance({**vector_fields(inputs), "value": TensorField(value)})


def _length_of(numbers: Sequence[float]) -> int:
    """
    Returns how many numbers there are.

    # Raises

    `ConfigurationError` if they are not a list of finite numbers.
    """
    try:
        values = numpy.asarray(numbers)
        is_list = values.ndim == 1 and len(values) > 0 and values.dtype.kind in "iuf"
    except ValueError:  # lists of unequal length
        is_list = False
    if not is_list or not (numpy.abs(values) <= numpy.finfo(numpy.float32).max).all():
        raise ConfigurationError(
            f"numbers is {str(numbers)[:100]!r}, but must be a list of finite numbers, at least "
            "one, as [0.5, 0.25]."
        )
    return len(values)


def _positions(marked: Sequence[int], length: int) -> List[int]:
    """
    Returns the positions of the marked numbers as a list.

    # Raises

    `ConfigurationError` if a position is not one of the sequence.
    """
    is_list = isinstance(marked, (list, tuple, numpy.ndarray))
    positions = list(marked) if is_list else []
    if not is_list or not all(_is_position(position, length) for position in positions):
        raise ConfigurationError(
            f"marked is {str(marked)[:100]!r}, but must be a list of positions, whole numbers from "
            f"0 to {length - 1}, the last of these {length} numbers."
        )
    return positions


def _is_position(value: Any, length: int) -> bool:
    is_whole = isinstance(value, (int, numpy.integer)) and not isinstance(value, bool)
    return is_whole and 0 <= value < length
