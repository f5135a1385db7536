"""Which variants can be compared with the baseline, and how they do."""

from dataclasses import dataclass, field, replace
from typing import Dict, List, Optional, Tuple

from spigot_allennlp.ablation.comparison import (
    Comparison,
    Scores,
    adjusted,
    bootstrapped,
    compare,
    interval,
    sampled,
)
from spigot_allennlp.ablation.instance_scores import InstanceScores, read_scores
from spigot_allennlp.ablation.resampling import Resampling
from spigot_allennlp.ablation.results import Results


@dataclass(frozen=True)
class Analysis:
    """
    By variant, for the first metric of the plan.

    # Parameters

    intervals : `Dict[str, Tuple[float, float]]`
        95 % confidence intervals of the mean.
    comparisons : `Dict[str, Comparison]`
        With the baseline.
    not_compared : `Dict[str, str]`
        Why not.
    is_exact : `bool`
        Whether the metric itself was resampled, or the mean of what it is of each instance alone.
    """

    intervals: Dict[str, Tuple[float, float]] = field(default_factory=dict)
    comparisons: Dict[str, Comparison] = field(default_factory=dict)
    not_compared: Dict[str, str] = field(default_factory=dict)
    is_exact: bool = True


def analyse(results: Results, draws: int) -> Analysis:
    """`draws` of each kind of resampling."""
    plan, found = results.plan, Analysis()
    scores = read_all(results, draws)
    for name, ours in scores.items():
        size = size_of(ours)
        if size:
            means = bootstrapped(list(ours.values()), Resampling(size, draws))
            found.intervals[name] = interval(means)
        reason = reason_not_to_compare(results, name, scores[plan.baseline], ours)
        if name != plan.baseline and ours and reason:
            found.not_compared[name] = reason
        elif name != plan.baseline and size:
            resampling = Resampling(size, draws)
            found.comparisons[name] = compare(scores[plan.baseline], ours, resampling)
    cells = [one.scores for each in scores.values() for one in each.values()]
    return replace(
        found,
        comparisons=adjusted(found.comparisons),
        is_exact=all(one.is_exact for one in cells),
    )


def read_all(results: Results, draws: int) -> Dict[str, Scores]:
    """Of the cells that are done, sampled, by variant and seed."""
    metric = results.plan.metrics[0]
    by_size: Dict[int, Dict[Tuple[str, int], InstanceScores]] = {}
    for cell in results.cells:
        scores = read_scores(cell, metric)
        if scores is not None and len(scores.rows):
            key = cell.record.variant, cell.record.seed
            by_size.setdefault(len(scores.rows), {})[key] = scores
    found: Dict[str, Scores] = {name: {} for name in results.plan.variants}
    for size, cells in by_size.items():
        for (name, seed), sample in sampled(cells, Resampling(size, draws)).items():
            found[name][seed] = sample
    return found


def size_of(scores: Scores) -> Optional[int]:
    """Of the test data; `None` if it is not the same for all seeds, or there are no scores."""
    sizes = {len(one.scores.rows) for one in scores.values()}
    return sizes.pop() if len(sizes) == 1 else None


def reason_not_to_compare(
    results: Results, name: str, baseline: Scores, ours: Scores
) -> Optional[str]:
    """In words; `None` if there is none."""
    data: List[str] = [tested_on(results, one) for one in (results.plan.baseline, name)]
    if not baseline.keys() & ours.keys():
        return "it has no seed in common with the baseline"
    if data[0] != data[1] or not size_of(ours) or size_of(ours) != size_of(baseline):
        return f"it was tested on {data[1]}, the baseline on {data[0]}"
    return None


def tested_on(results: Results, variant: str) -> str:
    tests = [cell.record.test for cell in results.of(variant) if cell.record.test]
    told = sorted({f"{one['instances']} instances of {one['data']}" for one in tests})
    return " and ".join(told) or "nothing"
