"""What an ablation varies: axes, each a list of choices, and the product of them."""

import hashlib
import itertools
import json
import os
import re
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Tuple

from allennlp.common.checks import ConfigurationError
from allennlp.common.params import parse_overrides

from spigot_allennlp.ablation.option_value import read_value, split_at_commas

LONGEST_NAME = 80


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


def axis_of_option(text: str) -> Axis:
    """
    The axis of one `--vary PATH=VALUE,VALUE,...`: a value is a name, JSON or Jsonnet; commas within
    brackets and quotes belong to the value.

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
    read = [read_value(value, option) for value in split_at_commas(values, option)]
    key = path.split(".")[-1]
    return [Choice(name_of_value(value, key), {path: value}, option) for value in read]


def axes_of_file(file: str) -> List[Axis]:
    """
    The axes of `--variants FILE`: Jsonnet with one map, or a list of maps, from the name of a
    choice to its overrides, or to `{config: FILE, overrides: {...}}` where the choice brings a base
    config of its own (relative to the file; `overrides` may be left out).

    # Raises

    `ConfigurationError` if the file has another form.
    """
    try:
        content = parse_overrides(f"import {json.dumps(os.path.abspath(file))}")
    except (RuntimeError, ConfigurationError) as error:
        raise ConfigurationError(f"--variants {file} cannot be read: {error}") from error
    maps = content if isinstance(content, list) else [content]
    if not maps or not all(isinstance(one, dict) and one for one in maps):
        raise ConfigurationError(
            f"--variants {file}: expected a map from the names of variants to their overrides, or "
            f"a list of such maps, but found {type(content).__name__}."
        )
    return [[_choice_of_entry(file, *entry) for entry in one.items()] for one in maps]


def combinations(axes: Sequence[Axis]) -> List[Tuple[str, Tuple[Choice, ...]]]:
    """
    Every way to take one choice of each axis, with its name: the names of its choices with "+"
    between them.

    # Raises

    `ConfigurationError` if two of them cannot be told apart by the names of their folders.
    """
    found = [
        (shortened("+".join(choice.name for choice in choices)), choices)
        for choices in itertools.product(*axes)
    ]
    folders: Dict[str, str] = {}
    for name, _ in found:
        other = folders.setdefault(folder_name(name), name)
        if sum(name == one for one, _ in found) > 1 or other != name:
            raise ConfigurationError(
                f"Two variants would share the folder '{folder_name(name)}': {other!r} and "
                f"{name!r}. Give them other names, in a file for --variants."
            )
    return found


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


def name_of_value(value: Any, key: str) -> str:
    """
    "spigot" for a name, "spigot,step_size=0.5" for a map with `type`, "key=0.5" for anything else.
    """
    text = _text(value)
    return text if _has_type(value) or isinstance(value, str) else f"{key}={text}"


def _text(value: Any) -> str:
    if not _has_type(value):
        return value if isinstance(value, str) else json.dumps(value)
    options = [f"{name}={_text(one)}" for name, one in value.items() if name != "type"]
    return ",".join([value["type"], *options])


def _has_type(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("type"), str)


def folder_name(name: str) -> str:
    """The name with an underscore for whatever a file system or a shell might not like."""
    return re.sub(r"[^\w.=+,-]+", "_", name).strip("_.") or "_"


def shortened(name: str) -> str:
    """The name, or its beginning and a digest of it, if it is too long for a folder."""
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
    return f"{name[:LONGEST_NAME]}~{digest}"
