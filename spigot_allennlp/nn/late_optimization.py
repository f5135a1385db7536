"""
Makes LLVM optimise a kernel once, together with everything that it calls.

Numba optimises every function separately, with the code of its callees linked in, and emits machine
code for it, although only the outermost is ever called from Python: a kernel that is called through
six others is optimised seven times. Here, functions within one of our kernels are only linked until
the outermost is optimised, which takes about half the time in total. Compilations for functions of
other packages are unchanged.
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

# The versions of Numba in which nested compilation is known to work this way.
FIRST_VERSION, LAST_VERSION = (0, 60), (0, 68)
_PACKAGE = __name__.rpartition(".")[0]


class Compilations(event.Listener):
    """
    Tracks the functions that are being compiled, each called by the previous one. Numba compiles
    one at a time: other threads wait for its lock.
    """

    def __init__(self) -> None:
        self.functions: List[Callable] = []

    def on_start(self, event: event.Event) -> None:
        self.functions.append(event.data["dispatcher"].py_func)

    def on_end(self, event: event.Event) -> None:
        self.functions.pop()

    def are_within_kernel(self) -> bool:
        """Returns whether the current compilation is for a callee of one of our kernels."""
        return len(self.functions) > 1 and self.functions[0].__module__.startswith(_PACKAGE)


_COMPILATIONS = Compilations()


def install() -> None:
    """
    Changes three private methods of Numba, in versions where they are known to do what is replaced
    here. In other versions, every function is optimised separately.
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
    """Makes a method act like `replacement` while something within a kernel is compiled."""
    method = getattr(owner, name)

    @functools.wraps(method)
    def dispatched(*args: Any) -> Any:
        return (replacement if _COMPILATIONS.are_within_kernel() else method)(*args)

    setattr(owner, name, dispatched)


def _keep_for_linking(library: Any) -> None:
    library._finalize_dynamic_globals()
    library._finalized = True


def _without_machine_code(context: Any, library: Any, description: Any, environment: Any) -> Any:
    """Returns a stand-in for the compiled function, which Python cannot call."""
    library._ensure_finalized()
    module, name = description.lookup_module(), description.qualname
    return _dynfunc.make_function(
        module, name, "", _address_of_raising_function(), environment, (library,)
    )


@functools.cache
def _address_of_raising_function() -> int:
    """Returns the address of a function that raises `TypeError` for any arguments."""
    outer, _COMPILATIONS.functions = _COMPILATIONS.functions, []
    try:
        compiled = numba.njit(called_by_kernels_alone)
        compiled.compile(())
    finally:
        _COMPILATIONS.functions = outer
    (result,) = compiled.overloads.values()
    return result.library.get_pointer_to_function(result.fndesc.llvm_cpython_wrapper_name)


def called_by_kernels_alone() -> None:
    """Receives Python calls of a function that was compiled within a kernel, and so has no code."""
    raise TypeError("this function was compiled within a kernel, and is not called from Python")
