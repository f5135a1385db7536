"""An operation at a size: each library tries it, all results are checked, then they race."""

from dataclasses import dataclass, field, replace
from typing import Any, Callable, Dict, Iterator, Mapping, NamedTuple, Optional, Tuple

import torch

from benchmarks.library import OURS, Libraries, NotOffered, describe_exception
from benchmarks.measurement import clock, race, summarize
from benchmarks.operation import OPERATIONS, Operation
from benchmarks.problem import Problem, Size
from benchmarks.results import Cell, Entry, ScaledCell, Settings
from benchmarks.trial import WARM_UP, Task, Trial, Trials

SCALED_SIZE = Size(2, 20)
# A call longer than so many budgets is not repeated: its trial counts.
_LONGEST_REPEATED = 4
_MEGABYTE = 1e6


class _Duration(NamedTuple):
    """Holds how many seconds a library took at a size."""

    size: Size
    seconds: float


@dataclass
class Comparison:
    """Compares all libraries, and remembers how long each took, so that larger sizes which would
    exceed the patience are left out."""

    settings: Settings
    libraries: Libraries
    trials: Trials
    _durations: Dict[Tuple[str, str], _Duration] = field(default_factory=dict)

    def missing(self, operation: str) -> Optional[str]:
        """
        Returns why ours does not offer an operation, if so. Compiles its kernels, where that has
        not happened yet, those for large scores, too: a trial might end before it has compiled
        them, and so would the next. Whatever they raise is raised.
        """
        ours = self.libraries.installed[OURS]
        try:
            for scale in (1.0, *self.settings.scales):
                problem = OPERATIONS[operation].problem(WARM_UP, self.settings.seed, scale)
                ours.prepare(operation, problem).run()
        except NotOffered as error:
            return str(error)
        return None

    def cells(self, operation: str) -> Iterator[Cell]:
        """Yields the cells of an operation at all sizes."""
        for size in self.settings.sizes:
            yield self.cell(OPERATIONS[operation], size)

    def cell(self, operation: Operation, size: Size) -> Cell:
        """Returns the cell of an operation at a size."""
        names = self._offering(operation.name)
        trials = {name: self._try(name, operation, size) for name in names}
        errors = _errors(operation, operation.problem(size, self.settings.seed), trials)
        raced = self._race(operation, size, trials)
        entries = {
            name: replace(
                raced[name],
                megabytes=trial.peak / _MEGABYTE if trial.failure is None else None,
                error=errors.get(name),
            )
            for name, trial in trials.items()
        }
        return Cell(operation.name, size, entries)

    def scaled_cells(self, name: str) -> Iterator[ScaledCell]:
        """Yields cells of an operation that show who is still right when the scores are large."""
        operation, seed = OPERATIONS[name], self.settings.seed
        for scale in self.settings.scales:
            trials = {
                library: self.trials.run(Task(library, name, SCALED_SIZE, seed, scale))
                for library in self._offering(name)
            }
            problem = operation.problem(SCALED_SIZE, seed, scale)
            errors = _errors(operation, problem, trials, exact=True)
            entries: Dict[str, Entry] = {
                library: Entry(failure=trial.failure, error=errors.get(library))
                for library, trial in trials.items()
            }
            cell = Cell(name, SCALED_SIZE, entries)
            yield ScaledCell(scale, cell, operation.truth is not None)

    def _offering(self, operation: str) -> Iterator[str]:
        for name, library in self.libraries.installed.items():
            if library.offers(operation):
                yield name

    def _try(self, name: str, operation: Operation, size: Size) -> Trial:
        earlier = self._durations.get((name, operation.name), _Duration(size, 0.0))
        estimate = earlier.seconds * _work(size) / _work(earlier.size)
        if estimate > self.settings.patience:
            why = f"{earlier.seconds:.1f} s at {earlier.size} lets expect {estimate:.0f} s or more"
            return Trial(failure=f"left out: {why}", too_slow=True)
        trial = self.trials.run(Task(name, operation.name, size, self.settings.seed))
        if trial.seconds:
            self._durations[name, operation.name] = _Duration(size, trial.seconds)
        return trial

    def _race(
        self, operation: Operation, size: Size, trials: Mapping[str, Trial]
    ) -> Dict[str, Entry]:
        """Returns entries with times alone; those that failed their trial have none."""
        longest = _LONGEST_REPEATED * self.settings.budget
        problem = operation.problem(size, self.settings.seed)
        entries, calls = {}, {}
        for name, trial in trials.items():
            if trial.failure is not None:
                entries[name] = Entry(failure=trial.failure, too_slow=trial.too_slow)
            elif trial.seconds > longest:
                entries[name] = Entry(summarize([trial.seconds]))
            else:
                try:
                    calls[name] = self._warm_call(name, operation, problem)
                except Exception as error:  # whatever another's code may raise
                    entries[name] = Entry(failure=describe_exception(error))
        timings = race(calls, self.settings.budget, clock(self.settings.threads))
        return {**entries, **{name: Entry(timing) for name, timing in timings.items()}}

    def _warm_call(self, name: str, operation: Operation, problem: Problem) -> Callable[[], Any]:
        call = self.libraries.installed[name].prepare(operation.name, problem)
        call.run()
        return call.run


def _errors(
    operation: Operation, problem: Problem, trials: Mapping[str, Trial], exact: bool = False
) -> Dict[str, float]:
    """
    Returns the errors of the libraries that did not fail: against the truth, if `exact` and there
    is one; if not, against ours.
    """
    results = {
        name: torch.from_numpy(trial.result)
        for name, trial in trials.items()
        if trial.result is not None
    }
    reference = operation.truth(problem) if exact and operation.truth is not None else None
    if reference is None and OURS not in results:
        return {}
    return operation.check(problem, results, reference)


def _work(size: Size) -> int:
    """Returns an amount of work that grows more slowly than that of any operation."""
    return size.batch * size.length**2
