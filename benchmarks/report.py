"""Results as text, as JSON and as plots: a table, and below it what a number cannot say."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from benchmarks.accuracy_check import describe_error
from benchmarks.goals import GOALS, RATIO, Goal, goals_of
from benchmarks.plots import plot_ratios, plot_scaling
from benchmarks.results import Cell, Entry, Metric, Results, ScaledCell, ScalingPoint
from spigot_allennlp.compat.atomic_io import write

_MISSING = "-"


def save(results: Results, folder: Path) -> None:
    """Writes the table, the numbers and the plots into `folder`, each file whole."""
    write(folder / "table.txt", as_text(results))
    numbers = json.dumps(as_json(results), indent=1, allow_nan=False)
    write(folder / "results.json", numbers + "\n")
    plot_ratios(results.cells, folder)
    plot_scaling(results.scaling, folder)


# ---- Text


def as_text(results: Results) -> str:
    """Returns the table, and sections below it."""
    rows = [_HEADER, *map(row_of_cell, results.cells), *map(row_of_metric, results.metrics)]
    sections = [
        "\n".join(_aligned(rows)),
        _section("Goals", goal_lines(results)),
        _section("Failed, or wrong", complaint_lines(results)),
        _section("Right when scores are multiplied?", scaled_lines(results.scaled)),
        _section("Scaling, words a second", scaling_lines(results.scaling)),
        _section("Left out", [f"{row}: {why}" for row, why in results.missing.items()]),
        _section("How", method_lines(results)),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


class TableRow(NamedTuple):
    """
    The texts of a row of the table. Times are those of a batch, medians, in milliseconds; memory is
    what the call adds.
    """

    row: str
    size: str = ""
    ours: str = ""
    best_peer: str = ""
    peer: str = ""
    ratio: str = ""
    goals: str = ""
    megabytes_of_ours: str = ""
    megabytes_of_peer: str = ""


_HEADER = TableRow(
    "operation", "size", "ours", "best peer", "", "ratio", "goal", "MB ours", "MB peer"
)


def row_of_cell(cell: Cell) -> TableRow:
    """Returns the row of a cell."""
    peer = cell.best_peer
    entry = Entry() if peer is None else peer.entry
    goals = [
        _with_verdict(goal, cell.value(goal)) for goal in goals_of(cell.operation, str(cell.size))
    ]
    return TableRow(
        row=cell.operation,
        size=str(cell.size),
        ours=_milliseconds(cell.ours),
        best_peer=_milliseconds(entry),
        peer=_MISSING if peer is None else peer.name,
        ratio=_MISSING if cell.ratio is None else f"{cell.ratio:.1f}x",
        goals="; ".join(goals),
        megabytes_of_ours=_megabytes(cell.ours),
        megabytes_of_peer=_megabytes(entry),
    )


def row_of_metric(metric: Metric) -> TableRow:
    """Returns the row of a metric: a ratio, or a quantity of ours."""
    goals = "; ".join(
        _with_verdict(goal, metric.value)
        for label in ("", metric.label)
        for goal in goals_of(metric.row, label)
    )
    name = f"{metric.row}, {metric.label}"
    if metric.unit == RATIO:
        return TableRow(name, ratio=f"{metric.value:.2f}x", goals=goals)
    return TableRow(name, ours=f"{metric.value:.3g} {metric.unit}", goals=goals)


def goal_lines(results: Results) -> List[str]:
    """Returns how many goals are met, and those that are not."""
    verdicts = [(goal, goal.verdict(value)) for goal in GOALS for value in results.values(goal)]
    others = [(goal, verdict) for goal, verdict in verdicts if verdict != "met"]
    lines = [f"{len(verdicts) - len(others)} of {len(verdicts)} met"] if verdicts else []
    return lines + [
        " ".join(filter(None, [goal.row, goal.size, goal.text])) + f": {verdict}"
        for goal, verdict in others
    ]


class _Case(NamedTuple):
    """A way in which a library fails at an operation."""

    library: str
    operation: str
    complaint: str


def complaint_lines(results: Results) -> List[str]:
    """Returns which libraries are missing, which rows could not be measured, and which libraries
    failed where, with like cases together."""
    missing = {**results.failures, **results.failed}
    lines = [f"{name}: {failure}" for name, failure in missing.items()]
    sizes: Dict[_Case, List[str]] = {}
    for cell in results.cells:
        for name, complaint in cell.complaints().items():
            sizes.setdefault(_Case(name, cell.operation, complaint), []).append(str(cell.size))
    return lines + [
        f"{case.library}, {case.operation} at {', '.join(at)}: {case.complaint}"
        for case, at in sizes.items()
    ]


def scaled_lines(scaled_cells: Sequence[ScaledCell]) -> List[str]:
    """Returns a line for each operation and scale: the verdict on each library."""
    rows = [
        (
            scaled.cell.operation,
            scaled.label,
            "against the truth" if scaled.exact else "against the others",
            *(f"{name}: {_rightness(scaled.cell, at)}" for name, at in scaled.cell.entries.items()),
        )
        for scaled in scaled_cells
    ]
    return _aligned(rows)


def scaling_lines(points: Sequence[ScalingPoint]) -> List[str]:
    """Returns a line for each size and number of threads, with the rate of each parser."""
    rows: Dict[Tuple[str, ...], List[str]] = {}
    for point in points:
        threads = f"{point.threads} thread{'s' if point.threads > 1 else ''}"
        rates = rows.setdefault((point.task, str(point.size), threads), [])
        rates.append(f"{point.parser} {point.rate:.0f}")
    return _aligned([(*case, *rates) for case, rates in rows.items()])


def method_lines(results: Results) -> Iterator[str]:
    """Yields how everything was measured, and where."""
    settings = results.settings
    clock = "the processor's time" if settings.threads == 1 else "wall-clock time"
    yield (
        f"ours, best peer: milliseconds a batch, median of {clock}, {settings.threads} thread(s), "
        f"up to {settings.budget:g} s each; MB: by how much the first call raises the peak"
    )
    for metric in results.metrics:
        yield f"{metric.row}, {metric.label}: {metric.detail}"
    yield ", ".join(f"{name} {version}" for name, version in results.versions.items())
    yield ", ".join(f"{name} {value}" for name, value in results.machine.items())


def _aligned(rows: Sequence[Tuple[str, ...]]) -> List[str]:
    """Returns rows with columns as wide as their widest text; rows may differ in length."""
    columns = max((len(row) for row in rows), default=0)
    filled = [[*row, *[""] * (columns - len(row))] for row in rows]
    widths = [max(map(len, column)) for column in zip(*filled, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in filled
    ]


def _with_verdict(goal: Goal, value: Optional[float]) -> str:
    return f"{goal.text}: {goal.verdict(value)}"


def _rightness(cell: Cell, entry: Entry) -> str:
    if entry.failure is not None:
        return entry.failure
    if entry.error is None:
        return "not checked"
    return "right" if cell.is_right(entry) else describe_error(entry.error)


def _milliseconds(entry: Entry) -> str:
    return _MISSING if entry.timing is None else f"{1000 * entry.timing.seconds:.3g}"


def _megabytes(entry: Entry) -> str:
    return _MISSING if entry.megabytes is None else f"{entry.megabytes:.1f}"


def _section(title: str, lines: Iterable[str]) -> str:
    indented = [f"  {line}" for line in lines]
    return "\n".join([f"{title}:", *indented]) if indented else ""


# ---- JSON


def as_json(results: Results) -> Dict[str, Any]:
    """Returns plain values; numbers that are not finite become words, since JSON has none."""
    return _plain(
        {
            "settings": asdict(results.settings),
            "machine": results.machine,
            "versions": results.versions,
            "failures": results.failures,
            "missing": results.missing,
            "failed": results.failed,
            "cells": [_cell_as_json(cell) for cell in results.cells],
            "scaled": [
                {"scale": scaled.scale, "exact": scaled.exact, **_cell_as_json(scaled.cell)}
                for scaled in results.scaled
            ],
            "metrics": [asdict(metric) for metric in results.metrics],
            "scaling": [{**point._asdict(), "size": str(point.size)} for point in results.scaling],
            "goals": [
                {**asdict(goal), "value": value, "verdict": goal.verdict(value)}
                for goal in GOALS
                for value in results.values(goal)
            ],
        }
    )


def _cell_as_json(cell: Cell) -> Dict[str, Any]:
    peer = cell.best_peer
    return {
        "operation": cell.operation,
        "batch": cell.size.batch,
        "length": cell.size.length,
        "best_peer": None if peer is None else peer.name,
        "ratio": cell.ratio,
        "entries": {name: asdict(entry) for name, entry in cell.entries.items()},
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
