"""A metric over any selection of the test instances, without the model that was tested."""

import importlib
from dataclasses import dataclass
from typing import Any, Callable, Dict, Optional

import numpy

from spigot_allennlp.ablation.cell import INSTANCES
from spigot_allennlp.ablation.results import CellResult
from spigot_allennlp.metrics.counting_metric import CountingMetric


@dataclass(frozen=True)
class InstanceScores:
    """
    # Parameters

    rows : `numpy.ndarray`
        Shape `(num_instances, num_counts)`: what each instance adds to the counts.
    figure : `Callable[[numpy.ndarray], float]`
        From the sum of rows, shape `(num_counts,)`, to the metric.
    is_exact : `bool`
        Whether `figure` of all rows is the metric of all instances. It is not where an instance's
        own value of a metric says nothing of its part in the whole: that of an F1, say, which was
        not counted by a `CountingMetric`.
    """

    rows: numpy.ndarray
    figure: Callable[[numpy.ndarray], float]
    is_exact: bool

    def over(self, totals: numpy.ndarray) -> numpy.ndarray:
        """The metric of each sum of rows: from shape `(n, num_counts)` to `(n,)`."""
        return numpy.array([self.figure(total) for total in totals])


def read_scores(cell: CellResult, metric: str) -> Optional[InstanceScores]:
    """What the test of a cell kept of a metric; `None` if it has no such metric."""
    file = cell.folder / INSTANCES
    recorded = cell.figure(metric)
    if recorded is None or not file.exists():
        return None
    source = cell.record.test["sources"].get(metric)
    with numpy.load(file) as arrays:
        if source:
            rows, figure = arrays[f"counts {source['place']}"], counted_figure(source)
        elif f"values {metric}" in arrays:
            rows, figure = with_presence(arrays[f"values {metric}"]), mean_figure
        else:
            return None
    is_exact = bool(numpy.isclose(figure(rows.sum(axis=0)), recorded, rtol=1e-6, atol=1e-9))
    return InstanceScores(rows, figure, is_exact)


def counted_figure(source: Dict[str, Any]) -> Callable[[numpy.ndarray], float]:
    """The figure of a counting metric, which is made from its class and its attributes."""
    module, _, name = source["class"].rpartition(".")
    kind = getattr(importlib.import_module(module), name)
    assert issubclass(kind, CountingMetric), f"{kind} was recorded as a CountingMetric"
    metric = kind.__new__(kind)
    vars(metric).update(source["attributes"])

    def figure(counts: numpy.ndarray) -> float:
        found = metric.figures(counts.astype(int).tolist()) if counts.any() else {}
        return found.get(source["figure"], numpy.nan)

    return figure


def with_presence(values: numpy.ndarray) -> numpy.ndarray:
    """Each value and a one; two zeros for NaN. Shape `(num_instances, 2)`."""
    present = ~numpy.isnan(values)
    return numpy.stack([numpy.where(present, values, 0.0), present], axis=1)


def mean_figure(totals: numpy.ndarray) -> float:
    return totals[0] / totals[1] if totals[1] else numpy.nan
