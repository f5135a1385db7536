"""
Mendings for what is said of a config that cannot be read.
"""

import functools
import re
import sys
from pathlib import Path
from typing import Any, Callable, Iterator

from spigot_allennlp.compat.mending import mends
from spigot_allennlp.compat.plain_errors import plain_error

# "	../common/encoder.libsonnet:12:15-22	thunk <a>", or with a range of lines: ":(6:22)-(15:6)"
PLACE = re.compile(r"^\s*(?P<file>[^\t\n]*?):\(?(?P<line>\d+):\d+", re.MULTILINE)
VARIABLE = re.compile(r"undefined external variable: (?P<name>\S+)")
LONGEST = 500

HINT = (
    "Our configs have their defaults, and the names of our classes, from the package: add "
    "--include-package spigot_allennlp to the command."
)


@mends(
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
    What Jsonnet says, in a line or two, with the place.

    # Parameters

    file : `str`
        The config; empty for overrides, and the like, which have no file.
    text : `str`
        All that Jsonnet says: what is wrong, then every place from the fault to the top.
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


@mends(
    "allennlp.common.registrable",
    since="our package, which AllenNLP does not know of unless it is told to include it",
    until="AllenNLP finds plugins by what is installed",
)
def names_of_this_package_say_where_they_are(module: Any) -> Iterator[None]:
    yield
    resolve = module.Registrable.resolve_class_name.__func__

    @functools.wraps(resolve)
    def resolve_class_name(cls: Any, name: str) -> Any:
        try:
            return resolve(cls, name)
        except module.ConfigurationError as error:
            if is_left_out() and is_ours(name):
                raise plain_error(
                    f"'{name}' is a {cls.__name__} of spigot_allennlp, which is not included."
                    f"\n{HINT}"
                ) from error
            raise

    module.Registrable.resolve_class_name = classmethod(resolve_class_name)


def is_left_out() -> bool:
    """Whether nobody has imported our package in this process."""
    return "spigot_allennlp" not in sys.modules


def is_ours(name: str) -> bool:
    """Whether a file of our package registers a class under that name; none is imported for it."""
    registers = re.compile(rf"\.register\(\s*[\"']{re.escape(name)}[\"']")
    files = Path(__file__).parents[1].rglob("*.py")
    return any(registers.search(file.read_text(encoding="utf-8")) for file in files)
