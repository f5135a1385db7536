"""Who is still right when the scores are large."""

from dataclasses import dataclass
from typing import Dict, Iterator

from benchmarks.cells import Bench, judge
from benchmarks.operation import OPERATIONS
from benchmarks.problem import Size
from benchmarks.results import Cell, Entry
from benchmarks.trial import Task

SCALES = (1.0, 10.0, 100.0, 1000.0)
SIZE = Size(2, 20)


@dataclass(frozen=True)
class Scaled:
    """
    A cell without times.

    # Parameters

    scale : `float`
        By which all scores are multiplied.
    cell : `Cell`
    exact : `bool`
        Whether the errors are distances from the truth (see `truth.py`); if not, from ours.
    """

    scale: float
    cell: Cell
    exact: bool

    @property
    def label(self) -> str:
        """As a goal names it in the place of a size."""
        return label(self.scale)


def label(scale: float) -> str:
    return f"scores x {scale:g}"


def scaled(bench: Bench, name: str) -> Iterator[Scaled]:
    """The operation `name` at every scale."""
    operation, seed = OPERATIONS[name], bench.settings.seed
    for scale in SCALES:
        trials = {
            library: bench.trials.run(Task(library, name, SIZE, seed, scale))
            for library, each in bench.found.libraries.items()
            if each.offers(name)
        }
        errors = judge(operation, operation.problem(SIZE, seed, scale), trials, exact=True)
        entries: Dict[str, Entry] = {
            library: Entry(failure=trial.failure, error=errors.get(library))
            for library, trial in trials.items()
        }
        yield Scaled(scale, Cell(name, SIZE, entries), operation.truth is not None)
