"""All that a run found, whether it reaches the goals, and its form as JSON."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Dict, List, Optional

from benchmarks.figures import Figure
from benchmarks.goals import ERROR, GOALS, MEGABYTES, MILLISECONDS, Goal
from benchmarks.results import Cell
from benchmarks.scales import Scaled
from benchmarks.settings import Settings


@dataclass
class Report:
    """
    # Parameters

    settings : `Settings`
    machine : `Dict[str, Any]`
    versions : `Dict[str, str]`
        Of the libraries that take part.
    failures : `Dict[str, str]`
        Why the others do not.
    missing : `Dict[str, str]`
        The rows that ours does not offer, and why.
    cells : `List[Cell]`
    scaled : `List[Scaled]`
    figures : `List[Figure]`
    """

    settings: Settings
    machine: Dict[str, Any]
    versions: Dict[str, str]
    failures: Dict[str, str]
    missing: Dict[str, str] = field(default_factory=dict)
    cells: List[Cell] = field(default_factory=list)
    scaled: List[Scaled] = field(default_factory=list)
    figures: List[Figure] = field(default_factory=list)

    def as_json(self) -> Dict[str, Any]:
        """Plain values; numbers that are not finite come as words, since JSON has none."""
        return _plain(
            {
                "settings": asdict(self.settings),
                "machine": self.machine,
                "versions": self.versions,
                "failures": self.failures,
                "missing": self.missing,
                "cells": [cell_as_json(cell) for cell in self.cells],
                "scaled": [
                    {"scale": each.scale, "exact": each.exact, **cell_as_json(each.cell)}
                    for each in self.scaled
                ],
                "figures": [asdict(figure) for figure in self.figures],
                "goals": [
                    {**asdict(goal), "value": value, "verdict": goal.verdict(value)}
                    for goal in GOALS
                    for value in self.values(goal)
                ],
            }
        )

    def values(self, goal: Goal) -> List[Optional[float]]:
        """What was measured of a goal: one value for a cell, several for a row of figures."""
        cells = [(str(cell.size), cell) for cell in self.cells]
        cells += [(each.label, each.cell) for each in self.scaled]
        values = [
            value_in(cell, goal)
            for size, cell in cells
            if (cell.operation, size) == (goal.row, goal.size)
        ]
        return values + [figure.value for figure in self.figures if figure.row == goal.row]


def value_in(cell: Cell, goal: Goal) -> Optional[float]:
    """What a goal speaks of, in its unit; `None` if it was not measured."""
    if goal.unit == MEGABYTES:
        return cell.ours.megabytes
    if goal.unit == ERROR:
        return cell.ours.error
    if goal.unit == MILLISECONDS:
        timing = cell.ours.timing
        return None if timing is None else 1000 * timing.seconds / cell.size.batch
    return cell.ratio


def cell_as_json(cell: Cell) -> Dict[str, Any]:
    best = cell.best_peer
    return {
        "operation": cell.operation,
        "batch": cell.size.batch,
        "length": cell.size.length,
        "best_peer": None if best is None else best[0],
        "ratio": cell.ratio,
        "entries": {name: asdict(entry) for name, entry in cell.entries.items()},
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
