"""Defines what predictors of sentences share: input as text, as words or from a file."""

from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Set, Tuple, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import JsonDict, sanitize
from allennlp.data import DatasetReader, Instance
from allennlp.data.dataset_readers import MultiTaskDatasetReader
from allennlp.data.fields import MetadataField
from allennlp.data.tokenizers import Tokenizer
from allennlp.models import Model

from spigot_allennlp.config_checks import check_choice, check_least
from spigot_allennlp.data.annotated_sentence import AnnotatedSentence
from spigot_allennlp.data.dataset_readers.annotated_tokens import (
    LAYERS as ANNOTATION,
)
from spigot_allennlp.data.dataset_readers.annotated_tokens import (
    NOT_GIVEN,
    WAY_OUT,
    learned_layers,
    warn_once,
)
from spigot_allennlp.data.dataset_readers.sentence_reader import SentenceReader
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.models.parsing_model import (
    CARRIED,
    Decoding,
    check_decoding,
    decoded_by,
    without_gold,
)
from spigot_allennlp.modules.pair_scorer import PairScorer
from spigot_allennlp.nn.length_groups import MOST_TOKENS, length_groups
from spigot_allennlp.predictors.line_predictor import (
    LinePredictor,
    has_simple_values,
    parsed_object,
)
from spigot_allennlp.predictors.sentence_input import LAYERS, check_input
from spigot_allennlp.predictors.word_analysis import WordAnalysis

INPUT = ("json", "text")
ARC_PROBABILITIES = ("head_probabilities", "arc_probabilities", "top_probabilities")
DIGITS = 6  # significant digits: as many as single precision has, so that no small number becomes 0
EXAMPLE = '{"sentence": "We know it ."}'
# For a batch on a device other than the CPU, which needs a large batch to be busy.
MOST_TOKENS_ON_A_DEVICE = 16 * MOST_TOKENS


class LatentChoice(NamedTuple):
    """
    A choice in the middle of a model; the model is trained through it.

    # Parameters

    structure, estimator : `str`
        Their registered names.
    is_tree : `bool`
        Whether the choice is a tree of the sentence; otherwise it is a graph.
    """

    structure: str
    estimator: str
    is_tree: bool


class SentencePredictor(LinePredictor):
    """
    A predictor for sentences. A subclass lists its `output_keys`.

    The input is JSON lines: `{"sentence": "raw text"}`, or `{"words": [...]}` with or without
    `"lemmas"`, `"pos"` and `"tags"` (fine parts of speech); an `"id"` may be added. Anything
    missing comes from the tokenizer; see `WordAnalysis`. With `--use-dataset-reader` the input is a
    file that the model's reader reads.

    # Parameters

    model : `Model`
    dataset_reader : `DatasetReader`
    frozen : `bool`, optional (default = `True`)
    on_error : `str`, optional (default = `"raise"`)
        See `LinePredictor`.
    language : `str`, optional
        See `WordAnalysis`.
    tokenizer : `Union[Tokenizer, Dict[str, Any], str]`, optional
        See `WordAnalysis`.
    pos_feature : `str`, optional (default = `"tag_"`)
        See `WordAnalysis`.
    task : `str`, optional
        For a multitask reader: which of its readers makes instances, and reads the file with
        `--use-dataset-reader` (which then needs no `--multitask-head`).
    input : `str`, optional (default = `"json"`)
        `"json"`, or `"text"` for lines of raw text, one sentence per line.
    max_words : `int`, optional (default = `1000`)
        A longer sentence is an error, because the memory of a parser grows with the square of the
        length. Sentences of similar length go through the model together; such a batch never needs
        more memory than a sentence of this length. `None` means no limit.
    arc_probabilities : `bool`, optional (default = `False`)
        Whether the output has the marginal probability of each arc that the model's parser chose:
        `head_probabilities` for trees; `arc_probabilities` (of the labelled arcs) and
        `top_probabilities` for graphs. They can only be calibrated if the loss was
        "log_likelihood".
    """

    window = 1024
    # The keys of an output, in this order. A model need not provide all of them.
    output_keys: Tuple[str, ...] = ()
    # The task of a multitask reader to use if none is named.
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
        input: str = "json",
        max_words: Optional[int] = 1000,
        arc_probabilities: bool = False,
    ) -> None:
        reader = _reader_of_task(dataset_reader, task, self.default_task)
        super().__init__(model, reader, frozen, on_error)
        check_choice("input", input, INPUT)
        check_least(1, max_words=max_words)
        self._analysis = WordAnalysis(language, tokenizer, pos_feature)
        self._input = input
        self._max_words = max_words
        self.decode_by(Decoding(probabilities=arc_probabilities))

    def decode_by(self, decoding: Decoding) -> None:
        """
        Makes the model's parsers decode this way from now on, when this predictor calls them.

        # Raises

        `ConfigurationError` if they cannot.
        """
        check_decoding(self._model, decoding)
        self._decoding = decoding

    def add_probabilities(self) -> bool:
        """
        Adds the probabilities of arcs to the output from now on, if the model's parsers can compute
        them, and returns whether they can.
        """
        try:
            self.decode_by(self._decoding._replace(probabilities=True))
        except ConfigurationError:
            return False
        return True

    def read(self, path: Any) -> Iterator[Instance]:
        """Yields the instances of a file, with gold annotation, read like development data."""
        yield from self._reader.read(path)

    def latent_choices(self) -> List[LatentChoice]:
        """Returns the choices that the model makes between two of its parts."""
        layers = [part for part in self._model.modules() if isinstance(part, StructuredArgmaxLayer)]
        return [
            LatentChoice(*layer.names(), layer.structure.dimensions == ("dependent", "head"))
            for layer in layers
        ]

    def learned_layers(self) -> Set[str]:
        """Returns the layers of annotation that the model learned from: `"lemmas"`, `"pos"`."""
        if not isinstance(self._reader, SentenceReader):
            return set()
        features = learned_layers(self._reader.token_indexers, self._model.vocab)
        return {ANNOTATION[feature].key for feature in features}

    def missing_layers(self, inputs: JsonDict, output: JsonDict) -> Set[str]:
        """
        Returns those of the `learned_layers` about which nothing is known for a sentence, given its
        input and output: without them the model predicts badly.
        """
        missing = set()
        if "lemmas" not in inputs and not self._analysis.has_lemmas:
            missing.add("lemmas")
        if set(output.get("pos") or [NOT_GIVEN]) == {NOT_GIVEN}:
            missing.add("pos")
        return missing & self.learned_layers()

    def arguments(self, sentence: AnnotatedSentence) -> Dict[str, Any]:
        """Returns the arguments of the reader's `text_to_instance` for a sentence."""
        return {
            "words": sentence.words,
            "lemmas": sentence.lemmas,
            "pos": sentence.pos,
            "tags": sentence.tags,
            "identifier": sentence.identifier,
        }

    def readable(self, output: Dict[str, Any]) -> JsonDict:
        """Returns the part of the model's output that belongs in a prediction, as plain values."""
        readable = {
            key: _plain(output[key]) for key in self.output_keys if output.get(key) is not None
        }
        for key in ARC_PROBABILITIES:
            if key in output:
                readable[key] = list(map(rounded, output[key]))
        return readable

    def predict(self, sentence: str) -> JsonDict:
        """Returns the output for a sentence of raw text."""
        return self.predict_json({"sentence": sentence})

    def predict_words(self, words: List[str], **layers: List[str]) -> JsonDict:
        """Returns the output for words, with `lemmas`, `pos` or `tags` where they are known."""
        return self.predict_json({"words": words, **layers})

    def check(self, inputs: Any) -> None:
        check_input(inputs)

    def parse(self, line: str) -> JsonDict:
        if self._input == "text":
            return {"sentence": line}
        if not line.lstrip().startswith(("{", "[")):
            raise ConfigurationError(
                f"it is not JSON. A line holds one object, such as {EXAMPLE}; for raw text, a "
                'sentence on each line, use --predictor-args \'{"input": "text"}\''
            )
        return parsed_object(line)

    def batches(self, instances: List[Instance]) -> List[List[int]]:
        most_pairs = None if self._max_words is None else self._max_words**2
        is_cpu = all(weights.device.type == "cpu" for weights in self._model.parameters())
        most_tokens = MOST_TOKENS if is_cpu else MOST_TOKENS_ON_A_DEVICE
        return length_groups([_length(instance) for instance in instances], most_tokens, most_pairs)

    def run(self, instances: List[Instance]) -> List[JsonDict]:
        asked = []
        for instance in instances:
            self._check_length(_length(instance))
            self._reader.apply_token_indexers(instance)
            asked.append(without_gold(instance))
        with decoded_by(self._model, self._decoding), _finite_scores(self._model):
            outputs = self._model.forward_on_instances(asked)
        # A model need not return what was known about a sentence beforehand.
        known = [_known_of(instance) for instance in instances]
        return [
            self.readable({**before, **output})
            for before, output in zip(known, outputs, strict=True)
        ]

    def _check_length(self, length: int) -> None:
        if self._max_words is not None and length > self._max_words:
            raise ConfigurationError(
                f"the sentence has {length} words, more than max_words, which is "
                f"{self._max_words}. Divide it; or, if there is memory for it, raise the limit: "
                f"--predictor-args '{{\"max_words\": {length}}}'; in Python "
                f"load(archive, max_words={length})"
            )

    def _json_to_instance(self, json_dict: JsonDict) -> Instance:
        if "sentence" in json_dict:
            sentence = self._analysis.of_text(json_dict["sentence"])
        else:
            sentence = self._analysis.of_words(json_dict["words"])
        layers = {name: json_dict[name] for name in LAYERS if name in json_dict}
        if "pos" in layers or "tags" in layers:
            # Two tag sets would not match; the reader uses either in place of the other.
            layers = {"pos": None, "tags": None, **layers}
        if "lemmas" not in json_dict and not self._analysis.has_lemmas:
            self._warn_of_lemmas()
        identifier = None if "id" not in json_dict else str(json_dict["id"])
        sentence = replace(sentence, identifier=identifier, **layers)
        return self._reader.text_to_instance(**self.arguments(sentence))

    def _warn_of_lemmas(self) -> None:
        if "lemmas" in self.learned_layers():
            warn_once(
                self._model.vocab,
                "lemma_ is guessed",
                "This model learned from lemmas, but nobody makes them here: lower-cased words "
                f"stand for them. {WAY_OUT.format(key='lemmas')}",
            )


def rounded(probability: float) -> float:
    """Rounds a number to the digits of single precision."""
    return float(f"{probability:.{DIGITS}g}")


def _plain(value: Any) -> Any:
    """
    Returns what `sanitize` returns; most values are already plain, and are returned as they are.
    """
    if type(value) is list:
        return value if has_simple_values(value) else list(map(_plain, value))
    return sanitize(value)


def _known_of(instance: Instance) -> Dict[str, Any]:
    """
    Returns what the metadata of an instance say about its sentence, under the keys of outputs.
    """
    metadata = instance.get("metadata")
    known = metadata.metadata if isinstance(metadata, MetadataField) else None
    return {key: known[key] for key in CARRIED if key in known} if isinstance(known, dict) else {}


def _length(instance: Instance) -> int:
    return len(instance["tokens"])  # type: ignore[arg-type]


@contextmanager
def _finite_scores(model: Model) -> Iterator[None]:
    """
    Checks all scores of pairs of words while the model runs. The best tree under scores that are
    not numbers is not a tree, but it looks like an empty one.

    # Raises

    `ArithmeticError` that names the weights that are not finite, if any.
    """
    sums: List[torch.Tensor] = []
    scorers = [part for part in model.modules() if isinstance(part, PairScorer)]
    handles = [
        part.register_forward_hook(lambda *call: sums.append(call[2].sum())) for part in scorers
    ]
    try:
        yield
    except Exception as error:
        if isinstance(error, ArithmeticError) or not _all_finite(sums):
            raise ArithmeticError(_what_is_not_finite(model)) from error
        raise
    finally:
        for handle in handles:
            handle.remove()
    if not _all_finite(sums):
        raise ArithmeticError(_what_is_not_finite(model))


def _all_finite(sums: List[torch.Tensor]) -> bool:
    return all(bool(total.isfinite()) for total in sums)


def _what_is_not_finite(model: Model) -> str:
    for name, weights in model.named_parameters():
        if not bool(weights.isfinite().all()):
            return (
                f"the model's scores are not finite numbers, since its weights {name} are not. Use "
                "an earlier checkpoint (--weights-file), or train it again"
            )
    return "the model's scores are not finite numbers, though its weights are"


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
            f'{task!r}. Name one of them: --predictor-args \'{{"task": "..."}}\', in Python '
            'load(archive, task="..."); or use the '
            "validation reader, if that is a plain one."
        )
    return reader.readers[chosen].inner
