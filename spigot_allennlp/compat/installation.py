"""
The guard of the package: AllenNLP is there, in the version that the patches are for.
"""

import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

VERSION = "2.10.1"


def require(distribution: str) -> None:
    """
    # Parameters

    distribution : `str`
        "allennlp" or "allennlp-models", which are released together.

    # Raises

    `ImportError`
        If it is missing, or has another version; the message says which command to run.
    """
    if not is_right(distribution):
        raise ImportError(
            f"spigot_allennlp needs {distribution} {VERSION}, but found "
            f"{installed_version(distribution)}. "
            "Install it without its dependencies, which exclude every current torch:\n"
            f"    {sys.executable} -m pip install --no-deps "
            f"allennlp=={VERSION} allennlp-models=={VERSION}"
        )


def is_right(distribution: str) -> bool:
    """Whether that distribution is installed in the version that the patches are for."""
    return installed_version(distribution) == VERSION


@lru_cache
def installed_version(distribution: str) -> str:
    """The version of what is installed under that name, or "none"."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "none"
