"""
SPIGOT and its relatives for AllenNLP: latent structures that are trained through their argmax.

Importing this package is cheap: it imports neither AllenNLP nor its own subpackages. If AllenNLP is
installed, the import makes sure that AllenNLP is patched for a current stack, that the variables of
our configs have their defaults, and that our classes are registered as soon as AllenNLP looks up a
name (`compat/registration.py`). Without AllenNLP, `StructuredArgmaxLayer`, structures, projections,
estimators and `nn` work in plain PyTorch; importing a subpackage that needs AllenNLP raises an
error that says what to install.

`load(archive)` returns the parser in an archive; only then is the rest imported.
"""

import importlib
import pkgutil
import sys
from typing import TYPE_CHECKING, Any, List

import spigot_allennlp_startup
from spigot_allennlp import compat

if TYPE_CHECKING:
    from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
    from spigot_allennlp.predictors.sentence_parser import SentenceParser

__all__ = ["StructuredArgmaxLayer", "load"]

if compat.is_installed("allennlp"):
    compat.require("allennlp")
    spigot_allennlp_startup.install()
    compat.patch_imported_modules()
else:
    sys.meta_path.insert(0, compat.AllenNLPIsMissing())  # type: ignore[arg-type]


def load(archive: Any, **options: Any) -> "SentenceParser":
    """
    Returns the parser in an archive, or in the folder of a training run:
    `load("runs/spigot").parse("We know it .")`. For the options see `load_parser`.
    """
    from spigot_allennlp.predictors.sentence_parser import load_parser

    return load_parser(archive, **options)


def __getattr__(name: str) -> Any:
    """Imports the layer or a subpackage on first use, such as `spigot_allennlp.models`."""
    if name == "StructuredArgmaxLayer":
        from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer

        return StructuredArgmaxLayer
    if name not in __dir__():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")


def __dir__() -> List[str]:
    modules = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted({*globals(), *__all__, *modules})
