"""
Has LLVM optimise a kernel once, together with all that it calls.

Numba optimises every function by itself, with the code of all that it calls linked in, and emits
machine code, although only the outermost is ever called from Python: a kernel that is called
through six others is optimised seven times. Here the functions within a kernel of ours are linked,
and no more, until the outermost is optimised, which takes about half the time in all. Whatever is
compiled on behalf of a function of another package is compiled as ever.
"""

import functools
import logging
from typing import Any, Callable, List

import numba
from numba import _dynfunc
from numba.core import event
from numba.core.codegen import CPUCodeLibrary
from numba.core.cpu import CPUContext

logger = logging.getLogger(__name__)

# The versions of Numba whose compilation of one function within another is known.
FIRST_VERSION, LAST_VERSION = (0, 60), (0, 68)
_PACKAGE = __name__.rpartition(".")[0]


class Compilations(event.Listener):
    """
    Knows the functions that are being compiled, each of which is called by the one before. Numba
    compiles one at a time: other threads wait for its lock.
    """

    def __init__(self) -> None:
        self.functions: List[Callable] = []

    def on_start(self, event: event.Event) -> None:
        self.functions.append(event.data["dispatcher"].py_func)

    def on_end(self, event: event.Event) -> None:
        self.functions.pop()

    def are_within_kernel(self) -> bool:
        """Returns whether what is compiled now is called by a kernel of ours, itself compiled."""
        return len(self.functions) > 1 and self.functions[0].__module__.startswith(_PACKAGE)


_COMPILATIONS = Compilations()


def install() -> None:
    """
    Changes three private methods of Numba, if it is a version in which they are known to do what
    is replaced here; else every function is optimised by itself.
    """
    version = tuple(int(number) for number in numba.__version__.split(".")[:2])
    if not FIRST_VERSION <= version <= LAST_VERSION:
        logger.info("With Numba %s, compiling kernels takes twice as long.", numba.__version__)
        return
    event.register("numba:compile", _COMPILATIONS)
    _replace_within_kernels(CPUCodeLibrary, "_optimize_final_module", lambda library: None)
    _replace_within_kernels(CPUCodeLibrary, "_finalize_final_module", _keep_for_linking)
    _replace_within_kernels(CPUContext, "get_executable", _without_machine_code)


def _replace_within_kernels(owner: type, name: str, replacement: Callable) -> None:
    """Has a method do as `replacement` does while something within a kernel is compiled."""
    method = getattr(owner, name)

    @functools.wraps(method)
    def dispatched(*args: Any) -> Any:
        return (replacement if _COMPILATIONS.are_within_kernel() else method)(*args)

    setattr(owner, name, dispatched)


def _keep_for_linking(library: Any) -> None:
    library._finalize_dynamic_globals()
    library._finalized = True


def _without_machine_code(context: Any, library: Any, description: Any, environment: Any) -> Any:
    """Returns what stands for the compiled function; Python cannot call it."""
    library._ensure_finalized()
    module, name = description.lookup_module(), description.qualname
    return _dynfunc.make_function(
        module, name, "", _address_of_raising_function(), environment, (library,)
    )


@functools.cache
def _address_of_raising_function() -> int:
    """Returns the address of a function that raises `TypeError` whatever it is called with."""
    outer, _COMPILATIONS.functions = _COMPILATIONS.functions, []
    try:
        compiled = numba.njit(called_by_kernels_alone)
        compiled.compile(())
    finally:
        _COMPILATIONS.functions = outer
    (result,) = compiled.overloads.values()
    return result.library.get_pointer_to_function(result.fndesc.llvm_cpython_wrapper_name)


def called_by_kernels_alone() -> None:
    """Takes the calls of a function that was compiled within a kernel, where it has no code."""
    raise TypeError("this function was compiled within a kernel, and is not called from Python")
