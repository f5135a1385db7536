"""From text, words or whole files to trees and semantic graphs, in JSON or SDP."""

import json
import logging
from dataclasses import replace
from typing import Any, Dict, List, Optional, Union

from allennlp.common.checks import ConfigurationError
from allennlp.common.util import JsonDict, sanitize
from allennlp.data import DatasetReader, Instance
from allennlp.data.dataset_readers import MultiTaskDatasetReader
from allennlp.data.tokenizers import Tokenizer
from allennlp.models import Model
from allennlp.predictors import Predictor

from spigot_allennlp.predictors.parser_input import LAYERS, check_input
from spigot_allennlp.predictors.sdp_output import SdpOutput
from spigot_allennlp.predictors.word_analysis import WordAnalysis

logger = logging.getLogger(__name__)

# What there is to say of a sentence, in this order. A model need not make everything.
OUTPUT_KEYS = ("id", "words", "lemmas", "pos", "heads", "relations", "arcs", "tops")
ON_ERROR = ("raise", "report")


@Predictor.register("parser")
class ParserPredictor(Predictor):
    """
    Parses sentences with any of our parsers.

    The input is JSON lines: `{"sentence": "raw text"}`, or `{"words": [...]}` with or without
    `"lemmas"`, `"pos"` and `"tags"` (fine parts of speech); an `"id"` may be added. What is missing
    comes from the tokenizer, as `WordAnalysis` tells. With `--use-dataset-reader` the input is a
    file that the model's reader reads. Should the reader look for trees (in a companion, say) that
    are not there, add `--overrides '{"validation_dataset_reader.trees": false}'`, or
    `dataset_reader` where there is no other for validation: parsing does without.

    The output has, per sentence, `id`, `words`, `lemmas` and `pos`; of a parser of trees `heads`
    (0 is the root) and `relations`; of a parser of graphs `arcs`, as `[predicate, argument, role]`,
    and `tops`. Positions count from 1. What a model does not make, or nobody knows, is left out.

    To write SDP instead:

    ```
    allennlp predict ARCHIVE INPUT --silent --output-file OUT --predictor-args '{"output": "sdp"}'
    ```

    Registered as a `Predictor` with name "parser".

    # Parameters

    model : `Model`
    dataset_reader : `DatasetReader`
    frozen : `bool`, optional (default = `True`)
    output : `str`, optional (default = `"json"`)
        What `dump_line` writes: `"json"`, one line a sentence; or a layout of SDP: `"sdp"` (that of
        2015), `"sdp2014"` or `"sdp_augmented"`, which has the tree, too. A predictor writes the
        header of SDP 2015 once, so it makes one file.
    on_error : `str`, optional (default = `"raise"`)
        What to do with a line of input that cannot be understood. `"raise"` ends the run, naming
        the line and the key; `allennlp predict` has then written the batches before that line's.
        `"report"` logs the error and goes on; JSON output has `{"line": ..., "error": ...,
        "input": ...}` in the place of that sentence, so that input and output still match. SDP
        cannot say so, and leaves it out.
    language : `str`, optional
        See `WordAnalysis`.
    tokenizer : `Union[Tokenizer, Dict[str, Any], str]`, optional
        See `WordAnalysis`.
    pos_feature : `str`, optional (default = `"tag_"`)
        See `WordAnalysis`.
    task : `str`, optional
        If the reader is a multitask one: which of its readers is to make instances.
    """

    def __init__(
        self,
        model: Model,
        dataset_reader: DatasetReader,
        frozen: bool = True,
        output: str = "json",
        on_error: str = "raise",
        language: Optional[str] = None,
        tokenizer: Optional[Union[Tokenizer, Dict[str, Any], str]] = None,
        pos_feature: str = "tag_",
        task: Optional[str] = None,
    ) -> None:
        super().__init__(model, dataset_reader, frozen)
        if on_error not in ON_ERROR:
            raise ConfigurationError(f"on_error must be one of {ON_ERROR}, not {on_error!r}.")
        self._sentence_reader = _sentence_reader(dataset_reader, task)
        self._analysis = WordAnalysis(language, tokenizer, pos_feature)
        self._sdp = None if output == "json" else SdpOutput(output)
        self._on_error = on_error
        self._num_lines = 0

    def predict(self, sentence: str) -> JsonDict:
        """Parses one sentence of raw text."""
        return self.predict_json({"sentence": sentence})

    def predict_words(self, words: List[str], **layers: List[str]) -> JsonDict:
        """Parses one sentence of words, with `lemmas`, `pos` or `tags` where they are known."""
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

    def dump_line(self, outputs: JsonDict) -> str:
        if self._sdp is None:
            return super().dump_line(outputs)
        return "" if "error" in outputs else self._sdp.text(outputs)

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
            self._sentence_reader.apply_token_indexers(instance)
        return [
            {key: sanitize(output[key]) for key in OUTPUT_KEYS if output.get(key) is not None}
            for output in self._model.forward_on_instances(instances)
        ]

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
        return self._sentence_reader.text_to_instance(
            **vars(replace(sentence, identifier=identifier, **given))
        )


def _sentence_reader(reader: DatasetReader, task: Optional[str]) -> DatasetReader:
    if not isinstance(reader, MultiTaskDatasetReader):
        if task is not None:
            raise ConfigurationError(
                f"task is {task!r}, but the dataset reader is no multitask one. Leave task out."
            )
        return reader
    if task not in reader.readers:
        raise ConfigurationError(
            f"The dataset reader is a multitask one, of {sorted(reader.readers)}, and task is "
            f'{task!r}. Name one of them: --predictor-args \'{{"task": "..."}}\'; or use the '
            "validation reader, if that is a plain one."
        )
    return reader.readers[task].inner
