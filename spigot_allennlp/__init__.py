"""
SPIGOT and its relatives for AllenNLP: latent structures that are trained through their argmax.

Importing this package is cheap: neither AllenNLP nor any package in it is imported. It makes sure
that AllenNLP is patched for a current stack, that the variables of our configs have their defaults,
and that the names of our classes are registered as soon as AllenNLP looks a name up
(`compat/registration.py`).
"""

import importlib
import pkgutil
from types import ModuleType
from typing import List

import spigot_allennlp_startup
from spigot_allennlp import compat

compat.require("allennlp")
spigot_allennlp_startup.install()
compat.patch_imported_modules()


def __getattr__(name: str) -> ModuleType:
    """Imports a package of ours when it is asked for: `spigot_allennlp.models`, say."""
    if name not in __dir__():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")


def __dir__() -> List[str]:
    return sorted({*globals(), *(module.name for module in pkgutil.iter_modules(__path__))})
