"""One row for each variant: its scores over the seeds, what it cost, how it compares."""

import statistics
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Tuple

from spigot_allennlp.ablation import record
from spigot_allennlp.ablation.analysis import Analysis
from spigot_allennlp.ablation.comparison import Comparison
from spigot_allennlp.ablation.progress import state_in_words
from spigot_allennlp.ablation.results import Results, Spread, spread


@dataclass(frozen=True)
class Row:
    """
    # Parameters

    variant : `str`
    changes : `Dict[str, Any]`
        What distinguishes it.
    states : `Dict[str, int]`
        How many of its cells are in which state.
    spreads : `Dict[str, Spread]`
        Of each metric, over the seeds.
    seconds : `float`, optional (default = `None`)
        The median wall time of its cells that are done: training, testing and all attempts.
    cpu_seconds : `float`, optional (default = `None`)
        The median of the same cells.
    peak_memory_mb : `float`, optional (default = `None`)
        The largest of its cells.
    peak_gpu_memory_mb : `float`, optional (default = `None`)
    interval : `Tuple[float, float]`, optional (default = `None`)
        The 95 % confidence interval of the mean of the first metric.
    comparison : `Comparison`, optional (default = `None`)
        With the baseline, by the first metric.
    not_compared : `str`, optional (default = `""`)
        Why not.
    """

    variant: str
    changes: Dict[str, Any]
    states: Dict[str, int]
    spreads: Dict[str, Spread] = field(default_factory=dict)
    seconds: Optional[float] = None
    cpu_seconds: Optional[float] = None
    peak_memory_mb: Optional[float] = None
    peak_gpu_memory_mb: Optional[float] = None
    interval: Optional[Tuple[float, float]] = None
    comparison: Optional[Comparison] = None
    not_compared: str = ""


def summarise(results: Results, analysis: Analysis) -> List[Row]:
    """In the order of the plan."""
    return [_row(results, name, analysis) for name in results.plan.variants]


def _row(results: Results, name: str, analysis: Analysis) -> Row:
    cells = [cell.record for cell in results.of(name)]
    done = [one for one in cells if one.state == record.DONE]
    spreads = {
        metric: spread(list(results.scores(name, metric).values()))
        for metric in results.plan.metrics
    }
    return Row(
        name,
        results.plan.variants[name].changes,
        dict(Counter(state_in_words(one) for one in cells)),
        {metric: one for metric, one in spreads.items() if one is not None},
        statistics.median(one.seconds for one in done) if done else None,
        statistics.median(one.cpu_seconds for one in done) if done else None,
        max((one.peak_memory_mb for one in done if one.peak_memory_mb), default=None),
        max((one.peak_gpu_memory_mb for one in done if one.peak_gpu_memory_mb), default=None),
        analysis.intervals.get(name),
        analysis.comparisons.get(name),
        analysis.not_compared.get(name, ""),
    )
