"""
Patches for reading configs: the defaults of `std.extVar`, and the messages for faults.

AllenNLP hands the environment to Jsonnet, which has no defaults for variables. With the defaults
below, our configs train on the data embedded in the package until the environment names other data.
A forgotten or misspelt variable would thus change the data silently, so it is reported here.
"""

import difflib
import functools
import logging
import os
import re
import sys
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Tuple

from spigot_allennlp.compat.patching import patch
from spigot_allennlp.compat.plain_errors import missing_part, plain_error
from spigot_allennlp.compat.registration import HINT, is_left_out

logger = logging.getLogger(__name__)

PREFIX = "SPIGOT_"
OF_THE_PACKAGE = "SPIGOT_ALLENNLP_"  # variables of the package itself, not of its configs
EMBEDDED = "synthetic:"
DEFAULTS = {
    "SPIGOT_SDP_TRAIN": "synthetic:size=2000,seed=1",
    "SPIGOT_SDP_DEV": "synthetic:size=300,seed=2",
    "SPIGOT_SDP_TEST": "synthetic:size=300,seed=3",
    "SPIGOT_CONLL_TRAIN": "synthetic:size=2000,seed=1",
    "SPIGOT_CONLL_DEV": "synthetic:size=300,seed=2",
    "SPIGOT_SST_TRAIN": "synthetic:size=6000,seed=11",
    "SPIGOT_SST_DEV": "synthetic:size=1000,seed=12",
    "SPIGOT_COPYING_TRAIN": "synthetic:size=20000,seed=1",
    "SPIGOT_COPYING_DEV": "synthetic:size=500,seed=2",
    "SPIGOT_ADDING_TRAIN": "synthetic:size=20000,seed=1",
    "SPIGOT_ADDING_DEV": "synthetic:size=500,seed=2",
    "SPIGOT_IMAGES_TRAIN": "synthetic:size=4000,seed=1",
    "SPIGOT_IMAGES_DEV": "synthetic:size=500,seed=2",
    "SPIGOT_TEXT_TRAIN": "synthetic:size=6000,seed=11",
    "SPIGOT_TEXT_DEV": "synthetic:size=600,seed=12",
    "SPIGOT_MNIST_TRAIN": "synthetic:size=600,seed=1",
    "SPIGOT_MNIST_TEST": "synthetic:size=300,seed=2",
    "SPIGOT_N_MNIST_TRAIN": "synthetic:size=120,seed=1",
    "SPIGOT_N_MNIST_TEST": "synthetic:size=60,seed=2",
    "SPIGOT_SPEECH_TRAIN": "synthetic:size=300,seed=1#low,high",
    "SPIGOT_SPEECH_DEV": "synthetic:size=300,seed=2#low,high",
    "SPIGOT_SPEECH_TEST": "synthetic:size=300,seed=3#middle",
    "SPIGOT_EMBEDDINGS": "",
    "SPIGOT_SST_EMBEDDINGS": "",
    "SPIGOT_ARCHIVE": "",
    "SPIGOT_TRANSFORMER": "",
    "SPIGOT_TRANSFORMER_LAYERS": "",
    "SPIGOT_TREE_PRUNER": "",
    "SPIGOT_GRAPH_PRUNER": "",
}

# While Jsonnet evaluates a config, each default is tagged with the name of its variable, between
# two characters that occur in no text. Since Jsonnet is lazy, the tags in the result show which
# variables it depends on.
_OPENING, _CLOSING = "\ue000", "\ue001"
_NAME_TAG = re.compile(f"{_OPENING}(\\w+){_CLOSING}")
_DATA = {name for name, value in DEFAULTS.items() if value}
_TAGGED = {
    name: f"{value}{_OPENING}{name}{_CLOSING}" if value else value
    for name, value in DEFAULTS.items()
}

# The similarity of two names, from 0 to 1, at which one counts as a misspelling of the other.
ALIKE = 0.8

_logged: Set[str] = set()


class ConfigVariables:
    """
    The variables that the evaluation of a config asked for.

    # Parameters

    error : `Callable[[str], Exception]`
        Makes the exception to raise: AllenNLP's `ConfigurationError`.
    """

    def __init__(self, error: Callable[[str], Exception]) -> None:
        self._error = error
        self._embedded: Set[str] = set()  # asked for, but unset or empty: the default is used
        self._values: Dict[str, str] = {}  # the values of the data variables that are set
        self._unknown: Set[str] = set()  # set, and named like ours, but not used in our configs
        self._read: Set[str] = set()  # the unknown ones that a config asked for

    def note(self, result: str, variables: Dict[str, str], is_read: Callable[[str], bool]) -> None:
        """
        Records an evaluation.

        # Parameters

        result : `str`
            The result, with the tags of the defaults.
        variables : `Dict[str, str]`
            The external variables that are set.
        is_read : `Callable[[str], bool]`
            Whether the evaluation needs a variable. This evaluates again, so it is called for few.
        """
        self._embedded.update(_NAME_TAG.findall(result))
        self._values.update((name, variables[name]) for name in _DATA if name in variables)
        unknown = {name for name in variables if _is_unknown(name)}
        self._unknown |= unknown
        self._read |= {name for name in unknown - self._read if is_read(name)}

    def check(self, config: Any) -> None:
        """
        Warns if all data of a `config`, with its overrides, are embedded, and if variables are set
        that it does not read.

        # Raises

        `ConfigurationError` if the config uses embedded data because a variable is not set, while
        one of nearly the same name is; if it mixes embedded data with other data; or if a data
        variable is empty. The message says how to do so on purpose.
        """
        texts = list(texts_of(config))
        embedded = sorted(
            name for name in self._embedded if any(DEFAULTS[name] in text for text in texts)
        )
        self._check_unknown(embedded)
        self._check_empty(embedded)
        users_data = [
            f"{name}={_cut(value)}"
            for name, value in self._values.items()
            if value.strip() and EMBEDDED not in value and any(value in text for text in texts)
        ] or [f"{key} {_cut(path)}" for key, path in _paths(config) if EMBEDDED not in path]
        if not embedded:
            return
        if users_data:
            example = f"{embedded[0]}={DEFAULTS[embedded[0]]}"
            raise self._error(
                f"{_listed(embedded)} not set, so that the data embedded in spigot_allennlp would "
                f"be mixed with those of {', '.join(users_data)}. Set to a file of yours what is "
                f"not set, or choose embedded data on purpose: {example}"
            )
        _warn_once(
            f"{_listed(embedded)} not set: the data of this config are those embedded in the "
            "package, made by rule, good for a trial and for no result."
        )

    def _check_unknown(self, embedded: List[str]) -> None:
        for name in sorted(self._unknown - self._read):
            meant = difflib.get_close_matches(name.upper(), embedded, 1, ALIKE)
            if meant:
                raise self._error(
                    f"{name} is set, but {meant[0]}, which the config reads, is not. If that is "
                    "what you mean, set it; if not, choose embedded data on purpose: "
                    f"{meant[0]}={DEFAULTS[meant[0]]}"
                )
            near = difflib.get_close_matches(name.upper(), DEFAULTS, 1, 0.0)
            _warn_once(
                f"{name} is set, but this config does not read it. The nearest name that one of "
                f"ours reads is {near[0]}."
            )

    def _check_empty(self, embedded: List[str]) -> None:
        for name in embedded:
            if name in self._values:
                raise self._error(
                    f"{name} is set, but empty. Give it a path; or, for embedded data, take it out "
                    f"of the environment: unset {name}"
                )


# The innermost one collects what is being read.
_collecting: List[ConfigVariables] = []


@contextmanager
def collected_variables(error: Callable[[str], Exception]) -> Iterator[ConfigVariables]:
    """
    Collects the variables of all configs that are read in its block, for callers that change the
    configs and then call `check` on the result. Within the block, no config is checked on its own.
    """
    variables = ConfigVariables(error)
    _collecting.append(variables)
    try:
        yield variables
    finally:
        _collecting.pop()


@patch(
    "allennlp.common.params",
    since="AllenNLP 2.10.1 itself: the external variables of a config have no defaults",
    until="AllenNLP lets a package give them defaults",
)
def variables_have_defaults(module: Any) -> Iterator[None]:
    """
    The defaults exist only where our package is imported: without it, our configs cannot be built.
    """
    yield
    module.evaluate_file = _with_defaults(module.evaluate_file)
    module.evaluate_snippet = _with_defaults(module.evaluate_snippet)
    read = module.Params.from_file.__func__

    @functools.wraps(read)
    def from_file(cls: Any, *arguments: Any, **options: Any) -> Any:
        if _collecting:
            return read(cls, *arguments, **options)
        with collected_variables(module.ConfigurationError) as variables:
            params = read(cls, *arguments, **options)
        variables.check(params.params)
        return params

    module.Params.from_file = classmethod(from_file)


@patch(
    "allennlp.common.file_utils",
    since="AllenNLP 2.10.1 itself: a file that is not there is not traced to the variable it is of",
    until="AllenNLP says where a path comes from",
)
def a_missing_file_is_traced_to_its_variable(module: Any) -> Iterator[None]:
    yield
    find = module.cached_path

    @functools.wraps(find)
    def cached_path(path: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return find(path, *arguments, **options)
        except FileNotFoundError as error:
            names = _variables_of(str(path))
            origin = f" The path comes from the environment: {', '.join(names)}." if names else ""
            missing = FileNotFoundError(f"{error}.{missing_part(str(path))}{origin}")
            vars(missing)["is_plain"] = True
            raise missing from error

    module.cached_path = cached_path


def _with_defaults(evaluate: Callable) -> Callable:
    """
    Wraps an evaluation of Jsonnet, from a file or a snippet, so that our variables have defaults.
    """

    @functools.wraps(evaluate)
    def evaluated(*source: str, ext_vars: Optional[Dict[str, str]] = None, **options: Any) -> str:
        variables = dict(ext_vars or {})
        if "spigot_allennlp" not in sys.modules:
            return evaluate(*source, ext_vars=variables, **options)

        filled = {
            name: value for name, value in variables.items() if value.strip() or name not in _DATA
        }

        def is_read(name: str) -> bool:
            others = {other: value for other, value in filled.items() if other != name}
            try:
                evaluate(*source, ext_vars={**_TAGGED, **others}, **options)
            except Exception as error:
                return name in str(error)
            return False

        result = evaluate(*source, ext_vars={**_TAGGED, **filled}, **options)
        if _collecting:
            _collecting[-1].note(result, variables, is_read)
        return _NAME_TAG.sub("", result)

    return evaluated


def _is_unknown(name: str) -> bool:
    """Whether a variable seems meant for our configs, but is not one that they read."""
    if name in DEFAULTS or name.startswith(OF_THE_PACKAGE):
        return False
    return name.startswith(PREFIX) or bool(
        difflib.get_close_matches(name.upper(), DEFAULTS, 1, ALIKE)
    )


def _variables_of(path: str) -> List[str]:
    """The variables with the value `path`, or with its part before `#` or `!`."""
    values = paths_in(path)
    return [f"{name}={value}" for name, value in os.environ.items() if value and value in values]


def paths_in(text: str) -> Set[str]:
    """Returns what may be a path in a text: all of it, and its parts before `#` and `!`."""
    return {text, text.partition("#")[0], text.partition("!")[0]}


def first_difference(before: Any, after: Any, path: str = "") -> Optional[str]:
    """
    Says where two configs differ, "trainer.num_epochs was 8 and is now 4"; `None` if they do not.
    """
    if before == after:
        return None
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            place = f"{path}.{key}" if path else key
            if key not in after:
                return f"{place} was {before[key]!r} and is now not there"
            if key not in before:
                return f"{place} was not there and is now {after[key]!r}"
            if before[key] != after[key]:
                return first_difference(before[key], after[key], place)
    return f"{path or 'the config'} was {before!r} and is now {after!r}"


def texts_of(config: Any) -> Iterator[str]:
    """All strings of a config, and all keys, since a map of companions has paths as keys."""
    if isinstance(config, str):
        yield config
    elif isinstance(config, dict):
        yield from config
        for value in config.values():
            yield from texts_of(value)
    elif isinstance(config, list):
        for value in config:
            yield from texts_of(value)


def _paths(config: Any) -> Iterator[Tuple[str, str]]:
    """The data paths of a config, with their keys."""
    for key in ("train_data_path", "validation_data_path", "test_data_path"):
        paths = config.get(key)
        for path in texts_of(list(paths.values()) if isinstance(paths, dict) else paths):
            yield key, path


def _listed(names: List[str]) -> str:
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"


def _cut(text: str) -> str:
    return text if len(text) <= 200 else text[:200] + "..."


def _warn_once(message: str) -> None:
    if message not in _logged:
        _logged.add(message)
        logger.warning(message)


# "	../common/encoder.libsonnet:12:15-22	thunk <a>", or with a range of lines: ":(6:22)-(15:6)"
PLACE = re.compile(r"^\s*(?P<file>[^\t\n]*?):\(?(?P<line>\d+):\d+", re.MULTILINE)
VARIABLE = re.compile(r"undefined external variable: (?P<name>\S+)")
LONGEST = 500


@patch(
    "allennlp.common.params",
    since="AllenNLP 2.10.1 itself: a fault in a config ends in two traces, its own and Jsonnet's",
    until="AllenNLP says which line of which file is wrong",
)
def faults_of_a_config_are_named_with_their_line(module: Any) -> Iterator[None]:
    yield

    def explained(evaluate: Callable[..., str]) -> Callable[..., str]:
        @functools.wraps(evaluate)
        def evaluated(file: str, *args: Any, **kwargs: Any) -> str:
            try:
                return evaluate(file, *args, **kwargs)
            except RuntimeError as error:
                raise plain_error(explanation(file, str(error))) from error

        return evaluated

    module.evaluate_file = explained(module.evaluate_file)
    module.evaluate_snippet = explained(module.evaluate_snippet)


def explanation(file: str, text: str) -> str:
    """
    Jsonnet's message in one or two lines, with the place.

    # Parameters

    file : `str`
        The config; empty for overrides and other sources without a file.
    text : `str`
        Jsonnet's full message: what is wrong, then every place from the fault to the top.
    """
    first, *places = text.strip().splitlines() or ["No reason is known."]
    reason = re.sub(r"^(RUNTIME|STATIC) ERROR: ", "", first)
    of_syntax = PLACE.match(reason)
    place = of_syntax or PLACE.search("\n".join(places))
    if of_syntax:
        reason = reason[of_syntax.end() :].partition(": ")[2]
    where = f"{place['file']}:{place['line']}" if place and place["file"] else file or "overrides"
    undefined = VARIABLE.search(reason)
    if undefined is None:
        return f"{where}: {reason[:LONGEST]}"
    name = undefined["name"]
    asks_for = f"{where}: The config asks for the variable {name}, which is not set."
    if name.startswith("SPIGOT_") and is_left_out():
        return f"{asks_for}\n{HINT}"
    return f"{asks_for} Set it in the environment: {name}=VALUE allennlp ..."


@patch(
    "allennlp.common.from_params",
    since="AllenNLP 2.10.1 itself: a misspelt key of a part is named with its value alone, one of "
    "a part that passes keys on ends in a TypeError of the constructor, and that of a key which is "
    "required is not named at all",
    until="AllenNLP names the place of the key, and what was probably meant",
)
def a_misspelt_key_is_named_with_its_place_and_what_was_meant(module: Any) -> Iterator[None]:
    yield
    make = module.FromParams.from_params.__func__

    @functools.wraps(make)
    def from_params(cls: Any, params: Any, *arguments: Any, **extras: Any) -> Any:
        if not isinstance(params, module.Params):
            return make(cls, params, *arguments, **extras)
        given = dict(params.params)
        try:
            return make(cls, params, *arguments, **extras)
        except (TypeError, module.ConfigurationError) as error:
            if hasattr(error, "is_plain"):
                raise

            def known_keys() -> Set[str]:
                constructor = extras.get("constructor_to_inspect") or cls.__init__
                return set(module.infer_method_params(cls, constructor)) - set(extras)

            fault = _fault_of_keys(error, cls, given, known_keys, params.history)
            if fault is None:
                raise
            raise plain_error(fault) from error

    module.FromParams.from_params = classmethod(from_params)


def _fault_of_keys(
    error: Exception,
    cls: type,
    given: Dict[str, Any],
    known_keys: Callable[[], Set[str]],
    history: str,
) -> Optional[str]:
    """Explains an error about a key that a class does not know or does not get; others: `None`."""
    refused, required = _unknown_key(error, cls), _required_key(error)
    if refused not in given and required is None:
        return None
    known = known_keys()
    unknown = sorted(set(given) - known - {"type"})
    if refused is None:
        near = difflib.get_close_matches(required or "", unknown, 1)
        is_misspelt = required in known and near
        return f'{error}. Is it meant by "{near[0]}", which is given?' if is_misspelt else None
    if refused in known:  # the constructor is at fault, which passes on what it should not
        return None
    place = f', at "{history}{refused}"' if history else ""
    fault = str(error)
    if isinstance(error, TypeError):
        extra = {key: value for key, value in given.items() if key in unknown}
        fault = f"Extra parameters passed to {cls.__name__}: {extra}"
    return f"{fault}{place}. {_meant(unknown, known)}"


def _unknown_key(error: Exception, cls: type) -> Optional[str]:
    """Returns the key that the constructor of a class refused, if an error is about that."""
    pattern = r"^Extra parameters passed to (\w+): {'(.*?)':"
    if isinstance(error, TypeError):
        pattern = r"(\w+)\.\w+\(\) got an unexpected keyword argument '(.*)'$"
    match = re.search(pattern, str(error))
    if match is None or match[1] not in {base.__name__ for base in cls.__mro__}:
        return None
    return match[2]


def _required_key(error: Exception) -> Optional[str]:
    """Returns the key that a part needs and a config does not have, if an error is about that."""
    match = re.match(r'key "(.*?)" is required', str(error))
    return match and match[1]


def _meant(unknown: List[str], known: Set[str]) -> str:
    """Says which known keys were probably meant by the unknown ones, or else what there is."""
    names = sorted(known - {"self", "args", "kwargs"})
    near = {key: difflib.get_close_matches(key, names, 1) for key in unknown}
    found = [(key, f'"{matches[0]}"') for key, matches in near.items() if matches]
    if len(unknown) == len(found) == 1:
        return f"Is {found[0][1]} meant?"
    of_each = [f'{name} for "{key}"' for key, name in found]
    parts = [f"Perhaps {', '.join(of_each)}."] if found else []
    if len(found) < len(unknown):
        parts.append(f"Its keys are {', '.join(names)}." if names else "It takes none.")
    return " ".join(parts)
