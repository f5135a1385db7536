"""
One call of one library in a process of its own: what it returns, its peak of memory, how long it
takes; or how it fails, be it that it takes all memory, crashes, or does not come to an end.

The processes are forked from one server that has imported the libraries and has not done anything
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

from benchmarks import libraries, memory
from benchmarks.operation import OPERATIONS
from benchmarks.peers.library import Call
from benchmarks.problem import Size

# What is called first, so that imports and compiled kernels are not counted.
WARM_UP = Size(2, 5)


@dataclass(frozen=True)
class Task:
    library: str
    operation: str
    size: Size
    seed: int
    scale: float = 1.0

    def call(self, size: Size) -> Call:
        problem = OPERATIONS[self.operation].problem(size, self.seed, self.scale)
        return libraries.load(self.library).prepare(self.operation, problem)


@dataclass(frozen=True)
class Trial:
    """
    # Parameters

    result : `numpy.ndarray`, optional (default = `None`)
        `None` if it failed.
    seconds : `float`
        Of the processor, for one call; how long it was waited for, if in vain.
    peak : `int`
        By how many bytes memory grew during the call, its result included.
    failure : `str`, optional (default = `None`)
    """

    result: Optional[numpy.ndarray] = None
    seconds: float = 0.0
    peak: int = 0
    failure: Optional[str] = None


class Trials:
    """
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
        ours, theirs = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_work, args=(theirs, task, self._threads))
        process.start()
        theirs.close()
        try:
            if not ours.poll(self._patience):
                why = f"takes longer than {self._patience:g} s"
                return Trial(failure=why, seconds=self._patience)
            return ours.recv()
        except EOFError:
            process.join()
            return Trial(failure=f"its process ended by {_cause(process.exitcode)}")
        finally:
            process.kill()
            process.join()


def _work(channel: Connection, task: Task, threads: int) -> None:
    torch.set_num_threads(threads)
    # What the imports left behind is not to be looked through for garbage.
    gc.freeze()
    memory.limit()
    try:
        channel.send(measure(task))
    except Exception as error:  # whatever another's code may raise
        channel.send(Trial(failure=libraries.describe(error)))


def measure(task: Task) -> Trial:
    """The trial itself, in this process."""
    task.call(WARM_UP).run()
    call = task.call(task.size)
    memory.forget_peak()
    before, start = memory.peak(), time.process_time()
    raw = call.run()
    seconds, after = time.process_time() - start, memory.peak()
    return Trial(call.read(raw).numpy(), seconds, after - before)


def _cause(exit_code: Optional[int]) -> str:
    if exit_code is not None and exit_code < 0:
        return signal.Signals(-exit_code).name
    return f"exit status {exit_code}"
