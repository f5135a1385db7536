"""What our predictors have in common: sentences in, by text, by words or from a file."""

import json
import logging
from dataclasses import replace
from typing import Any, Dict, List, Optional, Tuple, Union

from allennlp.common.checks import ConfigurationError
from allennlp.common.util import JsonDict, sanitize
from allennlp.data import DatasetReader, Instance
from allennlp.data.dataset_readers import MultiTaskDatasetReader
from allennlp.data.tokenizers import Tokenizer
from allennlp.models import Model
from allennlp.predictors import Predictor

from spigot_allennlp.data.annotated_sentence import AnnotatedSentence
from spigot_allennlp.predictors.sentence_input import LAYERS, check_input
from spigot_allennlp.predictors.word_analysis import WordAnalysis

logger = logging.getLogger(__name__)

ON_ERROR = ("raise", "report")


class SentencePredictor(Predictor):
    """
    A predictor that is asked a sentence at a time. A subclass names its `output_keys`.

    The input is JSON lines: `{"sentence": "raw text"}`, or `{"words": [...]}` with or without
    `"lemmas"`, `"pos"` and `"tags"` (fine parts of speech); an `"id"` may be added. What is missing
    comes from the tokenizer, as `WordAnalysis` tells. With `--use-dataset-reader` the input is a
    file that the model's reader reads.

    # Parameters

    model : `Model`
    dataset_reader : `DatasetReader`
    frozen : `bool`, optional (default = `True`)
    on_error : `str`, optional (default = `"raise"`)
        What to do with a line of input that cannot be understood. `"raise"` ends the run, naming
        the line and the key; `allennlp predict` has then written the batches before that line's.
        `"report"` logs the error and goes on; the output has `{"line": ..., "error": ...,
        "input": ...}` in the place of that sentence, so that input and output still match.
    language : `str`, optional
        See `WordAnalysis`.
    tokenizer : `Union[Tokenizer, Dict[str, Any], str]`, optional
        See `WordAnalysis`.
    pos_feature : `str`, optional (default = `"tag_"`)
        See `WordAnalysis`.
    task : `str`, optional
        If the reader is a multitask one: which of its readers is to make instances, and to read a
        file under `--use-dataset-reader` (which then needs no `--multitask-head`).
    """

    # What there is to say of a sentence, in this order. A model need not make everything.
    output_keys: Tuple[str, ...] = ()
    # The task of a multitask reader that is meant where it has it, and none is named.
    default_task: Optional[str] = None

    def __init__(
        self,
        model: Model,
        dataset_reader: DatasetReader,
        frozen: bool = True,
        on_error: str = "raise",
        language: Optional[str] = None,
        tokenizer: Optional[Union[Tokenizer, Dict[str, Any], str]] = None,
        pos_feature: str = "tag_",
        task: Optional[str] = None,
    ) -> None:
        reader = _reader_of_task(dataset_reader, task, self.default_task)
        super().__init__(model, reader, frozen)
        if on_error not in ON_ERROR:
            raise ConfigurationError(f"on_error must be one of {ON_ERROR}, not {on_error!r}.")
        self._analysis = WordAnalysis(language, tokenizer, pos_feature)
        self._on_error = on_error
        self._num_lines = 0

    def arguments(self, sentence: AnnotatedSentence) -> Dict[str, Any]:
        """What the reader's `text_to_instance` is given of a sentence."""
        return vars(sentence)

    def readable(self, output: Dict[str, Any]) -> JsonDict:
        """The part of the model's output for a sentence that is handed on, as plain values."""
        return {
            key: sanitize(output[key]) for key in self.output_keys if output.get(key) is not None
        }

    def predict(self, sentence: str) -> JsonDict:
        """The output for one sentence of raw text."""
        return self.predict_json({"sentence": sentence})

    def predict_words(self, words: List[str], **layers: List[str]) -> JsonDict:
        """For one sentence of words, with `lemmas`, `pos` or `tags` where they are known."""
        return self.predict_json({"words": words, **layers})

    def load_line(self, line: str) -> JsonDict:
        """
        The input that a line holds. Lines are counted as `allennlp predict` hands them in: without
        the blank ones.

        # Raises

        `ConfigurationError` if it is none, and `on_error` is `"raise"`.
        """
        self._num_lines += 1
        try:
            inputs = json.loads(line)
            check_input(inputs)
        except (json.JSONDecodeError, ConfigurationError) as error:
            message = f"Line {self._num_lines} of the input (blank lines not counted): {error}"
            if self._on_error == "raise":
                raise ConfigurationError(f"{message}. The line is {line.strip()!r}.") from error
            logger.error(message)
            return {"line": self._num_lines, "error": str(error), "input": line.rstrip("\n")}
        return inputs

    def predict_json(self, inputs: JsonDict) -> JsonDict:
        return self.predict_batch_json([inputs])[0]

    def predict_batch_json(self, inputs: List[JsonDict]) -> List[JsonDict]:
        """One output for each input, in their order; what `load_line` reported stays as it is."""
        instances = [self._json_to_instance(one) for one in inputs if "error" not in one]
        outputs = iter(self.predict_batch_instance(instances))
        return [one if "error" in one else next(outputs) for one in inputs]

    def predict_instance(self, instance: Instance) -> JsonDict:
        return self.predict_batch_instance([instance])[0]

    def predict_batch_instance(self, instances: List[Instance]) -> List[JsonDict]:
        if not instances:
            return []
        for instance in instances:
            self._dataset_reader.apply_token_indexers(instance)
        return [self.readable(output) for output in self._model.forward_on_instances(instances)]

    def _json_to_instance(self, json_dict: JsonDict) -> Instance:
        check_input(json_dict)
        if "sentence" in json_dict:
            sentence = self._analysis.of_text(json_dict["sentence"])
        else:
            sentence = self._analysis.of_words(json_dict["words"])
        given = {name: json_dict[name] for name in LAYERS if name in json_dict}
        if "pos" in given or "tags" in given:
            # Two tag sets would not go together; the reader takes either for the other.
            given = {"pos": None, "tags": None, **given}
        identifier = None if "id" not in json_dict else str(json_dict["id"])
        sentence = replace(sentence, identifier=identifier, **given)
        return self._dataset_reader.text_to_instance(**self.arguments(sentence))


def _reader_of_task(
    reader: DatasetReader, task: Optional[str], default: Optional[str]
) -> DatasetReader:
    if not isinstance(reader, MultiTaskDatasetReader):
        if task is not None:
            raise ConfigurationError(
                f"task is {task!r}, but the dataset reader is no multitask one. Leave task out."
            )
        return reader
    chosen = default if task is None else task
    if chosen not in reader.readers:
        raise ConfigurationError(
            f"The dataset reader is a multitask one, of {sorted(reader.readers)}, and task is "
            f'{task!r}. Name one of them: --predictor-args \'{{"task": "..."}}\'; or use the '
            "validation reader, if that is a plain one."
        )
    return reader.readers[chosen].inner
