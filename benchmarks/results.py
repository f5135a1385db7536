"""Holds what was measured: an entry for each library, operation and size, and metrics."""

from dataclasses import dataclass, field
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from benchmarks.accuracy_check import describe_error
from benchmarks.goals import ERROR, MEGABYTES, MILLISECONDS, Goal
from benchmarks.library import OURS, UNAVAILABLE
from benchmarks.measurement import Timing
from benchmarks.operation import OPERATIONS
from benchmarks.problem import Size


@dataclass(frozen=True)
class Settings:
    """
    What is run, and how thoroughly.

    # Parameters

    rows : `Tuple[str, ...]`
        Names of operations and of metrics.
    batch_sizes, lengths : `Tuple[int, ...]`
        Every batch size is run with every length.
    threads : `int`
        Those of torch and of our kernels. With a single thread, times are those of the processor;
        with more, those of the clock on the wall, since the former add up over threads.
    budget : `float`
        Seconds for a library in a cell, all repetitions together.
    patience : `float`
        Seconds after which a single call is ended.
    seed : `int`
        Of the scores.
    without : `Tuple[str, ...]`
        The peers that are left out.
    sentences : `int`
        As many are trained on, and as many are parsed.
    parses : `int`
        How often a file is parsed while time is taken.
    scales : `Tuple[float, ...]`
        By which scores are multiplied, to see who is still right.
    """

    rows: Tuple[str, ...]
    batch_sizes: Tuple[int, ...] = (1, 32, 128)
    lengths: Tuple[int, ...] = (10, 20, 40, 80)
    threads: int = 1
    budget: float = 0.3
    patience: float = 20.0
    seed: int = 1
    without: Tuple[str, ...] = ()
    sentences: int = 640
    parses: int = 3
    scales: Tuple[float, ...] = (1.0, 10.0, 100.0, 1000.0)

    @property
    def sizes(self) -> List[Size]:
        """From the small to the large, so that it shows early what will take too long."""
        sizes = [Size(batch, length) for batch in self.batch_sizes for length in self.lengths]
        return sorted(sizes, key=lambda size: size.batch * size.length**2)


@dataclass(frozen=True)
class Entry:
    """
    A library in a cell.

    # Parameters

    timing : `Timing`, optional (default = `None`)
    megabytes : `float`, optional (default = `None`)
        By how much memory grew during the call, its result included.
    error : `float`, optional (default = `None`)
        See `accuracy_check.py`.
    failure : `str`, optional (default = `None`)
        Why there is nothing of the above.
    too_slow : `bool`, optional (default = `False`)
        Whether that is the patience of the settings alone.
    """

    timing: Optional[Timing] = None
    megabytes: Optional[float] = None
    error: Optional[float] = None
    failure: Optional[str] = None
    too_slow: bool = False


class Peer(NamedTuple):
    """A library, other than ours, by name, with its entry and its timing."""

    name: str
    entry: Entry
    timing: Timing


@dataclass(frozen=True)
class Cell:
    """An operation at a size; `entries` by library."""

    operation: str
    size: Size
    entries: Dict[str, Entry]

    @property
    def ours(self) -> Entry:
        return self.entries[OURS]

    @property
    def best_peer(self) -> Optional[Peer]:
        """The fastest of the other libraries whose result is right."""
        peers = [
            Peer(name, entry, entry.timing)
            for name, entry in self.entries.items()
            if name != OURS and entry.timing is not None and self.is_right(entry)
        ]
        return min(peers, key=lambda peer: (peer.timing.seconds, peer.name), default=None)

    @property
    def ratio(self) -> Optional[float]:
        """Returns how many times ours the best peer takes; `None` also if ours is wrong."""
        peer = self.best_peer
        if peer is None or self.ours.timing is None or not self.is_right(self.ours):
            return None
        return peer.timing.seconds / self.ours.timing.seconds

    def is_right(self, entry: Entry) -> bool:
        """Returns whether the error of an entry is within the tolerance of the operation."""
        return entry.error is not None and OPERATIONS[self.operation].is_right(entry.error)

    def complaints(self) -> Dict[str, str]:
        """Returns the libraries that failed or are wrong, each with how."""
        complaints = {}
        for name, entry in self.entries.items():
            if entry.failure is not None:
                complaints[name] = entry.failure
            elif entry.error is not None and not self.is_right(entry):
                complaints[name] = describe_error(entry.error)
        return complaints

    def value(self, goal: Goal) -> Optional[float]:
        """Returns the value that a goal speaks of, in its unit; `None` if it was not measured."""
        if goal.unit == MEGABYTES:
            return self.ours.megabytes
        if goal.unit == ERROR:
            return self.ours.error
        if goal.unit == MILLISECONDS:
            timing = self.ours.timing
            return None if timing is None else 1000 * timing.seconds / self.size.batch
        return self.ratio


@dataclass(frozen=True)
class ScaledCell:
    """
    A cell without times, of large or small scores.

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
        return f"scores x {self.scale:g}"


@dataclass(frozen=True)
class Metric:
    """
    A number beside the cells.

    # Parameters

    row : `str`
        The name under which it may have a goal.
    label : `str`
        Which of several of that row.
    value : `float`
    unit : `str`
    detail : `str`
        How it was measured.
    """

    row: str
    label: str
    value: float
    unit: str
    detail: str


class ScalingPoint(NamedTuple):
    """
    How fast a parser is at a size, by the clock on the wall.

    # Parameters

    task : `str`
        `"training"` or `"parsing"`.
    parser : `str`
    size : `Size`
    threads : `int`
    rate : `float`
        Words a second.
    """

    task: str
    parser: str
    size: Size
    threads: int
    rate: float


@dataclass
class Results:
    """
    All that a run has measured.

    # Parameters

    settings : `Settings`
    machine : `Dict[str, Any]`
    versions : `Dict[str, str]`
        Of the libraries that take part.
    failures : `Dict[str, str]`
        Why the others do not.
    missing : `Dict[str, str]`
        The rows that are left out, since ours does not offer them or their only peer does not take
        part, and why.
    failed : `Dict[str, str]`
        The rows that cannot be measured, and why.
    cells : `List[Cell]`
    scaled : `List[ScaledCell]`
    metrics : `List[Metric]`
    scaling : `List[ScalingPoint]`
    """

    settings: Settings
    machine: Dict[str, Any]
    versions: Dict[str, str]
    failures: Dict[str, str]
    missing: Dict[str, str] = field(default_factory=dict)
    failed: Dict[str, str] = field(default_factory=dict)
    cells: List[Cell] = field(default_factory=list)
    scaled: List[ScaledCell] = field(default_factory=list)
    metrics: List[Metric] = field(default_factory=list)
    scaling: List[ScalingPoint] = field(default_factory=list)

    def reasons_to_fail(self) -> List[str]:
        """Returns why the run as a whole has failed: peers that are missing and were not left out
        on purpose, rows that cannot be measured, and cells in which ours fails or is wrong."""
        on_purpose = {*UNAVAILABLE, *self.settings.without}
        reasons = [f"{name} {why}" for name, why in self.failures.items() if name not in on_purpose]
        reasons += [f"{row}: {why}" for row, why in self.failed.items()]
        for cell in self.cells:
            complaint = cell.complaints().get(OURS)
            if complaint is not None and not cell.ours.too_slow:
                reasons.append(f"{cell.operation} {cell.size}: {OURS}: {complaint}")
        return reasons

    def values(self, goal: Goal) -> List[Optional[float]]:
        """Returns what was measured of a goal: a value for each cell or metric of its row."""
        cells = [(str(cell.size), cell) for cell in self.cells]
        cells += [(scaled.label, scaled.cell) for scaled in self.scaled]
        values = [
            cell.value(goal)
            for size, cell in cells
            if (cell.operation, size) == (goal.row, goal.size)
        ]
        return values + [
            metric.value
            for metric in self.metrics
            if metric.row == goal.row and goal.size in ("", metric.label)
        ]
