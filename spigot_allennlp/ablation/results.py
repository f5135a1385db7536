"""The records of all cells, put together: for each variant, its scores, seed by seed."""

import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Optional

from spigot_allennlp.ablation import record
from spigot_allennlp.ablation.experiment import cells_in
from spigot_allennlp.ablation.plan import Plan
from spigot_allennlp.ablation.record import Record


@dataclass(frozen=True)
class CellResult:
    """A cell's record, and the folder in which everything else about it is."""

    record: Record
    folder: Path

    def figure(self, metric: str) -> Optional[float]:
        """On the test data; `None` if it is not done, or has no such figure."""
        if self.record.state != record.DONE:
            return None
        return self.record.test["figures"].get(metric)


@dataclass(frozen=True)
class Results:
    """
    # Parameters

    plan : `Plan`
    folder : `Path`
    cells : `List[CellResult]`
        In the order of the plan's variants, then of the seeds.
    """

    plan: Plan
    folder: Path
    cells: List[CellResult] = field(default_factory=list)

    @classmethod
    def collect(cls, plan: Plan, folder: Path) -> "Results":
        cells = [CellResult(cell.record(), cell.folder) for cell in cells_in(plan, folder)]
        order = list(plan.variants)
        cells.sort(key=lambda one: (order.index(one.record.variant), one.record.seed))
        return cls(plan, folder, cells)

    def of(self, variant: str) -> List[CellResult]:
        return [cell for cell in self.cells if cell.record.variant == variant]

    def scores(self, variant: str, metric: str) -> Dict[int, float]:
        """By seed."""
        found = {cell.record.seed: cell.figure(metric) for cell in self.of(variant)}
        return {seed: score for seed, score in found.items() if score is not None}

    def known_figures(self) -> List[str]:
        """The names of all figures that some cell has."""
        named = (name for cell in self.cells for name in cell.record.test.get("figures", {}))
        return list(dict.fromkeys(named))


@dataclass(frozen=True)
class Spread:
    """What is said of some numbers. The deviation is that of the sample, `n - 1` below the line."""

    number: int
    mean: float
    deviation: Optional[float]
    median: float
    lowest: float
    highest: float


def spread(values: List[float]) -> Optional[Spread]:
    """`None` of no numbers at all."""
    if not values:
        return None
    deviation = statistics.stdev(values) if len(values) > 1 else None
    median, mean = statistics.median(values), statistics.fmean(values)
    return Spread(len(values), mean, deviation, median, min(values), max(values))
