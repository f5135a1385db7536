"""
SPIGOT and its relatives for AllenNLP: latent structures that are trained through their argmax.

Importing this package is cheap: neither AllenNLP nor any package in it is imported. It makes sure
that AllenNLP is patched for a current stack, that the variables of our configs have their defaults,
and that the names of our classes are registered as soon as AllenNLP looks a name up
(`compat/registration.py`).

`load(archive)` gives the parser in an archive; only then the rest is imported.
"""

import importlib
import pkgutil
from types import ModuleType
from typing import TYPE_CHECKING, Any, List

import spigot_allennlp_startup
from spigot_allennlp import compat

if TYPE_CHECKING:
    from spigot_allennlp.predictors.sentence_parser import SentenceParser

compat.require("allennlp")
spigot_allennlp_startup.install()
compat.patch_imported_modules()


def load(archive: Any, **options: Any) -> "SentenceParser":
    """
    Returns the parser in an archive, or in the folder of a training run:
    `load("runs/spigot").parse("We know it .")`. For the options see `load_parser`.
    """
    from spigot_allennlp.predictors.sentence_parser import load_parser

    return load_parser(archive, **options)


def __getattr__(name: str) -> ModuleType:
    """Imports a package of ours when it is asked for: `spigot_allennlp.models`, say."""
    if name not in __dir__():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")


def __dir__() -> List[str]:
    return sorted({*globals(), *(module.name for module in pkgutil.iter_modules(__path__))})
