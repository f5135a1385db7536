"""The data path of a synthetic data set: `synthetic:size=2000,seed=1`."""

from difflib import get_close_matches
from typing import Dict, Mapping, NamedTuple

PREFIX = "synthetic:"

#: The default number of sentences or samples, and the default seed.
DEFAULT_SIZE, DEFAULT_SEED = 1000, 1
#: The default minimum and maximum number of tokens in a sentence.
SHORTEST, LONGEST = 4, 35

_LEAST = {"size": 1, "seed": 0, "min_length": 4, "max_length": 4}


class Specification(NamedTuple):
    """
    The settings of the synthetic treebank, and of synthetic digits and speech, which do not use the
    lengths.

    # Parameters

    size : `int`, optional (default = `1000`)
        The number of sentences or samples, at least 1.
    seed : `int`, optional (default = `1`)
        At least 0. Sentence i is the same for every `size`.
    min_length : `int`, optional (default = `4`)
        The minimum number of tokens in a sentence, at least 4.
    max_length : `int`, optional (default = `35`)
        The maximum number of tokens in a sentence.
    """

    size: int = DEFAULT_SIZE
    seed: int = DEFAULT_SEED
    min_length: int = SHORTEST
    max_length: int = LONGEST


def parse_specification(text: str) -> Specification:
    """
    Returns the specification in a data path. Omitted settings have their defaults.

    # Raises

    `ValueError` that names the key and its value, and the way out.
    """
    specification = Specification(**parse_settings(text, _LEAST))
    check_lengths(specification.min_length, specification.max_length)
    return specification


def parse_settings(text: str, least: Mapping[str, int]) -> Dict[str, int]:
    """
    Returns the settings in a data path, which are integers.

    # Parameters

    text : `str`
    least : `Mapping[str, int]`
        The known settings, each with its minimum value.

    # Raises

    `ValueError`, as for `parse_specification`.
    """
    if not text.startswith(PREFIX):
        raise ValueError(f'{text!r} names no embedded data set; write "{PREFIX}size=2000,seed=1".')
    values: Dict[str, int] = {}
    for part in filter(None, text[len(PREFIX) :].split(",")):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if key not in least:
            near = get_close_matches(key, least, n=1)
            hint = f' Did you mean "{near[0]}"?' if near else ""
            known = ", ".join(least)
            raise ValueError(f"{text!r}: there is no key {key!r}; known are {known}.{hint}")
        if key in values:
            raise ValueError(f"{text!r}: {key} is given twice; leave one out.")
        if not (value.isascii() and value.isdigit() and int(value) >= least[key]):
            fault = f"{key} is {value!r}" if equals else f"{key} has no value"
            raise ValueError(
                f"{text!r}: {fault}, but must be a whole number from {least[key]} on; write, for "
                f'example, "{PREFIX}{key}={max(least[key], 1)}".'
            )
        values[key] = int(value)
    return values


def check_lengths(min_length: int, max_length: int) -> None:
    """
    Checks that there is a length within the bounds.

    # Raises

    `ValueError` if there is none.
    """
    if min_length > max_length:
        raise ValueError(
            f"min_length is {min_length} and max_length is {max_length}: no sentence has such a "
            f"length. If one of them is not given, it is {SHORTEST} and {LONGEST}."
        )
