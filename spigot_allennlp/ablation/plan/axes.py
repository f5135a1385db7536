"""Reads what an ablation varies: axes, lists of choices, from `--vary` and `--variants`."""

import hashlib
import itertools
import json
import os
import re
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Tuple

from allennlp.common.checks import ConfigurationError
from allennlp.common.params import parse_overrides

LONGEST_NAME = 80
OPENING, CLOSING, QUOTES = "{[(", "}])", "\"'"


@dataclass(frozen=True)
class Choice:
    """
    One value of an axis.

    # Parameters

    name : `str`
        What it is called in the report.
    overrides : `Dict[str, Any]`
        What it changes in the config, by dotted path, as in `allennlp train --overrides`.
    origin : `str`
        The option that it came from, for messages.
    config : `str`, optional (default = `None`)
        The file of another base config.
    """

    name: str
    overrides: Dict[str, Any] = field(default_factory=dict)
    origin: str = ""
    config: Optional[str] = None


Axis = List[Choice]


def read_axes(vary: Sequence[str], variants: Optional[str]) -> List[Axis]:
    """
    Returns the axes of the file that `--variants` names, then one for each `--vary`.

    # Raises

    `ConfigurationError` if there is none, or one cannot be read.
    """
    axes = axes_of_file(variants) if variants else []
    axes += [axis_of_option(option) for option in vary]
    if not axes:
        raise ConfigurationError(
            "Nothing is varied. Add --vary PATH=VALUE,VALUE,... (as in "
            "model.argmax.estimator=pipeline,spigot) or --variants FILE."
        )
    return axes


def combinations(axes: Sequence[Axis]) -> List[Tuple[str, Tuple[Choice, ...]]]:
    """
    Returns every way to take one choice of each axis, with its name: the names of its choices with
    "+" between them.

    # Raises

    `ConfigurationError` if two of them cannot be told apart by the names of their folders.
    """
    variants = [
        (shortened("+".join(choice.name for choice in choices)), choices)
        for choices in itertools.product(*axes)
    ]
    names = [name for name, _ in variants]
    by_folder: Dict[str, str] = {}
    for name in names:
        other = by_folder.setdefault(folder_name(name), name)
        if names.count(name) > 1 or other != name:
            raise ConfigurationError(
                f"Two variants would share the folder '{folder_name(name)}': {other!r} and "
                f"{name!r}. Give them other names, in a file for --variants."
            )
    return variants


def axis_of_option(text: str) -> Axis:
    """
    Reads the axis of one `--vary PATH=VALUE,VALUE,...`. A value is a name, JSON or Jsonnet; commas
    within brackets and quotes belong to the value.

    # Raises

    `ConfigurationError` if there is no path or no value, or a value cannot be read.
    """
    path, equals, values = text.partition("=")
    path = path.strip()
    option = f"--vary {path}"
    if not path or not equals or not values.strip():
        raise ConfigurationError(
            f"--vary {text!r} is not of the form PATH=VALUE,VALUE,..., as in "
            "model.argmax.estimator=pipeline,spigot."
        )
    parsed = [read_value(value, option) for value in split_at_commas(values, option)]
    key = path.split(".")[-1]
    return [Choice(name_of_value(value, key), {path: value}, option) for value in parsed]


def axes_of_file(file: str) -> List[Axis]:
    """
    Reads the axes of `--variants FILE`: Jsonnet with one map, or a list of maps, from the name of a
    choice to its overrides, or to `{config: FILE, overrides: {...}}` where the choice brings a base
    config of its own (relative to the file; `overrides` may be missing).

    # Raises

    `ConfigurationError` if the file has another form.
    """
    try:
        content = parse_overrides(f"import {json.dumps(os.path.abspath(file))}")
    except (RuntimeError, ConfigurationError) as error:
        raise ConfigurationError(f"--variants {file} cannot be read: {error}") from error
    maps = content if isinstance(content, list) else [content]
    if not maps or not all(isinstance(choices, dict) and choices for choices in maps):
        raise ConfigurationError(
            f"--variants {file}: expected a map from the names of variants to their overrides, or "
            f"a list of such maps, but found {type(content).__name__}."
        )
    return [[_choice_of_entry(file, *entry) for entry in choices.items()] for choices in maps]


def _choice_of_entry(file: str, name: str, entry: Any) -> Choice:
    origin = f"--variants {file}: {name}"
    if not isinstance(entry, dict):
        raise ConfigurationError(f"{origin} should be a map of overrides, but is {entry!r}.")
    if not entry or entry.keys() - {"config", "overrides"}:
        return Choice(name, entry, origin)
    config = entry.get("config")
    if config is not None:
        config = os.path.join(os.path.dirname(file), config)
    return Choice(name, entry.get("overrides") or {}, origin, config)


def split_at_commas(text: str, option: str) -> List[str]:
    """
    Splits the values of an option at those commas that no bracket and no quote encloses.

    # Raises

    `ConfigurationError` if a part is empty, or a bracket or quote is left open.
    """
    parts, depth, quote, escaped = [""], 0, "", False
    for letter in text:
        if letter == "," and depth == 0 and not quote:
            parts.append("")
            continue
        parts[-1] += letter
        if quote:
            quote = "" if letter == quote and not escaped else quote
            escaped = letter == "\\" and not escaped
        elif letter in QUOTES:
            quote = letter
        else:
            depth += (letter in OPENING) - (letter in CLOSING)
    parts = [part.strip() for part in parts]
    if depth or quote or not all(parts):
        raise ConfigurationError(
            f"{option}: the values {text!r} have an empty one, or a bracket or a quote without its "
            "partner. Between values stands one comma; a value with a comma of its own goes in "
            "quotes."
        )
    return parts


def read_value(text: str, option: str) -> Any:
    """
    Reads a value as JSON or Jsonnet if it looks like it: a number, true, false, null, or with a
    bracket or a quote at its beginning. Any other text is a name, and stands for itself.

    # Raises

    `ConfigurationError` that names the option, if it looks like Jsonnet but is none.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        if text[0] not in OPENING + QUOTES:
            return text
    try:
        return parse_overrides(f"{{ value: {text} }}")["value"]
    except (RuntimeError, ConfigurationError) as error:
        raise ConfigurationError(
            f"{option}: {text} is neither JSON nor Jsonnet: {error}"
        ) from error


def name_of_value(value: Any, key: str) -> str:
    """
    Names a choice by its value: "spigot" for a name, "spigot,step_size=0.5" for a map with `type`,
    "key=0.5" for anything else.
    """
    text = _text(value)
    return text if _has_type(value) or isinstance(value, str) else f"{key}={text}"


def _text(value: Any) -> str:
    if not _has_type(value):
        return value if isinstance(value, str) else json.dumps(value)
    options = [f"{name}={_text(option)}" for name, option in value.items() if name != "type"]
    return ",".join([value["type"], *options])


def _has_type(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("type"), str)


def folder_name(name: str) -> str:
    """Replaces whatever a file system or a shell might not like in a name by an underscore."""
    return re.sub(r"[^\w.=+,-]+", "_", name).strip("_.") or "_"


def shortened(name: str) -> str:
    """Cuts a name that is too long for a folder, and adds a digest of the whole name."""
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
    return f"{name[:LONGEST_NAME]}~{digest}"
