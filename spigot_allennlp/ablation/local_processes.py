"""Cells on this machine, each in a process of its own."""

import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.connection import wait
from typing import Any, Dict, Optional, Sequence

import torch

from spigot_allennlp.ablation.cell import Cell
from spigot_allennlp.ablation.cell_run import run_in_process_of_its_own
from spigot_allennlp.ablation.executor import Ended, Executor, Started


class LocalProcesses(Executor):
    """
    Each cell has a new process, forked from this one, which has imported everything (that takes
    AllenNLP some seconds), or spawned where there is no fork. So wall time and peak memory are the
    cell's own, and nothing that it leaves behind reaches the next. The processes end with this one,
    however it ends.

    # Parameters

    jobs : `int`
        How many run at a time.
    start_method : `str`, optional (default = `None`)
        "fork" or "spawn"; "fork" where there is one, unless this process uses a GPU already, which
        it would take away from those that it forks.
    """

    def __init__(self, jobs: int, start_method: Optional[str] = None) -> None:
        self._jobs = jobs
        available = multiprocessing.get_all_start_methods()
        can_fork = "fork" in available and not torch.cuda.is_initialized()
        method = start_method or ("fork" if can_fork else "spawn")
        self._context: Any = multiprocessing.get_context(method)
        self._is_new = method != "fork"

    def run(self, cells: Sequence[Cell], started: Started, ended: Ended) -> None:
        waiting, running = list(cells), {}  # type: ignore[var-annotated]
        try:
            while waiting or running:
                while waiting and len(running) < self._jobs:
                    cell = waiting.pop(0)
                    started(cell)
                    arguments = (cell, os.getpid(), self._is_new)
                    process = self._context.Process(target=_run, args=arguments)
                    process.start()
                    running[process] = cell
                self._await_one(running, ended)
        finally:
            for process in running:
                process.kill()
                process.join()

    def _await_one(self, running: Dict[Any, Cell], ended: Ended) -> None:
        sentinels = wait([process.sentinel for process in running])
        for process in [one for one in running if one.sentinel in sentinels]:
            process.join()
            ended(running.pop(process), _cause_of_death(process.exitcode))


def _run(cell: Cell, parent: int, is_new: bool) -> None:
    """Ctrl-C reaches all processes of a terminal; it is the parent that decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    run_in_process_of_its_own(cell, is_new)


def _end_with(parent: int) -> None:
    """An orphan would train on, beside whoever resumes its cell."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _cause_of_death(exitcode: Optional[int]) -> Optional[str]:
    if not exitcode:
        return None
    if exitcode > 0:
        return f"The process ended with status {exitcode}."
    name = signal.Signals(-exitcode).name
    hint = " The kernel does that when memory runs out." if name == "SIGKILL" else ""
    return f"The process was ended by {name}.{hint}"
