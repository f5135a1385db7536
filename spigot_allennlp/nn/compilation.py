"""
Makes machine code of functions: once for a machine, kept on disk, and not in silence.
"""

import logging
from typing import Any, Callable

from spigot_allennlp.nn.garbage_collection import paused_garbage_collection

with paused_garbage_collection():
    import numba
    from numba.core import event
    from numba.core.registry import CPUDispatcher

from spigot_allennlp.nn import late_optimization
from spigot_allennlp.nn.kernel_cache import WARNING, KernelCache

logger = logging.getLogger(__name__)


class Kernel(CPUDispatcher):
    """
    A function that kernels call. What they compile of it has no machine code of its own (see
    `late_optimization.py`), so that for a call from Python, as in a test, it is compiled once more.
    """

    def __call__(self, *arguments: Any) -> Any:
        if "for_python" not in vars(self):
            self.for_python = numba.jit(**self.targetoptions)(self.py_func)
        return self.for_python(*arguments)


def kernel(function: Callable, **options: Any) -> Callable:
    """
    Returns `function` as machine code, to be called by other kernels. It does not hold the
    interpreter's lock, and divides by zero without complaint. `options` are those of `numba.jit`.
    """
    options = {"nopython": True, "nogil": True, "error_model": "numpy", **options}
    return Kernel(function, targetoptions=options)


def fused_kernel(function: Callable) -> Callable:
    """
    Returns a kernel in which a product and the sum that it goes into may be rounded together, once.
    """
    return kernel(function, fastmath={"contract"})


def reordered_kernel(function: Callable) -> Callable:
    """
    Returns a kernel in which a sum may be added up in any order, so that a loop over its terms uses
    the machine's vectors.
    """
    return kernel(function, fastmath={"contract", "reassoc"})


def entry(function: Callable) -> Callable:
    """
    Returns a kernel to be called from Python. It is compiled at its first call and kept beside its
    source (or in the user's cache directory, if that cannot be written), so that later processes
    only load it; see `kernel_cache.py`.
    """
    compiled: Any = numba.njit(nogil=True, error_model="numpy")(function)
    try:
        compiled._cache = KernelCache(function)
    except RuntimeError as error:  # nowhere to keep it
        WARNING.nothing_kept(function.__name__, str(error))
    return compiled


class _Announcement(event.Listener):
    """
    Logs, once in a process, that a kernel is being compiled, lest it look like a hang.
    """

    def __init__(self) -> None:
        self.announced = False

    def on_start(self, event: event.Event) -> None:
        ours = event.data["dispatcher"].py_func.__module__.startswith(__package__)
        if ours and not self.announced:
            self.announced = True
            logger.warning(
                "Compiling kernels for this machine. This takes some seconds, and happens once."
            )

    def on_end(self, event: event.Event) -> None:
        pass


ANNOUNCEMENT = _Announcement()
event.register("numba:compile", ANNOUNCEMENT)
late_optimization.install()
