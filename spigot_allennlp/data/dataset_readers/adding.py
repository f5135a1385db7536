"""The adding problem: the sum of two marked numbers among very many."""

from typing import Any, Dict, Optional, Sequence

import numpy
from allennlp.data import DatasetReader, Instance
from allennlp.data.fields import TensorField

from spigot_allennlp.config_checks import check_least
from spigot_allennlp.data.dataset_readers.sequence_reader import SequenceReader


@DatasetReader.register("adding")
class AddingReader(SequenceReader):
    """
    Generates sequences of numbers between zero and one. Two are marked, one in each half. Their sum
    is the value to predict at the end ([Hochreiter & Schmidhuber,
    1997](https://doi.org/10.1162/neco.1997.9.8.1735)). The constant prediction 1 has a mean squared
    error of 1/6.

    The fields are `inputs`, shape `(length, 2)`, number and mark, and `value`, the sum. A data path
    is `"synthetic:size=20000,seed=1"`; `"synthetic:size=500,seed=3,length=400"` overrides the
    length in the config.

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
        marked : `Sequence[int]`, optional
            The positions of the marked numbers, from 0.
        """
        inputs = numpy.zeros((len(numbers), 2), numpy.float32)
        inputs[:, 0] = numbers
        inputs[list(marked or ()), 1] = 1
        value = numpy.asarray((inputs[:, 0] * inputs[:, 1]).sum())
        return Instance({"inputs": TensorField(inputs), "value": TensorField(value)})
