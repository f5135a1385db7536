"""Changes to a config by dotted paths, with errors that say which option is at fault."""

import difflib
from typing import Any, Dict

from allennlp.common.checks import ConfigurationError
from allennlp.common.params import with_overrides


def overridden(config: Dict[str, Any], overrides: Dict[str, Any], origin: str) -> Dict[str, Any]:
    """
    The config with the overrides put in, as `allennlp train --overrides` does it.

    # Parameters

    config : `Dict[str, Any]`
    overrides : `Dict[str, Any]`
        By dotted path. The last part of a path may be new to the config, the others may not.
    origin : `str`
        The option that the overrides came from.

    # Raises

    `ConfigurationError` that names option and path, and what there is in the place of the part that
    is not.
    """
    for path in overrides:
        _check(config, path, origin)
    try:
        return with_overrides(config, overrides)
    except ValueError as error:
        raise ConfigurationError(f"{origin}: {error}") from error


def _check(config: Any, path: str, origin: str) -> None:
    parts = path.split(".")
    for number, part in enumerate(parts):
        if not isinstance(config, (dict, list)):
            raise ConfigurationError(
                f"{origin}: {path} goes into '{'.'.join(parts[:number])}', which is {config!r} and "
                "has no parts."
            )
        there = list(config) if isinstance(config, dict) else [str(n) for n in range(len(config))]
        if part not in there:
            if number == len(parts) - 1 and isinstance(config, dict):
                return
            place = ".".join(parts[:number]) or "the config"
            near = difflib.get_close_matches(part, there, 1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise ConfigurationError(
                f"{origin}: there is no '{part}' in {place}, which has {', '.join(there)}.{hint}"
            )
        config = config[part] if isinstance(config, dict) else config[int(part)]
