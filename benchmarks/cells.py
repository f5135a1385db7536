"""One operation at one size: each library tries it, all results are judged, then they race."""

from dataclasses import dataclass, field, replace
from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Tuple

import torch

from benchmarks.judgement import OURS
from benchmarks.libraries import Found, describe
from benchmarks.operation import OPERATIONS, Operation
from benchmarks.peers.library import NotOffered
from benchmarks.problem import Problem, Size
from benchmarks.results import Cell, Entry
from benchmarks.settings import Settings
from benchmarks.timing import clock, race, summarize
from benchmarks.trial import WARM_UP, Task, Trial, Trials

# A call longer than so many budgets is not repeated: its trial counts.
LONGEST_REPEATED = 4
MEGABYTE = 1e6


@dataclass
class Bench:
    """All libraries with all their cells. Remembers how long a library took for what."""

    settings: Settings
    found: Found
    trials: Trials
    _took: Dict[Tuple[str, str], Tuple[Size, float]] = field(default_factory=dict)

    def missing(self, operation: str) -> Optional[str]:
        """
        Why ours cannot do an operation, if so. Compiles its kernels, where that has not happened
        yet.
        """
        problem = OPERATIONS[operation].problem(WARM_UP, self.settings.seed)
        try:
            self.found.libraries[OURS].prepare(operation, problem).run()
        except NotOffered as error:
            return str(error)
        except Exception as error:  # it shall not keep the other rows from us
            return f"ours fails: {describe(error)}"
        return None

    def cells(self, operation: str) -> Iterator[Cell]:
        for size in self.settings.sizes:
            yield self.cell(OPERATIONS[operation], size)

    def cell(self, operation: Operation, size: Size) -> Cell:
        names = [name for name, each in self.found.libraries.items() if each.offers(operation.name)]
        trials = {name: self._try(name, operation, size) for name in names}
        errors = judge(operation, operation.problem(size, self.settings.seed), trials)
        raced = self._race(operation, size, trials)
        entries = {
            name: replace(
                raced[name],
                megabytes=trial.peak / MEGABYTE if trial.failure is None else None,
                error=errors.get(name),
            )
            for name, trial in trials.items()
        }
        return Cell(operation.name, size, entries)

    def _try(self, name: str, operation: Operation, size: Size) -> Trial:
        earlier, seconds = self._took.get((name, operation.name), (size, 0.0))
        expected = seconds * _work(size) / _work(earlier)
        if expected > self.settings.patience:
            why = f"{seconds:.1f} s at {earlier} lets expect {expected:.0f} s or more"
            return Trial(failure=f"left out: {why}")
        trial = self.trials.run(Task(name, operation.name, size, self.settings.seed))
        if trial.seconds:
            self._took[name, operation.name] = size, trial.seconds
        return trial

    def _race(
        self, operation: Operation, size: Size, trials: Mapping[str, Trial]
    ) -> Dict[str, Entry]:
        """Entries without memory and error of all that came through their trial."""
        longest = LONGEST_REPEATED * self.settings.budget
        problem = operation.problem(size, self.settings.seed)
        entries, calls = {}, {}
        for name, trial in trials.items():
            if trial.failure is not None:
                entries[name] = Entry(failure=trial.failure)
            elif trial.seconds > longest:
                entries[name] = Entry(summarize([trial.seconds]))
            else:
                try:
                    calls[name] = self._warm(name, operation, problem)
                except Exception as error:  # whatever another's code may raise
                    entries[name] = Entry(failure=describe(error))
        timings = race(calls, self.settings.budget, clock(self.settings.threads))
        return {**entries, **{name: Entry(timing) for name, timing in timings.items()}}

    def _warm(self, name: str, operation: Operation, problem: Problem) -> Callable[[], Any]:
        call = self.found.libraries[name].prepare(operation.name, problem)
        call.run()
        return call.run


def judge(
    operation: Operation, problem: Problem, trials: Mapping[str, Trial], exact: bool = False
) -> Dict[str, float]:
    """
    The errors of what came through: against the truth, if that is asked for and there is one; if
    not, against ours.
    """
    results = {
        name: torch.from_numpy(trial.result)
        for name, trial in trials.items()
        if trial.result is not None
    }
    reference = operation.truth(problem) if exact and operation.truth is not None else None
    if reference is None and OURS not in results:
        return {}
    return operation.judge(problem, results, reference)


def _work(size: Size) -> int:
    """Grows more slowly than any of the operations."""
    return size.batch * size.length**2
