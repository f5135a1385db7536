"""The values of `--vary PATH=VALUE,VALUE,...`, as they are typed."""

import json
from typing import Any, List

from allennlp.common.checks import ConfigurationError
from allennlp.common.params import parse_overrides

OPENING, CLOSING, QUOTES = "{[(", "}])", "\"'"


def split_at_commas(text: str, option: str) -> List[str]:
    """
    The parts between those commas that no bracket and no quote encloses.

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
    JSON or Jsonnet if it looks like it: a number, true, false, null, or with a bracket or a quote
    at its beginning. Any other text is a name, and stands for itself.
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
