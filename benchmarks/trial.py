"""
A single call of a library in a process of its own: its result, its peak of memory, its time; or how
it fails, also if it takes all memory, crashes, or does not end.

The processes are forked from a server that has imported the libraries and has not done anything
else, so that they start at once and with little memory of their own.
"""

import gc
import multiprocessing
import signal
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, List, Optional

import numpy
import torch

from benchmarks import library
from benchmarks.library import Call
from benchmarks.measurement import limit_memory, peak_memory, reset_peak_memory
from benchmarks.operation import OPERATIONS
from benchmarks.problem import Size

#: The size of the first call, so that imports and compiled kernels are not counted.
WARM_UP = Size(2, 5)


@dataclass(frozen=True)
class Task:
    """Says what a trial computes; `library` and `operation` are names."""

    library: str
    operation: str
    size: Size
    seed: int
    scale: float = 1.0

    def call(self, size: Size) -> Call:
        """Returns the operation at a size, ready to be run."""
        problem = OPERATIONS[self.operation].problem(size, self.seed, self.scale)
        return library.load(self.library).prepare(self.operation, problem)


@dataclass(frozen=True)
class Trial:
    """
    The outcome of a task.

    # Parameters

    result : `numpy.ndarray`, optional (default = `None`)
        `None` if it failed.
    seconds : `float`
        The processor's time for the call; if it did not end, the patience.
    peak : `int`
        By how many bytes memory grew during the call, its result included.
    failure : `str`, optional (default = `None`)
    too_slow : `bool`, optional (default = `False`)
        Whether it failed since it took longer than the patience.
    """

    result: Optional[numpy.ndarray] = None
    seconds: float = 0.0
    peak: int = 0
    failure: Optional[str] = None
    too_slow: bool = False


class Trials:
    """
    Runs tasks, each in a new process.

    # Parameters

    modules : `List[str]`
        What the server imports.
    threads : `int`
    patience : `float`
        Seconds after which a process is ended.
    method : `str`, optional (default = `"forkserver"`)
        How `multiprocessing` starts processes.
    """

    def __init__(
        self, modules: List[str], threads: int, patience: float, method: str = "forkserver"
    ) -> None:
        self._context: Any = multiprocessing.get_context(method)
        self._context.set_forkserver_preload([__name__, *modules, "numba"])
        self._threads = threads
        self._patience = patience

    def run(self, task: Task) -> Trial:
        """Runs a task, and waits for it to the end of its patience."""
        receiver, sender = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_work, args=(sender, task, self._threads))
        process.start()
        sender.close()
        try:
            if not receiver.poll(self._patience):
                why = f"takes longer than {self._patience:g} s"
                return Trial(failure=why, seconds=self._patience, too_slow=True)
            return receiver.recv()
        except EOFError:
            process.join()
            return Trial(failure=f"its process ended by {_cause(process.exitcode)}")
        finally:
            process.kill()
            process.join()


def _work(channel: Connection, task: Task, threads: int) -> None:
    """Runs a task in the process that was started for it."""
    torch.set_num_threads(threads)
    # The garbage collector shall not look through what the imports left behind.
    gc.freeze()
    limit_memory()
    try:
        channel.send(_measure(task))
    except Exception as error:  # whatever another's code may raise
        channel.send(Trial(failure=library.describe_exception(error)))


def _measure(task: Task) -> Trial:
    task.call(WARM_UP).run()
    call = task.call(task.size)
    reset_peak_memory()
    before, start = peak_memory(), time.process_time()
    raw = call.run()
    seconds, after = time.process_time() - start, peak_memory()
    return Trial(call.read(raw).numpy(), seconds, after - before)


def _cause(exit_code: Optional[int]) -> str:
    if exit_code is not None and exit_code < 0:
        return signal.Signals(-exit_code).name
    return f"exit status {exit_code}"
