"""
Compiles functions to machine code: once per machine, kept on disk, and with a log message.
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
    A function that kernels call. Compiled as part of them, it has no machine code of its own (see
    `late_optimization.py`). So for a call from Python, as in a test, it is compiled again.
    """

    def __call__(self, *arguments: Any) -> Any:
        if "for_python" not in vars(self):
            self.for_python = numba.jit(**self.targetoptions)(self.py_func)
        return self.for_python(*arguments)


def kernel(function: Callable, **options: Any) -> Callable:
    """
    Returns `function` as machine code, to be called by other kernels. It does not hold the
    interpreter's lock, and division by zero raises no error. `options` are those of `numba.jit`.
    """
    options = {"nopython": True, "nogil": True, "error_model": "numpy", **options}
    return Kernel(function, targetoptions=options)


def fused_kernel(function: Callable) -> Callable:
    """Returns a kernel in which a product and a sum that uses it may be rounded once, together."""
    return kernel(function, fastmath={"contract"})


def reordered_kernel(function: Callable) -> Callable:
    """
    Returns a kernel in which sums may be computed in any order, so that loops over their terms can
    use vector instructions.
    """
    return kernel(function, fastmath={"contract", "reassoc"})


def entry(function: Callable) -> Callable:
    """
    Returns a kernel to be called from Python. It is compiled at its first call and kept beside its
    source (or in the user's cache directory, if the former is not writable), so later processes
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
    Logs once per process that a kernel is being compiled, so that it does not look like a hang.
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
