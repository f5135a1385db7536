"""
What a mending is, and how it gets around the import of the module that it is for.
"""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Callable, Dict, Iterator, List, Optional

from spigot_allennlp.compat.installation import is_right

# A generator function that gets the module: what is before its `yield` runs before the module is
# executed, what is behind it runs afterwards.
Mending = Callable[[Any], Iterator[None]]

# By the full name of the AllenNLP module. Another AllenNLP than the one they are for is left alone.
MENDINGS: Dict[str, List[Mending]] = {}

# The names of the modules that were mended.
MENDED: List[str] = []


def mends(*modules: str, since: str, until: str) -> Callable[[Mending], Mending]:
    """
    Lists a mending under some modules, with what brought the fault in and what will end it.
    """

    def list_it(mending: Mending) -> Mending:
        vars(mending).update(since=since, until=until)
        for module in modules if is_right("allennlp") else ():
            MENDINGS.setdefault(module, []).append(mending)
        return mending

    return list_it


def mended(spec: Optional[ModuleSpec]) -> Optional[ModuleSpec]:
    """
    The specification of a module, such that it is mended when it is executed.
    """
    if spec is not None and spec.loader is not None:
        execute = spec.loader.exec_module
        spec.loader.exec_module = lambda module: mend(module, execute)  # type: ignore[method-assign]
    return spec


def mend(module: ModuleType, execute: Callable[[ModuleType], None]) -> None:
    """
    Executes a module with its mendings around it.
    """
    running: List[Any] = [mending(module) for mending in MENDINGS[module.__name__]]
    for mending in running:
        next(mending)
    try:
        execute(module)
    except BaseException:
        for mending in running:
            mending.close()
        raise
    for mending in running:
        next(mending, None)
    MENDED.append(module.__name__)


def mend_what_is_imported() -> None:
    """
    For a process in which the startup hook is off, and AllenNLP was imported before our package.
    """
    for name in MENDINGS:
        if name in sys.modules and name not in MENDED:
            mend(sys.modules[name], execute=lambda module: None)
