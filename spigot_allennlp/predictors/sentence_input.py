"""Checks the input of a predictor: a sentence of raw text, or its words and their annotation."""

from typing import Any, Dict, List

from allennlp.common.checks import ConfigurationError

from spigot_allennlp.predictors.line_predictor import check_is_object, check_utf8, shown

LAYERS = ("lemmas", "pos", "tags")
KEYS = ("id", "sentence", "words", *LAYERS)


def check_input(inputs: Any) -> None:
    """
    # Raises

    `ConfigurationError` unless `inputs` is one of the objects

    - `{"sentence": "raw text"}`,
    - `{"words": ["some", "words"]}`, optionally with as many `"lemmas"`, `"pos"` or `"tags"`,

    optionally with an `"id"`.
    """
    check_is_object(inputs)
    unknown = sorted(inputs.keys() - set(KEYS))
    if unknown:
        raise ConfigurationError(f"unknown keys {_shown(unknown)}; the keys are {list(KEYS)}")
    if ("sentence" in inputs) == ("words" in inputs):
        raise ConfigurationError('either "sentence" (raw text) or "words" (a list) is needed')
    name = inputs.get("id", "")
    is_name = isinstance(name, (str, int)) and not isinstance(name, bool)
    if not is_name or len(str(name).splitlines()) > 1 or set(str(name)) & set("\r\n\0"):
        raise ConfigurationError(
            f'"id" must be a whole number or one line of text, not {_shown(name)}'
        )
    check_utf8(str(name), '"id"')
    if "sentence" in inputs:
        _check_sentence(inputs)
    else:
        _check_words(inputs)


def _check_sentence(inputs: Dict[str, Any]) -> None:
    if not isinstance(inputs["sentence"], str) or not inputs["sentence"].strip():
        raise ConfigurationError(
            f'"sentence" must hold some text, not {_shown(inputs["sentence"])}'
        )
    check_utf8(inputs["sentence"], '"sentence"')
    layers = [name for name in LAYERS if name in inputs]
    if layers:
        raise ConfigurationError(
            f'{layers} say something of given "words"; they cannot go with "sentence"'
        )


def _check_words(inputs: Dict[str, Any]) -> None:
    words = inputs["words"]
    if not isinstance(words, list) or not words:
        raise ConfigurationError(
            f'"words" must be a list of at least one word, not {_shown(words)}'
        )
    for name in ("words", *LAYERS):
        layer: List[str] = inputs.get(name, words)
        if not isinstance(layer, list) or len(layer) != len(words):
            raise ConfigurationError(
                f'"{name}" must be a list of {len(words)}, one for each word, not {_shown(layer)}'
            )
        for position, value in enumerate(layer, start=1):
            if not isinstance(value, str) or not value.strip() or set(value) & set("\t\r\n"):
                raise ConfigurationError(
                    f'entry {position} of "{name}" is {_shown(value)}; it must be a string, '
                    "neither empty nor with a tab or the end of a line in it"
                )
            check_utf8(value, f'entry {position} of "{name}"')


def _shown(value: Any) -> str:
    return shown(repr(value))
