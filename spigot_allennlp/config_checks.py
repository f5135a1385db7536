"""Checks of what a config says, with errors that name its key."""

from typing import Any, Iterable, Optional

from spigot_allennlp.registrable import ConfigurationError, Registrable


class PlainConfigurationError(ConfigurationError):
    """A configuration error whose message is all that the user needs."""

    #: `allennlp` prints the message without a trace.
    is_plain = True


def check_least(least: int, /, **numbers: Optional[float]) -> None:
    """
    Checks that all `numbers` that are not `None` are at least `least`.

    # Raises

    `ConfigurationError` that names the first of them that is not.
    """
    for name, number in numbers.items():
        if number is not None:
            _check_number(name, number)
            if not number >= least:
                raise ConfigurationError(f"{name} must be at least {least} but is {number}.")


def check_positive(**numbers: Optional[float]) -> None:
    """
    Checks that all `numbers` that are not `None` are greater than zero.

    # Raises

    `ConfigurationError` that names the first of them that is not.
    """
    for name, number in numbers.items():
        if number is not None:
            _check_number(name, number)
            if not number > 0:
                raise ConfigurationError(f"{name} must be positive but is {number}.")


def check_counts(**numbers: float) -> None:
    """
    Checks that all `numbers` are whole numbers of at least one.

    # Raises

    `ConfigurationError` that names the first of them that is not.
    """
    check_positive(**numbers)
    for name, number in numbers.items():
        if isinstance(number, bool) or not hasattr(number, "__index__"):
            raise ConfigurationError(f"{name} must be a whole number but is {number!r}.")


def check_interval(interval: str, /, **numbers: float) -> None:
    """
    Checks that all `numbers` are in an interval such as `"[0, 1)"`: from 0 on, and below 1.

    # Raises

    `ConfigurationError` that names the first of them that is not.
    """
    lower, upper = (float(bound) for bound in interval[1:-1].split(","))
    excluded = {lower} if interval[0] == "(" else set()
    excluded |= {upper} if interval[-1] == ")" else set()
    for name, number in numbers.items():
        _check_number(name, number)
        if not lower <= number <= upper or number in excluded:
            raise ConfigurationError(f"{name} must be in {interval} but is {number}.")


def _check_number(name: str, value: Any) -> None:
    """
    Checks that `value` is a number; options of parameter groups, for example, may be of any type.
    """
    if not hasattr(value, "__float__"):
        raise ConfigurationError(f"{name} must be a number but is {value!r}.")


def check_choice(name: str, value: str, choices: Iterable[str]) -> None:
    """
    Checks that an option is one of its `choices`.

    # Raises

    `ConfigurationError` that names the key and its `choices` if `value` is not among them.
    """
    choices = list(choices)
    if value not in choices:
        raise ConfigurationError(f'{name} is "{value}", but must be one of {", ".join(choices)}.')


def check_namespace(vocab: Any, namespace: str, entries: str) -> None:
    """
    Checks that AllenNLP's vocabulary `vocab` has the `namespace` of the `entries` that a part of a
    model needs. (AllenNLP returns a size even for a missing namespace.)

    # Raises

    `ConfigurationError` that names the missing namespace and those that exist.
    """
    if namespace not in vocab.get_namespaces():
        raise ConfigurationError(
            f"The vocabulary has no {entries}: it lacks the namespace '{namespace}', and has "
            f"{sorted(vocab.get_namespaces())}. Make it from training data that have them, or "
            "begin it with the vocabulary of an archive that has."
        )


def check_object(name: str, value: Any, kind: type) -> None:
    """
    Checks that an argument is an object of a registered kind, not its name: names stand for objects
    only in configs.

    # Raises

    `ConfigurationError`, with the name of the parameter, if it is not.
    """
    if isinstance(value, kind):
        return
    message = f"{name} must be of type {kind.__name__} but found {str(value)[:100]!r}."
    if isinstance(value, str) and issubclass(kind, Registrable):
        if value in kind.list_available():
            registered = kind.by_name(value)
            message += (
                " In a config that name would do; in Python, pass an object of the class that is "
                f"registered under it, {registered.__module__}.{registered.__qualname__}."
            )
        else:
            message += f" Nor is that one of the registered names, {kind.list_available()}."
    raise ConfigurationError(message)
