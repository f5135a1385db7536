"""Defines what all our predictors share: each line has an output, or an error in its place."""

import json
import logging
import math
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, Union, cast

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import JsonDict, SigTermReceived
from allennlp.data import DatasetReader, Instance
from allennlp.data.fields import MetadataField
from allennlp.models import Model
from allennlp.predictors import Predictor

from spigot_allennlp.compat.plain_errors import plain_error
from spigot_allennlp.config_checks import check_choice
from spigot_allennlp.data.dataset_readers.sentence_reader import SentenceReader
from spigot_allennlp.data.errors import MalformedInputError

logger = logging.getLogger(__name__)

ON_ERROR = ("raise", "report")
_SIMPLE = frozenset((str, int))
SHOWN = 500  # how many characters of a line or an error are shown

# Errors in the input: their message is all that the user needs.
OF_THE_INPUT = (ConfigurationError, MalformedInputError)

Result = Union[JsonDict, Exception]


class InputLine(dict):
    """The object in a line of input, with the number of the line, from 1, and its text."""

    def __init__(self, inputs: JsonDict, number: int, text: str) -> None:
        super().__init__(inputs)
        self.number = number
        self.text = text


class ReportedError(dict):
    """Replaces an output: `error`, and, if known, `line` and `input`."""


class LinePredictor(Predictor):
    """
    A predictor that has an output for each line of input. Whatever goes wrong with a line (in its
    text, the tokenizer, the reader or the model), the other lines of its batch get their outputs.

    A subclass implements `check`, `_json_to_instance` and `run`.

    # Parameters

    model : `Model`
    dataset_reader : `DatasetReader`
    frozen : `bool`, optional (default = `True`)
    on_error : `str`, optional (default = `"raise"`)
        What to do with a line of input for which nothing can be predicted. `"raise"` ends the run
        and names the line and the reason; `allennlp predict` has then written the batches before
        that line's. `"report"` logs the error and continues. The output then has
        `{"line": ..., "error": ..., "input": ...}` in place of that line's, so input and output
        still match. For a file read with `--use-dataset-reader`, it has `{"error": ...}` in place
        of each sentence that cannot be read; the error names file and line. Damage that hides how
        much is missing always ends the run.
    """

    # `allennlp predict` should decode a line by this rule: bytes that are not UTF-8 become
    # surrogates, so that `load_line` can recognise them.
    decoding_errors = "surrogateescape"
    # `allennlp predict` should read this many lines from a file at once, if it is more than its
    # --batch-size; `None` leaves this to --batch-size. A predictor that chooses its own `batches`
    # needs many.
    window: Optional[int] = None
    # Whether reported errors are logged, too.
    logs_errors = True

    def __init__(
        self,
        model: Model,
        dataset_reader: DatasetReader,
        frozen: bool = True,
        on_error: str = "raise",
    ) -> None:
        super().__init__(model, dataset_reader, frozen)
        check_choice("on_error", on_error, ON_ERROR)
        self._on_error = on_error
        self._num_lines = 0
        self._reader = dataset_reader
        if on_error == "report" and isinstance(dataset_reader, SentenceReader):
            self._dataset_reader = ReportingReader(dataset_reader)

    def check(self, inputs: Any) -> None:
        """
        # Raises

        `ConfigurationError` if nothing can be predicted for `inputs`, the JSON object of a line.
        """
        raise NotImplementedError

    def run(self, instances: List[Instance]) -> List[JsonDict]:
        """Returns the outputs of a batch, as plain values."""
        raise NotImplementedError

    def batches(self, instances: List[Instance]) -> List[List[int]]:
        """
        Returns the batches that go through the model, as positions in `instances`: by default all
        at once.
        """
        return [list(range(len(instances)))]

    def parse(self, line: str) -> JsonDict:
        """Returns the JSON object of a line, which is known to be UTF-8."""
        return parsed_object(line)

    def load_line(self, line: str) -> JsonDict:
        """
        Returns the input in a line. Lines are counted as `allennlp predict` passes them, without
        blank lines.

        # Raises

        `ConfigurationError` if the line holds no valid input and `on_error` is `"raise"`.
        """
        self._num_lines += 1
        text = line.rstrip("\r\n")
        try:
            check_utf8(text)
            inputs = self.parse(text)
            self.check(inputs)
        except SigTermReceived:
            raise
        except Exception as error:
            return self._failed(error, InputLine({}, self._num_lines, text))
        return InputLine(inputs, self._num_lines, text)

    def dump_line(self, outputs: JsonDict) -> str:
        return json.dumps(outputs, allow_nan=False) + "\n"

    def predict_json(self, inputs: JsonDict) -> JsonDict:
        return self.predict_batch_json([inputs])[0]

    def predict_batch_json(self, inputs: List[JsonDict]) -> List[JsonDict]:
        """
        Returns an output for each input, in order; errors reported by `load_line` are passed on.
        """
        return [
            self._failed(result, line) if isinstance(result, Exception) else result
            for line, result in zip(inputs, self.attempt_batch_json(inputs), strict=True)
        ]

    def attempt_batch_json(self, inputs: List[JsonDict]) -> List[Result]:
        """Returns an output for each input, in order, or the error that occurred."""
        results: List[Optional[Result]] = [None] * len(inputs)
        instances: Dict[int, Instance] = {}
        for position, line in enumerate(inputs):
            if isinstance(line, ReportedError):
                results[position] = line
                continue
            try:
                if not isinstance(line, InputLine):  # otherwise `load_line` has checked it
                    check_is_object(line)
                    self.check(line)
                instances[position] = self._json_to_instance(line)
            except SigTermReceived:
                raise
            except Exception as error:
                results[position] = error
        predicted = self._results(list(instances.values()))
        for position, result in zip(instances, predicted, strict=True):
            results[position] = result
        return cast(List[Result], results)

    def predict_instance(self, instance: Instance) -> JsonDict:
        return self.predict_batch_instance([instance])[0]

    def predict_batch_instance(self, instances: List[Instance]) -> List[JsonDict]:
        """Returns an output for each instance, in order."""
        sound = [instance for instance in instances if not is_error(instance)]
        results = iter(self._results(sound))
        outputs: List[JsonDict] = []
        for instance in instances:
            if is_error(instance):
                error = instance["error"].metadata  # type: ignore[attr-defined]
                outputs.append(self._failed(error, None))
                continue
            result = next(results)
            failed = isinstance(result, Exception)
            outputs.append(self._failed(result, instance) if failed else result)  # type: ignore
        return outputs

    def _results(self, instances: List[Instance]) -> List[Result]:
        """Returns the output of each instance, or the error that occurred."""
        if not instances:
            return []
        results: Dict[int, Result] = {}
        for batch in self.batches(instances):
            attempts = self._attempt([instances[position] for position in batch])
            results.update(zip(batch, attempts, strict=True))
        return [results[position] for position in range(len(instances))]

    def _attempt(self, batch: List[Instance]) -> List[Result]:
        """Runs a batch; if it fails, runs each instance separately."""
        try:
            return [_checked(output) for output in self.run(batch)]
        except SigTermReceived:
            raise
        except Exception as error:
            if len(batch) == 1:
                if self._on_error == "report":
                    error.__traceback__ = None  # it would keep the tensors of the failed run
                return [error]
        # Only here, after the error and the memory that it held are gone.
        return [result for instance in batch for result in self._attempt([instance])]

    def _failed(self, error: Exception, source: Union[InputLine, Instance, Any]) -> ReportedError:
        """Raises the error, with its place, or reports it."""
        reason = shown(reason_of(error))
        place, known = _place_of(source)
        if self._on_error == "raise":
            if not place:
                raise error
            line = f" The line is {known['input']!r}." if "input" in known else ""
            message = f"{place}: {reason.rstrip('.')}.{line}"
            is_of_input = isinstance(error, OF_THE_INPUT) or is_of_memory(error)
            raise (plain_error if is_of_input else ConfigurationError)(message) from error
        if self.logs_errors:
            logger.error("%s%s", f"{place}: " if place else "", reason)
        first = {"line": known.pop("line")} if "line" in known else {}
        return ReportedError({**first, "error": reason, **known})


class ReportingReader(DatasetReader):
    """
    A reader that yields an instance with an `error` in place of each sentence that cannot be read,
    so there are as many instances as sentences.
    """

    def __init__(self, inner: SentenceReader) -> None:
        super().__init__(max_instances=inner.max_instances)
        self.inner = inner

    def _read(self, file_path: Any) -> Iterator[Instance]:
        for result in self.inner.instances_and_errors(file_path):
            if isinstance(result, Exception):
                yield Instance({"error": MetadataField(result)})
            else:
                yield result

    def text_to_instance(self, *arguments: Any, **named_arguments: Any) -> Instance:
        return self.inner.text_to_instance(*arguments, **named_arguments)

    def apply_token_indexers(self, instance: Instance) -> None:
        if not is_error(instance):
            self.inner.apply_token_indexers(instance)


def is_error(instance: Instance) -> bool:
    """Returns whether an instance stands for a sentence that could not be read."""
    return "error" in instance.fields


def parsed_object(line: str) -> JsonDict:
    """
    # Raises

    `ConfigurationError` if `line` is not a single JSON object with unique keys.
    """
    try:
        value = json.loads(line, object_pairs_hook=_unique_keys)
    except RecursionError as error:
        raise ConfigurationError("its JSON is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"it is not JSON: {error}") from error
    except ValueError as error:
        raise ConfigurationError(f"it holds a number that is too long: {error}") from error
    check_is_object(value)
    return value


def check_is_object(value: Any) -> None:
    """
    # Raises

    `ConfigurationError` if a JSON value is not an object.
    """
    if not isinstance(value, dict):
        raise ConfigurationError(f"a JSON object is needed, not {shown(repr(value))}")


def _unique_keys(pairs: List[Tuple[str, Any]]) -> JsonDict:
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ConfigurationError(f'the key "{shown(key)}" stands in it twice')
    return dict(pairs)


def check_utf8(text: str, name: str = "the line") -> None:
    """
    # Raises

    `ConfigurationError` if `text` holds an unpaired surrogate, as after a cut within an emoji, or
    after decoding bytes that are not UTF-8.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        character = text[error.start]
        place = f"character {error.start + 1} of {name}"
        if "\udc80" <= character <= "\udcff":
            raise ConfigurationError(
                f"{place} is the byte {ord(character) - 0xDC00:#x}, which is not UTF-8 there. "
                "Convert the file: iconv -f LATIN1 -t UTF-8 FILE > NEW_FILE"
            ) from None
        raise ConfigurationError(
            f"{place} is {character!r}, half of a character (of an emoji that was cut, say), which "
            "no encoding has. Take it out, or restore the other half"
        ) from None


def shown(text: str) -> str:
    """
    Returns the part of a text that is shown, with escapes for characters that cannot be encoded.
    """
    cut = text[:SHOWN].encode("utf-8", "backslashreplace").decode("utf-8")
    return cut if len(text) <= SHOWN else f"{cut}... ({len(text)} characters)"


def is_of_memory(error: Exception) -> bool:
    """Returns whether an error is about too little memory."""
    is_of_torch = isinstance(error, RuntimeError) and "you tried to allocate" in str(error)
    return is_of_torch or isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError))


def reason_of(error: Exception) -> str:
    """Returns what went wrong with an input, without naming its place."""
    if isinstance(error, OF_THE_INPUT):
        return str(error)
    if is_of_memory(error):
        return f"it takes more memory than there is: {error}"
    return f"{type(error).__name__}: {error}"


def _place_of(source: Any) -> Tuple[str, Dict[str, Any]]:
    """
    Returns where an input comes from, in words, and what an error says about it, as far as known.
    """
    if isinstance(source, InputLine):
        place = f"Line {source.number} of the input (blank lines not counted)"
        return place, {"line": source.number, "input": shown(source.text)}
    if isinstance(source, Instance):
        metadata = source["metadata"].metadata if "metadata" in source.fields else None  # type: ignore
        known = metadata if isinstance(metadata, dict) else {}
        known = {key: known[key] for key in ("id", "source") if known.get(key) is not None}
        return " ".join(map(str, reversed(list(known.values())))), known
    return "", {} if source is None else {"input": shown(str(source))}


def _checked(output: JsonDict) -> JsonDict:
    """
    # Raises

    `ArithmeticError` if a number in the output is not finite: JSON has no such numbers.
    """
    for key, value in output.items():
        if not _is_finite(value):
            raise ArithmeticError(f'"{key}" is not finite, but {shown(str(value))}')
    return output


def _is_finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if not isinstance(value, (list, tuple)) or has_simple_values(value):
        return True
    return all(map(_is_finite, value))


def has_simple_values(values: Sequence[Any]) -> bool:
    """Returns whether all values are strings or whole numbers. This is a quick check for a list."""
    return _SIMPLE.issuperset(map(type, values))
