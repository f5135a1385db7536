"""
Mendings for what is said of a config that cannot be read.
"""

import functools
import re
from typing import Any, Callable, Iterator

from spigot_allennlp.compat.mending import mends
from spigot_allennlp.compat.plain_errors import plain_error
from spigot_allennlp.compat.registration import HINT, is_left_out

# "	../common/encoder.libsonnet:12:15-22	thunk <a>", or with a range of lines: ":(6:22)-(15:6)"
PLACE = re.compile(r"^\s*(?P<file>[^\t\n]*?):\(?(?P<line>\d+):\d+", re.MULTILINE)
VARIABLE = re.compile(r"undefined external variable: (?P<name>\S+)")
LONGEST = 500


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
