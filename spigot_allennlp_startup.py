"""
Has AllenNLP patched while it is being imported, and costs next to nothing where it is not.

The `allennlp` command imports all of AllenNLP before it looks at `--include-package`; what AllenNLP
needs on a current PyTorch has to be there before. A line in `spigot_allennlp.pth`, which the
installation puts into site-packages, calls `start` in every interpreter, spawned workers included.
That puts one finder in front of the import system, and no more: the patches themselves are in
`spigot_allennlp/compat`, which is not read before somebody imports `allennlp`.

Only the standard library is used here, and as little of it as possible. The environment variable
`SPIGOT_ALLENNLP_STARTUP=0` switches the hook off.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any, Optional

SWITCH = "SPIGOT_ALLENNLP_STARTUP"


class PatchFinder:
    """
    Lets the other finders find a module of AllenNLP, and has it patched when it is executed.
    """

    def find_spec(
        self, name: str, path: "Any" = None, target: "Any" = None
    ) -> "Optional[ModuleSpec]":
        if name.partition(".")[0] != "allennlp":
            return None
        patches = load_compat().PATCHES
        if name not in patches:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        specs = (finder.find_spec(name, path, target) for finder in others)
        return load_compat().with_patches(next(filter(None, specs), None))


def load_compat() -> "ModuleType":
    """
    `spigot_allennlp.compat`, imported without the package around it, which needs AllenNLP.
    """
    name = "spigot_allennlp.compat"
    if name not in sys.modules:
        from importlib.util import module_from_spec, spec_from_file_location

        folder = os.path.join(os.path.dirname(__file__), "spigot_allennlp", "compat")
        file = os.path.join(folder, "__init__.py")
        spec = spec_from_file_location(name, file, submodule_search_locations=[folder])
        assert spec is not None and spec.loader is not None
        sys.modules[name] = module_from_spec(spec)
        try:
            spec.loader.exec_module(sys.modules[name])
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def install() -> None:
    """
    Puts the finder in front of the import system, once.
    """
    if not any(isinstance(finder, PatchFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, PatchFinder())  # type: ignore[arg-type]


def start() -> None:
    """
    What the line in site-packages calls: `install`, unless it is switched off.
    """
    if os.environ.get(SWITCH) != "0":
        install()
