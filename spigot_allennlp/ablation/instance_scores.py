"""A metric over any selection of the test instances, without the model that was tested."""

import importlib
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, List, Optional

import numpy

from spigot_allennlp.ablation.cell import INSTANCES
from spigot_allennlp.ablation.results import CellResult
from spigot_allennlp.metrics.counting_metric import CountingMetric


@dataclass(frozen=True)
class InstanceScores:
    """
    # Parameters

    rows : `numpy.ndarray`
        Shape `(num_instances, num_counts)`: what each instance adds to the counts. Floating-point
        numbers, whose products are fast, also where they are integers.
    over : `Callable[[numpy.ndarray], numpy.ndarray]`
        From sums of rows, shape `(n, num_counts)`, to the metric of each, shape `(n,)`.
    is_exact : `bool`
        Whether the metric over the sum of all rows is that of all instances. It is not where an
        instance's own value of a metric says nothing of its part in the whole: that of an F1, say,
        which was not counted by a `CountingMetric`.
    """

    rows: numpy.ndarray
    over: Callable[[numpy.ndarray], numpy.ndarray]
    is_exact: bool

    def over_all(self) -> float:
        """The metric over all instances."""
        return float(self.over(self.rows.sum(axis=0, keepdims=True))[0])


def read_scores(cell: CellResult, metric: str) -> Optional[InstanceScores]:
    """What the test of a cell kept of a metric; `None` if it has no such metric."""
    file = cell.folder / INSTANCES
    recorded = cell.figure(metric)
    if recorded is None or not file.exists():
        return None
    source = cell.record.test["sources"].get(metric)
    with numpy.load(file) as arrays:
        if source:
            rows = arrays[f"counts {source['place']}"].astype(float)
            over = counted(source)
        elif f"values {metric}" in arrays:
            rows, over = with_presence(arrays[f"values {metric}"]), mean
        else:
            return None
    found = InstanceScores(rows, over, is_exact=False)
    is_exact = bool(numpy.isclose(found.over_all(), recorded, rtol=1e-6, atol=1e-9))
    return replace(found, is_exact=is_exact)


def counted(source: Dict[str, Any]) -> Callable[[numpy.ndarray], numpy.ndarray]:
    """A figure of a counting metric, which is made from its class and its attributes."""
    module, _, name = source["class"].rpartition(".")
    kind = getattr(importlib.import_module(module), name)
    assert issubclass(kind, CountingMetric), f"{kind} was recorded as a CountingMetric"
    metric = kind.__new__(kind)
    vars(metric).update(source["attributes"])

    def figure(counts: List[int]) -> float:
        found = metric.figures(counts) if any(counts) else {}
        return found.get(source["figure"], numpy.nan)

    return lambda totals: numpy.array([figure(row) for row in totals.astype(int).tolist()])


def with_presence(values: numpy.ndarray) -> numpy.ndarray:
    """Each value and a one; two zeros for NaN. Shape `(num_instances, 2)`."""
    present = ~numpy.isnan(values)
    return numpy.stack([numpy.where(present, values, 0.0), present], axis=1)


def mean(totals: numpy.ndarray) -> numpy.ndarray:
    """NaN of no values."""
    total, number = totals.T
    return numpy.where(number > 0, total / numpy.maximum(number, 1), numpy.nan)
