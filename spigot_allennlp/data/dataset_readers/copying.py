"""The copying problem: remember ten symbols over a long delay."""

from typing import Any, Dict, Optional, Sequence

import numpy
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance
from allennlp.data.fields import SequenceLabelField, TensorField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer

from spigot_allennlp.config_checks import check_least
from spigot_allennlp.data.dataset_readers.sequence_reader import SequenceReader, shared_token

BLANK, MARKER = "0", "9"
SYMBOLS = tuple("12345678")


@DatasetReader.register("copying")
class CopyingReader(SequenceReader):
    """
    Generates sequences of `num_symbols` symbols out of eight, `delay - 1` blanks, a marker, and as
    many blanks as there were symbols. At the last blanks, the symbols must be repeated in order
    ([Hochreiter & Schmidhuber, 1997](https://doi.org/10.1162/neco.1997.9.8.1735); in this form
    [Arjovsky et al., 2016](https://arxiv.org/abs/1511.06464)). A sequence has
    `delay + 2 * num_symbols` steps.

    The fields are `tokens`, the input; `labels`, the output of every step, blank before the last
    ones; and `scored`, which marks the last ones. A data path is `"synthetic:size=20000,seed=1"`,
    and `"synthetic:size=500,seed=3,delay=400"` overrides the delay in the config, so that a model
    can be evaluated with another delay.

    Registered as a `DatasetReader` with name "copying".

    # Parameters

    delay : `int`, optional (default = `100`)
        T in the papers.
    num_symbols : `int`, optional (default = `10`)
    """

    _least_settings = {"delay": 1, "num_symbols": 1}

    def __init__(self, delay: int = 100, num_symbols: int = 10, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_least(1, delay=delay, num_symbols=num_symbols)
        self._defaults = {"delay": delay, "num_symbols": num_symbols}
        self._indexers = {"tokens": SingleIdTokenIndexer()}

    def _generate(self, random: numpy.random.Generator, settings: Dict[str, int]) -> Dict[str, Any]:
        settings = {**self._defaults, **settings}
        numbers = random.integers(1, len(SYMBOLS) + 1, settings["num_symbols"])
        return {"symbols": [str(number) for number in numbers], "delay": settings["delay"]}

    def text_to_instance(  # type: ignore[override]
        self, symbols: Sequence[str], delay: Optional[int] = None
    ) -> Instance:
        """
        Returns the instance of a sequence.

        # Parameters

        symbols : `Sequence[str]`
            The symbols to remember, each from "1" to "8".
        delay : `int`, optional (default = that of the reader)
            At least 1.

        # Raises

        `ConfigurationError` if a symbol or the delay is invalid.
        """
        delay = self._defaults["delay"] if delay is None else delay
        if not isinstance(symbols, (str, list, tuple)):
            raise ConfigurationError(
                f'symbols is {str(symbols)[:100]!r}, but must be a list of texts, as ["3", "1"].'
            )
        others = [symbol for symbol in symbols if symbol not in SYMBOLS]
        if others:
            raise ConfigurationError(
                f'symbols has {str(others[0])[:100]!r}, but may have the texts "1" to "8" alone.'
            )
        if type(delay) is not int or delay < 1:
            raise ConfigurationError(
                f"delay is {str(delay)[:100]!r}, but must be a whole number from 1 on."
            )
        number = len(symbols)
        inputs = [*symbols, *[BLANK] * (delay - 1), MARKER, *[BLANK] * number]
        tokens = TextField([shared_token(symbol) for symbol in inputs])
        labels = [*[BLANK] * (delay + number), *symbols]
        scored = numpy.arange(len(inputs)) >= delay + number
        return Instance(
            {
                "tokens": tokens,
                "labels": SequenceLabelField(labels, tokens),
                "scored": TensorField(scored, padding_value=False),
            }
        )

    def apply_token_indexers(self, instance: Instance) -> None:
        instance["tokens"].token_indexers = self._indexers  # type: ignore[attr-defined]
