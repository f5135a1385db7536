"""Libraries and cells that were never measured."""

import os
import signal
import time
from typing import Dict

import torch

from benchmarks.library import OURS, Call, Library
from benchmarks.measurement import Timing
from benchmarks.operation import OPERATIONS
from benchmarks.problem import Problem, Size
from benchmarks.results import Cell, Entry
from benchmarks.trial import Task, Trial


class Doubling(Library):
    """Its marginals are twice the scores."""

    def projective_marginals(self, problem: Problem) -> Call:
        return Call(lambda: 2 * problem.scores)


class Wrong(Library):
    def projective_marginals(self, problem: Problem) -> Call:
        return Call(lambda: 2 * problem.scores + 0.5)


class Failing(Library):
    def projective_marginals(self, problem: Problem) -> Call:
        return Call(lambda: torch.zeros(2) + torch.zeros(3))


class Crashing(Library):
    def projective_marginals(self, problem: Problem) -> Call:
        return Call(lambda: os.kill(os.getpid(), signal.SIGKILL))


class Sleeping(Library):
    def projective_marginals(self, problem: Problem) -> Call:
        return Call(lambda: time.sleep(60))


class InThisProcess:
    """Trials that run in this process; `seconds` are what they pretend to take."""

    def __init__(self, libraries: Dict[str, Library], seconds: float = 0.0) -> None:
        self._libraries, self._seconds = libraries, seconds

    def run(self, task: Task) -> Trial:
        try:
            problem = OPERATIONS[task.operation].problem(task.size, task.seed, task.scale)
            call = self._libraries[task.library].prepare(task.operation, problem)
            return Trial(call.read(call.run()).numpy(), self._seconds)
        except RuntimeError as error:
            return Trial(failure=str(error))


def entry(milliseconds: float, error: float = 0.0) -> Entry:
    seconds = milliseconds / 1000
    return Entry(Timing(seconds, seconds, seconds, 5), megabytes=1.0, error=error)


def cell(ours: Entry, **peers: Entry) -> Cell:
    return Cell("projective_argmax", Size(32, 20), {OURS: ours, **peers})
