"""
Patches for how AllenNLP makes a predictor: the choice of its class, and its options.
"""

import functools
import json
from contextlib import contextmanager
from difflib import get_close_matches
from inspect import signature
from numbers import Integral, Real
from types import UnionType
from typing import (
    Any,
    Collection,
    Dict,
    Iterator,
    NamedTuple,
    Optional,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from spigot_allennlp.compat.patching import patch
from spigot_allennlp.compat.plain_errors import plain_error

#: What every predictor gets from the archive.
GIVEN_TO_ALL = ("self", "model", "dataset_reader", "frozen")

#: The simple types of options, as named in errors.
TYPES: Dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    type(None): "nothing (null)",
}


def predictor_name_of(model: Any, reader: Any) -> Optional[str]:
    """
    Returns the name of the default predictor of a model. A reader may replace it: its attribute
    `predictors_instead` maps the names of predictors whose input it cannot read to others.
    """
    name: Optional[str] = model.default_predictor
    instead: Dict[Optional[str], str] = getattr(reader, "predictors_instead", {})
    return instead.get(name, name)


def parsed_options(text: str) -> Dict[str, Any]:
    """
    Returns the options in the text of `--predictor-args`.

    # Raises

    `ConfigurationError` if it is not a JSON object.
    """
    try:
        options = json.loads(text) if text.strip() else {}
    except (json.JSONDecodeError, RecursionError) as error:
        raise plain_error(
            f"--predictor-args is no JSON: {error}. Write it as '{{\"max_words\": 2000}}'."
        ) from error
    if not isinstance(options, dict):
        raise plain_error(
            f"--predictor-args is {text}, which is no JSON object. Write it as "
            "'{\"max_words\": 2000}'."
        )
    return options


@contextmanager
def plain_errors_of_options(predictor: Any, options: Dict[str, Any]) -> Iterator[None]:
    """
    Turns errors in its block, which makes a predictor with these options, into plain errors.

    # Parameters

    predictor : `Any`
        Its class, or the registered constructor.
    options : `Dict[str, Any]`
    """
    from allennlp.common.checks import ConfigurationError

    try:
        yield
    except ConfigurationError as error:
        raise plain_error(str(error)) from error
    except (TypeError, ValueError, OSError) as error:
        if not options or not isinstance(predictor, type):
            raise
        check_options(predictor, options)
        kind = type(error).__name__
        raise plain_error(
            f"The predictor cannot be made with the options {options}: {kind}: {error}"
        ) from error


class _Option(NamedTuple):
    """An option of a predictor's constructor: its type hint, if any, and its default."""

    hint: Any
    default: Any


def check_options(
    predictor: Any, options: Dict[str, Any], unnamed: Collection[str] = frozenset()
) -> None:
    """
    Checks the names of options, and the types of their values if these are simple.

    # Parameters

    predictor : `Any`
        The class of a predictor.
    options : `Dict[str, Any]`
    unnamed : `Collection[str]`, optional (default = `frozenset()`)
        Options of the class that errors should not suggest.

    # Raises

    `ConfigurationError` that names an option that the class does not have, or that has a value of
    the wrong type.
    """
    known = _options_of(predictor)
    for name, value in options.items():
        if name not in known:
            names = sorted(set(known) - set(unnamed))
            near = get_close_matches(name, names, 1)
            hint = f" Perhaps you mean {near[0]}." if near else ""
            has = f"no option {name!r}, but {', '.join(names)}" if names else "no options"
            raise plain_error(f"The predictor has {has}.{hint}")
        hint, default = known[name]
        kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
        is_checked = set(kinds) <= set(TYPES) and value is not default
        if is_checked and not any(_is_of_type(value, kind) for kind in kinds):
            needed = " or ".join(TYPES[kind] for kind in kinds)
            raise plain_error(f"The option {name} is {value!r}, but has to be {needed}.")


def _options_of(predictor: Any) -> Dict[str, _Option]:
    """Returns the options of a predictor class, including those that it passes on to its bases."""
    known: Dict[str, _Option] = {}
    for base in predictor.__mro__[:-1]:
        if "__init__" in vars(base):
            start: Any = vars(base)["__init__"]
            parameters, hints = signature(start).parameters.values(), get_type_hints(start)
            named = [item for item in parameters if item.kind is not item.VAR_KEYWORD]
            known = {
                **{item.name: _Option(hints.get(item.name), item.default) for item in named},
                **known,
            }
            if len(named) == len(parameters):  # it passes nothing on to its own base
                break
    return {name: option for name, option in known.items() if name not in GIVEN_TO_ALL}


def _is_of_type(value: Any, kind: type) -> bool:
    """
    Returns whether a value is of a type. An integer counts as a float, but a boolean does not.
    """
    if isinstance(value, bool):
        return kind is bool
    numbers: Dict[type, type] = {int: Integral, float: Real}
    return isinstance(value, numbers.get(kind, kind))


@patch(
    "allennlp.predictors.predictor",
    since="AllenNLP 2.10.1 itself: an option that a predictor does not have, or a value that it "
    "refuses, ends in a trace; and the predictor of a classifier of texts asks for a download of "
    "spaCy's, though the reader of the model takes words",
    until="AllenNLP checks the options, and lets a reader say what it takes",
)
def a_predictor_is_made_that_the_reader_can_serve(module: Any) -> Iterator[None]:
    yield
    make = module.Predictor.from_archive.__func__
    call = signature(make)

    @functools.wraps(make)
    def from_archive(cls: Any, *args: Any, **kwargs: Any) -> Any:
        bound = call.bind(cls, *args, **kwargs)
        bound.apply_defaults()
        options = bound.arguments
        archive, choice = options["archive"], options["dataset_reader_to_load"]
        is_validation = choice == "validation"
        reader = archive.validation_dataset_reader if is_validation else archive.dataset_reader
        name = options["predictor_name"] or predictor_name_of(archive.model, reader)
        options["predictor_name"] = name
        with plain_errors_of_options(None, {}):
            predictor = cls if name is None else module.Predictor.by_name(name)
        with plain_errors_of_options(predictor, options["extra_args"] or {}):
            return make(*bound.args, **bound.kwargs)

    module.Predictor.from_archive = classmethod(from_archive)


@patch(
    "allennlp.commands.predict",
    since="AllenNLP 2.10.1 itself: predictor-args that are no JSON object end in a trace",
    until="AllenNLP says what is wrong with them",
)
def options_of_a_predictor_are_an_object(module: Any) -> Iterator[None]:
    yield
    make = module._get_predictor

    @functools.wraps(make)
    def _get_predictor(args: Any) -> Any:
        parsed_options(args.predictor_args)
        return make(args)

    module._get_predictor = _get_predictor
