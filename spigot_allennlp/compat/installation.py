"""
The guard of the package: AllenNLP is there, in the version that the patches are for.
"""

import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

VERSION = "2.10.1"
NONE = "none"  # the version of what is not installed
NEED_ALLENNLP = {
    "spigot_allennlp.ablation",
    "spigot_allennlp.callbacks",
    "spigot_allennlp.commands",
    "spigot_allennlp.data",
    "spigot_allennlp.metrics",
    "spigot_allennlp.models",
    "spigot_allennlp.modules",
    "spigot_allennlp.predictors",
    "spigot_allennlp.training",
}


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
        raise ImportError(what_to_install(distribution))


def what_to_install(distribution: str) -> str:
    """The message for whoever lacks a distribution, with the command to run."""
    return (
        f"spigot_allennlp needs {distribution} {VERSION}, but found "
        f"{installed_version(distribution)}. "
        "Install it without its dependencies, which exclude every current torch:\n"
        f"    {sys.executable} -m pip install --no-deps "
        f"allennlp=={VERSION} allennlp-models=={VERSION}"
    )


class AllenNLPIsMissing:
    """
    The first of the finders of modules, where AllenNLP is not installed: for our packages that
    need it, says so, and what to install. AllenNLP itself is left to the other finders, so that
    whoever only looks whether it is there, as `importlib.util.find_spec` does, gets no error.
    """

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name in NEED_ALLENNLP:
            raise ModuleNotFoundError(
                f"{what_to_install('allennlp')}\n"
                "What else it needs comes with `pip install .` in a clone of spigot_allennlp. "
                "StructuredArgmaxLayer, structures, projections, estimators and nn do without.",
                name="allennlp",
            )


def is_installed(distribution: str) -> bool:
    """Whether that distribution is installed, in whichever version."""
    return installed_version(distribution) != NONE


def is_right(distribution: str) -> bool:
    """Whether that distribution is installed in the version that the patches are for."""
    return installed_version(distribution) == VERSION


@lru_cache
def installed_version(distribution: str) -> str:
    """The version of what is installed under that name, or `NONE`."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return NONE
