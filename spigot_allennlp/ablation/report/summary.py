"""
Summarises the records of all runs as a row for each variant: its scores over the seeds, its cost,
and its comparison with the baseline. All files of the report are made from this summary.
"""

import functools
import math
import statistics
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import numpy
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.ablation.plan.plan import Plan, RunId
from spigot_allennlp.ablation.report.best import Best, find_best, sign_of
from spigot_allennlp.ablation.report.comparison import (
    Comparison,
    Interval,
    Resampling,
    SeedScores,
    adjust_by_holm,
    bootstrap_means,
    compare,
    confidence_interval,
    resample,
)
from spigot_allennlp.ablation.run.instance_evaluation import InstanceScores, read_scores
from spigot_allennlp.ablation.run.run_record import DONE, RunRecord
from spigot_allennlp.ablation.run.single_run import INSTANCES_FILE, Run, make_runs


@dataclass(frozen=True)
class RunResult:
    """A run, and its record as read for the report."""

    run: Run
    record: RunRecord

    def score(self, metric: str) -> Optional[float]:
        """Returns a metric on the test data; `None` if the run is not done, or does not have it."""
        return self.record.test_metrics.get(metric) if self.record.state == DONE else None


@dataclass(frozen=True)
class Spread:
    """Summarises numbers. `deviation` is the sample standard deviation, with divisor `n - 1`."""

    number: int
    mean: float
    deviation: Optional[float]
    median: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class Row:
    """
    The report's data on a variant.

    # Parameters

    variant : `str`
    changes : `Dict[str, Any]`
        What distinguishes the variant from others (see `Variant`).
    states : `Dict[str, int]`
        The number of its runs in each state.
    spreads : `Dict[str, Spread]`, optional (default = `{}`)
        The spread of each metric over the seeds.
    seconds : `float`, optional (default = `None`)
        The median wall time of its finished runs: training and testing, over all attempts.
    cpu_seconds : `float`, optional (default = `None`)
        The median CPU time of the same runs.
    peak_memory_mb : `float`, optional (default = `None`)
        The largest peak memory of the same runs.
    peak_gpu_memory_mb : `float`, optional (default = `None`)
        The largest peak memory of the same runs on their GPU.
    interval : `Interval`, optional (default = `None`)
        The 95 % confidence interval of the mean of the first metric.
    comparison : `Comparison`, optional (default = `None`)
        The comparison with the baseline, by the first metric.
    not_compared : `str`, optional (default = `""`)
        Why there is no comparison.
    """

    variant: str
    changes: Dict[str, Any]
    states: Dict[str, int]
    spreads: Dict[str, Spread] = field(default_factory=dict)
    seconds: Optional[float] = None
    cpu_seconds: Optional[float] = None
    peak_memory_mb: Optional[float] = None
    peak_gpu_memory_mb: Optional[float] = None
    interval: Optional[Interval] = None
    comparison: Optional[Comparison] = None
    not_compared: str = ""


@dataclass(frozen=True)
class Summary:
    """
    All content of the report. `summarise` first makes it from plan and results, then computes
    `rows`, `is_exact` and `best` from these.

    # Parameters

    plan : `Plan`
    folder : `Path`
        The folder of the ablation, as an absolute path.
    results : `List[RunResult]`
        The runs in the order of the plan's variants, then of the seeds.
    rows : `List[Row]`, optional (default = `[]`)
        A row for each variant, in the order of the plan.
    resamples : `int`, optional (default = `0`)
        The number of samples of each kind for the comparisons.
    is_exact : `bool`, optional (default = `True`)
        Whether the first metric itself was resampled, not the mean of its values on single
        instances.
    best : `Dict[str, Best]`, optional (default = `{}`)
        The best variant by each metric of the plan.
    dropped : `Sequence[str]`, optional (default = `()`)
        The variants that the report omits. They are not in `plan`.
    """

    plan: Plan
    folder: Path
    results: List[RunResult]
    rows: List[Row] = field(default_factory=list)
    resamples: int = 0
    is_exact: bool = True
    best: Dict[str, Best] = field(default_factory=dict)
    dropped: Sequence[str] = ()

    def results_of(self, variant: str) -> List[RunResult]:
        """Returns the runs of a variant."""
        return [result for result in self.results if result.record.variant == variant]

    def scores_by_seed(self, variant: str, metric: str) -> Dict[int, float]:
        """Returns a test metric of the runs of a variant that have it, by seed."""
        scores = {result.record.seed: result.score(metric) for result in self.results_of(variant)}
        return {seed: score for seed, score in scores.items() if score is not None}

    def metric_names(self) -> List[str]:
        """Returns the names of all metrics that any run has."""
        names = (name for result in self.results for name in result.record.test_metrics)
        return list(dict.fromkeys(names))


def summarise(plan: Plan, folder: Path, resamples: int, dropped: Sequence[str] = ()) -> Summary:
    """
    Reads the records of all runs, and compares the variants with the baseline and the best.

    # Parameters

    plan : `Plan`
    folder : `Path`
        The folder of the ablation.
    resamples : `int`
        The number of samples of each kind for the comparisons.
    dropped : `Sequence[str]`, optional (default = `()`)
        The variants that were removed from the plan (`Plan.without`).

    # Raises

    `ConfigurationError` if no run that is done has a requested metric.
    """
    results = read_results(plan, folder)
    summary = Summary(plan, folder.absolute(), results, resamples=resamples, dropped=dropped)
    check_metrics(summary)
    resampled = {metric: resample_scores(summary, metric) for metric in plan.metrics}
    first = resampled[plan.metrics[0]]
    comparisons = adjust_by_holm(compare_variants(summary, plan.metrics[0], first, plan.baseline))
    return replace(
        summary,
        rows=[make_row(summary, name, first, comparisons.get(name)) for name in plan.variants],
        is_exact=all(
            scores.instances.is_exact for by_seed in first.values() for scores in by_seed.values()
        ),
        best={metric: best_variant(summary, metric, resampled[metric]) for metric in plan.metrics},
    )


def read_results(plan: Plan, folder: Path) -> List[RunResult]:
    """Reads the record of every run, in the order of the plan's variants, then of the seeds."""
    results = [RunResult(run, run.load_record()) for run in make_runs(plan, folder)]
    order = list(plan.variants)
    return sorted(
        results, key=lambda result: (order.index(result.record.variant), result.record.seed)
    )


def check_metrics(summary: Summary) -> None:
    """
    Checks that the models report the requested metrics.

    # Raises

    `ConfigurationError` if one of them does not exist.
    """
    known = summary.metric_names()
    unknown = [metric for metric in summary.plan.metrics if metric not in known]
    if known and unknown:
        raise ConfigurationError(
            f"--metric {' '.join(unknown)}: the models report no such metric. They report "
            f"{', '.join(known)}. What was trained is there: the same command with other metrics "
            "trains nothing anew."
        )


def resample_scores(summary: Summary, metric: str) -> Dict[str, SeedScores]:
    """
    Resamples a metric of all finished runs, by variant and seed. Runs that were tested on the same
    number of instances are resampled together, with the same samples of instances.
    """
    by_size: Dict[int, Dict[RunId, InstanceScores]] = {}
    for result in summary.results:
        value = result.score(metric)
        if value is None:
            continue
        source = result.record.test["sources"].get(metric)
        instances = read_scores(result.run.folder / INSTANCES_FILE, metric, value, source)
        if instances is not None and len(instances.rows):
            run_id = RunId(result.record.variant, result.record.seed)
            by_size.setdefault(len(instances.rows), {})[run_id] = instances
    by_variant: Dict[str, SeedScores] = {name: {} for name in summary.plan.variants}
    for size, scores_of_size in by_size.items():
        resampled = resample(scores_of_size, Resampling(size, summary.resamples))
        for run_id, scores in resampled.items():
            by_variant[run_id.variant][run_id.seed] = scores
    return by_variant


def compare_variants(
    summary: Summary, metric: str, scores: Dict[str, SeedScores], baseline: str
) -> Dict[str, Comparison]:
    """
    Compares each variant with the baseline, unless there is a reason not to. The p-values are not
    adjusted.

    # Parameters

    summary : `Summary`
    metric : `str`
    scores : `Dict[str, SeedScores]`
        The metric, by variant and seed, from `resample_scores`. The same in the functions below.
    baseline : `str`
        The name of a variant, which need not be the plan's baseline.
    """
    comparisons = {}
    for name, variant_scores in scores.items():
        size = _num_instances(variant_scores)
        reason = _reason_not_to_compare(summary, metric, scores, baseline, name)
        if name != baseline and size and not reason:
            resampling = Resampling(size, summary.resamples)
            comparisons[name] = compare(scores[baseline], variant_scores, resampling)
    return comparisons


def best_variant(summary: Summary, metric: str, scores: Dict[str, SeedScores]) -> Best:
    """
    Finds the best variant by a metric among those with more than one seed, over their common seeds.
    It names one only if there are two such seeds, and the test data are the same.
    """
    sign = sign_of(summary.plan, metric)
    values = {name: summary.scores_by_seed(name, metric) for name in summary.plan.variants}
    values = {
        name: by_seed
        for name, by_seed in values.items()
        if len(by_seed) > 1 and all(map(math.isfinite, by_seed.values()))
    }
    if len({_describe_test_data(summary, name) for name in values}) > 1:
        return Best(sign, reason="variants were tested on different data")
    seeds = {run_id.seed for run_id in summary.plan.run_ids}.intersection(*values.values())
    if len(values) > 1 and len(seeds) < 2:
        return Best(sign, reason="variants with more than one seed have fewer than two in common")
    means = {
        name: statistics.fmean(by_seed[seed] for seed in seeds) for name, by_seed in values.items()
    }
    shared_scores = {
        name: {seed: run for seed, run in scores[name].items() if seed in seeds} for name in means
    }
    return find_best(
        sign, means, lambda name: compare_variants(summary, metric, shared_scores, baseline=name)
    )


def make_row(
    summary: Summary, name: str, scores: Dict[str, SeedScores], comparison: Optional[Comparison]
) -> Row:
    """Makes the row of a variant. Its interval and the `scores` are for the first metric."""
    records = [result.record for result in summary.results_of(name)]
    done = [record for record in records if record.state == DONE]
    memory = [record.peak_memory_mb for record in done if record.peak_memory_mb]
    gpu_memory = [record.peak_gpu_memory_mb for record in done if record.peak_gpu_memory_mb]
    interval, reason = None, None
    size = _num_instances(scores[name])
    if size:
        resampling = Resampling(size, summary.resamples)
        interval = confidence_interval(bootstrap_means(list(scores[name].values()), resampling))
    if scores[name] and name != summary.plan.baseline:
        metric, baseline = summary.plan.metrics[0], summary.plan.baseline
        reason = _reason_not_to_compare(summary, metric, scores, baseline, name)
    return Row(
        variant=name,
        changes=summary.plan.variants[name].changes,
        states=dict(Counter(record.shown_state for record in records)),
        spreads=_spreads(summary, name),
        seconds=statistics.median(record.seconds for record in done) if done else None,
        cpu_seconds=statistics.median(record.cpu_seconds for record in done) if done else None,
        peak_memory_mb=max(memory, default=None),
        peak_gpu_memory_mb=max(gpu_memory, default=None),
        interval=interval,
        comparison=comparison,
        not_compared=reason or "",
    )


def _spreads(summary: Summary, name: str) -> Dict[str, Spread]:
    spreads = {}
    for metric in summary.plan.metrics:
        values = list(summary.scores_by_seed(name, metric).values())
        if values:
            spreads[metric] = _spread(values)
    return spreads


def _spread(values: List[float]) -> Spread:
    """
    Summarises one or more numbers, including NaN and infinity, which `statistics` cannot handle.
    """
    with numpy.errstate(invalid="ignore"):  # infinity minus infinity
        is_finite = all(map(math.isfinite, values))
        deviation = statistics.stdev if is_finite else functools.partial(numpy.std, ddof=1)
        return Spread(
            number=len(values),
            mean=statistics.fmean(values) if is_finite else float(numpy.mean(values)),
            deviation=float(deviation(values)) if len(values) > 1 else None,
            median=float(numpy.median(values)),
            lowest=float(numpy.min(values)),
            highest=float(numpy.max(values)),
        )


def _num_instances(scores: SeedScores) -> Optional[int]:
    """Returns the number of test instances; `None` if it differs between seeds."""
    sizes = {len(run.instances.rows) for run in scores.values()}
    return sizes.pop() if len(sizes) == 1 else None


def _reason_not_to_compare(
    summary: Summary, metric: str, scores: Dict[str, SeedScores], baseline: str, name: str
) -> Optional[str]:
    """Says why a variant cannot be compared with the baseline; `None` if it can."""
    for variant in (name, baseline):
        for seed, value in summary.scores_by_seed(variant, metric).items():
            if not math.isfinite(value):
                return f"{metric} of {variant} with seed {seed} is {value}"
    if not scores[baseline].keys() & scores[name].keys():
        return "it has no seed in common with the baseline"
    data = _describe_test_data(summary, name)
    data_of_baseline = _describe_test_data(summary, baseline)
    size = _num_instances(scores[name])
    if data != data_of_baseline or not size or size != _num_instances(scores[baseline]):
        return f"it was tested on {data}, the baseline on {data_of_baseline}"
    return None


def _describe_test_data(summary: Summary, variant: str) -> str:
    tests = [result.record.test for result in summary.results_of(variant) if result.record.test]
    names = sorted({f"{test['instances']} instances of {test['data']}" for test in tests})
    return " and ".join(names) or "nothing"
