"""Checks of what a config says, with errors that name its key."""

from typing import Iterable, Optional

from allennlp.common.checks import ConfigurationError


def check_least(least: int, /, **numbers: Optional[int]) -> None:
    """
    # Raises

    `ConfigurationError` that names the first of `numbers` that is below `least`.
    """
    for name, number in numbers.items():
        if number is not None and number < least:
            raise ConfigurationError(f"{name} must be at least {least} but is {number}.")


def check_choice(name: str, value: str, choices: Iterable[str]) -> None:
    """
    # Raises

    `ConfigurationError` that names the key and its `choices` if `value` is none of them.
    """
    choices = list(choices)
    if value not in choices:
        raise ConfigurationError(f'{name} is "{value}", but must be one of {", ".join(choices)}.')
