"""
Defines patches to modules of AllenNLP, and runs them when these modules are imported.
"""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Callable, Dict, Iterator, List, Optional

from spigot_allennlp.compat.installation import is_right

# A generator function that gets the module. The code before its `yield` runs before the module is
# executed, the code after it runs afterwards.
Patch = Callable[[Any], Iterator[None]]

# The patches, by the full name of the AllenNLP module that each is for. Empty if another version of
# AllenNLP is installed.
PATCHES: Dict[str, List[Patch]] = {}

# The names of the modules that were patched.
PATCHED: List[str] = []


def patch(*modules: str, since: str, until: str) -> Callable[[Patch], Patch]:
    """
    Registers the decorated function as a patch to modules.

    # Parameters

    modules : `str`
        The full names of the modules.
    since : `str`
        The release that introduced the fault.
    until : `str`
        What will make the patch unnecessary.
    """

    def register(function: Patch) -> Patch:
        vars(function).update(since=since, until=until)
        for module in modules if is_right("allennlp") else ():
            PATCHES.setdefault(module, []).append(function)
        return function

    return register


def with_patches(spec: Optional[ModuleSpec]) -> Optional[ModuleSpec]:
    """Returns a module specification that runs the patches when the module is executed."""
    if spec is not None and spec.loader is not None:
        execute = spec.loader.exec_module
        spec.loader.exec_module = lambda module: execute_patched(module, execute)  # type: ignore[method-assign]
    return spec


def execute_patched(module: ModuleType, execute: Callable[[ModuleType], None]) -> None:
    """
    Executes a module with its patches around it. If that fails, the patches are closed, and the
    error propagates.
    """
    running: List[Any] = [function(module) for function in PATCHES[module.__name__]]
    for generator in running:
        next(generator)
    try:
        execute(module)
    except BaseException:
        for generator in running:
            generator.close()
        raise
    for generator in running:
        next(generator, None)
    PATCHED.append(module.__name__)


def patch_imported_modules() -> None:
    """
    Patches modules that were imported before our package, in processes without the startup hook.
    """
    for name in PATCHES:
        if name in sys.modules and name not in PATCHED:
            execute_patched(sys.modules[name], execute=lambda module: None)
