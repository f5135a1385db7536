"""
Patches for missing packages, and for Python itself.
"""

import importlib
import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Iterator

from spigot_allennlp.compat.patching import patch


@patch(
    "allennlp.data.image_loader",
    "allennlp.modules.vision.grid_embedder",
    "allennlp.modules.vision.region_detector",
    since="no torchvision in the environment, or one that was built for another torch",
    until="AllenNLP imports torchvision where it reads images, and only there",
)
def torchvision_may_be_missing(module: Any) -> Iterator[None]:
    """
    If torchvision can be imported, it is used. If not, only AllenNLP's own modules see a stand-in.
    """
    try:
        importlib.import_module("torchvision")
    except Exception as error:  # a broken one raises RuntimeError, OSError, AttributeError ...
        reason = f"AllenNLP's vision modules need torchvision. Importing it failed: {error!r}"
    else:
        yield
        return
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]  # the remains of a failed import
    names = ["torchvision", "torchvision.ops", "torchvision.ops.boxes"]
    torchvision, ops, boxes = stand_ins = [stand_in(name, reason) for name in names]
    torchvision.ops, ops.boxes = ops, boxes  # type: ignore[attr-defined]
    sys.modules.update(zip(names, stand_ins, strict=True))
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


def stand_in(name: str, reason: str) -> ModuleType:
    """Returns an empty module whose errors give the reason."""

    def __getattr__(attribute: str) -> Any:
        raise AttributeError(f"{name}.{attribute}: {reason}")

    module = ModuleType(name)
    module.__getattr__ = __getattr__  # type: ignore[method-assign]
    return module


@patch(
    "allennlp.common.plugins",
    since="allennlp-models 2.10.1: as a whole it wants py-rouge, and downloads data of NLTK",
    until="allennlp-models imports what it needs where it needs it",
)
def allennlp_models_is_no_default_plugin(module: Any) -> Iterator[None]:
    """Its parts remain available: `--include-package allennlp_models.structured_prediction`."""
    yield
    if find_spec("rouge") is None:
        plugins = [plugin for plugin in module.DEFAULT_PLUGINS if plugin != "allennlp_models"]
        module.DEFAULT_PLUGINS = tuple(plugins)
