"""
The guard of the package: checks that AllenNLP is installed in the version that the patches need.
"""

import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

VERSION = "2.10.1"
NONE = "none"  # the version of a missing package
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
        If it is missing or has another version. The message says which command to run.
    """
    if not is_right(distribution):
        raise ImportError(what_to_install(distribution))


def what_to_install(distribution: str) -> str:
    """The message for a missing distribution, with the command to run."""
    return (
        f"spigot_allennlp needs {distribution} {VERSION}, but found "
        f"{installed_version(distribution)}. "
        "Install it without its dependencies, which exclude every current torch:\n"
        f"    {sys.executable} -m pip install --no-deps "
        f"allennlp=={VERSION} allennlp-models=={VERSION}"
    )


class AllenNLPIsMissing:
    """
    Comes first among the module finders if AllenNLP is not installed. For our packages that need
    AllenNLP, it raises an error that says what to install. AllenNLP itself is left to the other
    finders, so code that only checks for it, as `importlib.util.find_spec` does, gets no error.
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
    """Whether a distribution is installed, in any version."""
    return installed_version(distribution) != NONE


def is_right(distribution: str) -> bool:
    """Whether a distribution is installed in the version that the patches need."""
    return installed_version(distribution) == VERSION


@lru_cache
def installed_version(distribution: str) -> str:
    """The installed version of a distribution, or `NONE`."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return NONE
