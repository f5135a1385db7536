"""A loaded parser, for use in Python: `spigot_allennlp.load(archive).parse(text)`."""

from os import PathLike
from typing import Any, Dict, Iterable, Iterator, List, Sequence, Union, overload

from allennlp.common.checks import ConfigurationError, check_for_gpu
from allennlp.models import load_archive
from allennlp.predictors import Predictor

from spigot_allennlp.compat.plain_errors import plain_error
from spigot_allennlp.compat.predictors import (
    check_options,
    plain_errors_of_options,
    predictor_name_of,
)
from spigot_allennlp.named_archives import find_archive
from spigot_allennlp.parses.parse import Parse
from spigot_allennlp.predictors.line_predictor import reason_of, shown
from spigot_allennlp.predictors.sentence_predictor import SentencePredictor

#: A sentence: its text; its tokens; or a dictionary, as in a line of `allennlp predict`.
Sentence = Union[str, Sequence[str], Dict[str, Any]]

#: Options about reading and writing lines, which a `SentenceParser` does not do.
OPTIONS_OF_LINES = frozenset(("on_error", "input", "output"))

#: The default predictors of models whose input is a sentence.
SENTENCE_PREDICTORS = ("parser", "sentiment")


class SentenceParser:
    """
    Parses sentences with a trained model.

    # Parameters

    predictor : `SentencePredictor`
        The predictor of the model.
    """

    def __init__(self, predictor: SentencePredictor) -> None:
        self.predictor = predictor

    @overload
    def parse(self, sentences: Union[str, Dict[str, Any]]) -> Parse: ...

    @overload
    def parse(self, sentences: Sequence[Any]) -> Union[Parse, List[Parse]]: ...

    def parse(self, sentences: Any) -> Union[Parse, List[Parse]]:
        """
        Parses a sentence, or several.

        # Parameters

        sentences : `Union[Sentence, List[Sentence]]`
            A text, `"We know it ."`; or the tokens of a sentence, `["We", "know", "it", "."]`; or a
            dictionary, `{"words": [...], "pos": [...]}`, with everything known about it (`lemmas`,
            `tags`, `id`); or a list of these. A list of strings is taken for the tokens of a
            sentence, unless all of them contain white space, as texts usually do and tokens do not.

        # Returns

        `Union[Parse, List[Parse]]`
            A parse for a sentence, a list of parses for a list.

        # Raises

        `ConfigurationError`, with the number of the sentence, from 1, if it cannot be parsed, or if
        it is unclear whether the strings are tokens or texts. `ValueError` if the model's output
        has no words.
        """
        if isinstance(sentences, (str, dict)) or not isinstance(sentences, Iterable):
            return next(self.parse_all([sentences]))
        sentences = list(sentences)
        if not sentences or not all(isinstance(sentence, str) for sentence in sentences):
            return list(self.parse_all(sentences))
        have_space = [len(sentence.split()) > 1 for sentence in sentences]
        if all(have_space):
            return list(self.parse_all(sentences))
        if any(have_space):
            text = sentences[have_space.index(True)]
            raise ConfigurationError(
                f"Some strings of the list have white space within, as {text!r}, and some have "
                'not. If they are the tokens of a sentence, write {"words": [...]}; if they are '
                "texts, parse_all([...])."
            )
        return next(self.parse_all([sentences]))

    def parse_all(self, sentences: Iterable[Sentence]) -> Iterator[Parse]:
        """
        Parses any number of sentences, and yields a parse for each, in order. They are read about a
        thousand at a time, and sentences of similar length go through the model together. Here a
        string is the text of a sentence, and a list of strings is its tokens.

        # Raises

        `ConfigurationError`, with the number of the sentence, from 1, if it cannot be parsed for
        any reason; the parses of all sentences before it have been yielded. `ValueError` if the
        model's output has no words.
        """
        window: Dict[int, Dict[str, Any]] = {}  # by the number of the sentence
        for number, sentence in enumerate(sentences, start=1):
            try:
                window[number] = self._checked_input(sentence, number)
            except ConfigurationError:
                yield from self._parses(window)
                raise
            if len(window) == self.predictor.window:
                yield from self._parses(window)
                window = {}
        yield from self._parses(window)

    def _parses(self, window: Dict[int, Dict[str, Any]]) -> Iterator[Parse]:
        results = self.predictor.attempt_batch_json(list(window.values()))
        for number, result in zip(window, results, strict=True):
            if isinstance(result, Exception):
                reason = shown(reason_of(result)).rstrip(".")
                raise ConfigurationError(f"Sentence {number}: {reason}.") from result
            yield Parse.from_output(result)

    def _checked_input(self, sentence: Any, number: int) -> Dict[str, Any]:
        """Returns a sentence in the form of a line of `allennlp predict`."""
        inputs = sentence
        if isinstance(sentence, str):
            inputs = {"sentence": sentence}
        elif not isinstance(sentence, dict):
            try:
                inputs = {"words": list(sentence)}
            except TypeError:
                kind = type(sentence).__name__
                raise ConfigurationError(
                    f"Sentence {number} is of type {kind}. Give a text, a list of tokens, or a "
                    'dictionary such as {"words": ["We", "know"], "pos": ["PRP", "VBP"]}.'
                ) from None
        try:
            self.predictor.check(inputs)
        except ConfigurationError as error:
            raise ConfigurationError(f"Sentence {number}: {error}.") from error
        return inputs


def load_parser(
    archive: Union[str, "PathLike[str]"],
    cuda_device: int = -1,
    overrides: Union[str, Dict[str, Any]] = "",
    **options: Any,
) -> SentenceParser:
    """
    Returns the parser in an archive.

    # Parameters

    archive : `Union[str, PathLike]`
        A `model.tar.gz`, the folder of a training run, or a name of the index (see `find_archive`).
        The model is a parser or a classifier of sentences. Classes from your own packages have to
        be imported first.
    cuda_device : `int`, optional (default = `-1`)
        The number of a GPU; -1 is the CPU.
    overrides : `Union[str, Dict[str, Any]]`, optional (default = `""`)
        Overrides of the config, as for `load_archive`.
    options
        Options of the predictor, such as `language="en_core_web_sm"` or `arc_probabilities=True`.
        See `ParserPredictor`, `SentimentPredictor` and their base class.

    # Raises

    `ConfigurationError` if the model does not parse sentences, or if an option is about lines of
    input and output (`on_error`, `input`, `output`).
    """
    of_lines = sorted(OPTIONS_OF_LINES & set(options))
    if of_lines:
        raise ConfigurationError(
            f"{' and '.join(of_lines)}: a parser in Python reads and writes no lines. Leave this "
            "out; catch the error of a sentence, or write a parse by its to_sdp()."
        )
    return SentenceParser(load_sentence_predictor(archive, cuda_device, overrides, **options))


def load_sentence_predictor(
    archive: Union[str, "PathLike[str]"],
    cuda_device: int = -1,
    overrides: Union[str, Dict[str, Any]] = "",
    **options: Any,
) -> SentencePredictor:
    """
    Returns the predictor of the parser in an archive, with any of its options. See `load_parser`.
    Its errors are plain: `allennlp` prints them without a trace.
    """
    check_for_gpu(cuda_device)
    loaded = load_archive(find_archive(archive), cuda_device=cuda_device, overrides=overrides)
    name = predictor_name_of(loaded.model, loaded.validation_dataset_reader)
    if name not in SENTENCE_PREDICTORS:
        raise plain_error(
            f"{archive} holds a model of type {loaded.config['model']['type']!r}, which parses no "
            f"sentences: its class has default_predictor {name!r}. Load a parser or a classifier "
            'of sentences (of yours, set default_predictor = "sentiment" in its class), or use '
            "AllenNLP's Predictor.from_path."
        )
    other_graphs = {"threshold", "minimum_risk"} & set(options)
    if name == "sentiment" and other_graphs:
        raise plain_error(
            f"{archive} holds a classifier, which has looked at the best graph or tree: another "
            f"would not be its reason. Leave {' and '.join(sorted(other_graphs))} out."
        )
    predictor_class: Any = Predictor.by_name(name)
    check_options(predictor_class, options, unnamed=OPTIONS_OF_LINES)
    with plain_errors_of_options(predictor_class, options):
        predictor = Predictor.from_archive(loaded, name, extra_args=options)
    assert isinstance(predictor, SentencePredictor)
    return predictor
