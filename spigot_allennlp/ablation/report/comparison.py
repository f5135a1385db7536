"""Tests whether a variant differs from the baseline by more than chance in test data and seeds."""

import math
from dataclasses import dataclass, replace
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, TypeVar

import numpy

from spigot_allennlp.ablation.run.instance_evaluation import InstanceScores

# With fewer seeds no outcome whatever has p < 0.05: signs can be flipped in 2 ** 5 ways only.
FEWEST_SEEDS = 6

# The probability with which a detectable difference is found.
POWER = 0.8

CHUNK = 256  # samples at a time, for the sake of memory


class Interval(NamedTuple):
    """A 95 % confidence interval."""

    low: float
    high: float


class ResampledScores(NamedTuple):
    """
    What a metric of a run needs to be compared with that of another.

    # Parameters

    instances : `InstanceScores`
        What each test instance adds to the metric.
    samples : `numpy.ndarray`
        The metric over bootstrap samples of the instances, which are the same for all runs; shape
        `(num_samples,)`.
    """

    instances: InstanceScores
    samples: numpy.ndarray


Key = TypeVar("Key")

# A metric of the runs of a variant, by seed.
SeedScores = Dict[int, ResampledScores]


@dataclass(frozen=True)
class Comparison:
    """
    How a variant differs from the baseline.

    # Parameters

    difference : `float`
        The difference of the means over the seeds that both have: variant minus baseline.
    low, high : `float`
        The 95 % confidence interval of the difference (`bootstrap_means`).
    p : `float`
        The probability of a difference at least as large, either way, if it made no difference
        which of the two gave an output (`p_value_over_instances`).
    p_adjusted : `float`
        The same for all comparisons of the report together, after `adjust_by_holm`; before, as `p`.
    p_over_seeds : `float`, optional (default = `None`)
        The p-value over seeds (`p_value_over_seeds`); `None` if there are less than `FEWEST_SEEDS`.
        It cannot be adjusted for several comparisons: of few seeds, it is never small enough.
    seeds : `int`
        The number of seeds that both have.
    detectable : `float`, optional (default = `None`)
        The smallest difference that could have been seen at best (`detectable_difference`); `None`
        if the spread over the seeds is not known.
    p_t_test : `float`, optional (default = `None`)
        The p-value of a paired t-test over the seeds (`t_test_over_seeds`), which `adjust_by_holm`
        adjusts, too; `None` if the spread over the seeds is not known.
    """

    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float
    p_over_seeds: Optional[float]
    seeds: int
    detectable: Optional[float] = None
    p_t_test: Optional[float] = None

    @property
    def is_significant(self) -> bool:
        """
        Whether the difference is significant at 5 %: by the adjusted p-values over instances and
        over seeds, by the interval, which takes both in, and by Fisher's test over seeds, where
        there are enough. Each allows for chances that the others leave out. Where there is no test
        over seeds, nothing is significant: of one seed, and of fewer than `FEWEST_SEEDS` that all
        differ equally, as two or three easily do by chance in a metric of few distinct values.
        """
        over_seeds = [p for p in (self.p_over_seeds, self.p_t_test) if p is not None]
        holds_for_seeds = bool(over_seeds) and all(p < 0.05 for p in over_seeds)
        return self.p_adjusted < 0.05 and not self.low <= 0 <= self.high and holds_for_seeds


def compare(baseline: SeedScores, variant: SeedScores, resampling: "Resampling") -> Comparison:
    """
    Compares a variant with the baseline, which have at least one seed in common, and the same test
    instances. No p-value is adjusted.
    """
    seeds = sorted(baseline.keys() & variant.keys())
    theirs, ours = [baseline[seed] for seed in seeds], [variant[seed] for seed in seeds]
    their_metric, our_metric = metric_by_seed(theirs), metric_by_seed(ours)
    differences = bootstrap_means(ours, resampling) - bootstrap_means(theirs, resampling)
    low, high = confidence_interval(differences)
    p = p_value_over_instances(theirs, ours, resampling)
    return Comparison(
        difference=float((our_metric - their_metric).mean()),
        low=low,
        high=high,
        p=p,
        p_adjusted=p,
        p_over_seeds=p_value_over_seeds(their_metric, our_metric),
        seeds=len(seeds),
        detectable=detectable_difference(our_metric - their_metric),
        p_t_test=t_test_over_seeds(our_metric - their_metric),
    )


def resample(
    scores: Dict[Key, InstanceScores], resampling: "Resampling"
) -> Dict[Key, ResampledScores]:
    """
    Resamples any number of scores over the same test instances: of a metric of many runs, by
    `RunId`; in `allennlp score`, of all metrics of two systems.
    """
    samples: Dict[Key, List[numpy.ndarray]] = {key: [] for key in scores}
    for counts in resampling.bootstrap_counts():
        for key, instances in scores.items():
            samples[key].append(instances.metric_of(counts @ instances.rows))
    return {
        key: ResampledScores(instances, numpy.concatenate(samples[key]))
        for key, instances in scores.items()
    }


def metric_by_seed(runs: Sequence[ResampledScores]) -> numpy.ndarray:
    """Returns the metric over all instances for each seed, shape `(num_seeds,)`."""
    return numpy.array([run.instances.metric_of_all() for run in runs])


def bootstrap_means(runs: Sequence[ResampledScores], resampling: "Resampling") -> numpy.ndarray:
    """
    Returns the mean over the seeds of the metric, shape `(num_samples,)`, each time over other
    instances and other seeds: both are sampled with replacement, in the same way for all variants
    with as many of them (the Multi-Bootstrap of [Sellam et al.,
    2022](https://arxiv.org/abs/2106.16163), section 4, paired in both). Of few seeds, such an
    interval is too narrow rather than too wide.
    """
    # (num_samples, num_seeds)
    samples = numpy.stack([run.samples for run in runs], axis=1)
    seeds = resampling.seed_indices(len(runs))
    return numpy.take_along_axis(samples, seeds, axis=1).mean(axis=1)


def confidence_interval(samples: numpy.ndarray) -> Interval:
    """Returns the middle 95 % of the samples."""
    low, high = numpy.nanpercentile(samples, [2.5, 97.5])
    return Interval(float(low), float(high))


def p_value_over_instances(
    baseline: Sequence[ResampledScores],
    variant: Sequence[ResampledScores],
    resampling: "Resampling",
) -> float:
    """
    Tests by paired approximate randomisation (Noreen, 1989;
    [Yeh, 2000](https://aclanthology.org/C00-2137)), two-sided: the outputs for an instance are
    exchanged, or not, with equal chances. All seeds exchange theirs together, since their outputs
    for one instance are not independent of each other. Of other models it says nothing.
    """
    observed = abs((metric_by_seed(variant) - metric_by_seed(baseline)).mean())
    runs = zip(baseline, variant, strict=True)
    pairs = [(theirs.instances, ours.instances) for theirs, ours in runs]
    extreme = 0
    for swap in resampling.swaps():
        differences = [
            ours.metric_of((1 - swap) @ ours.rows + swap @ theirs.rows)
            - theirs.metric_of((1 - swap) @ theirs.rows + swap @ ours.rows)
            for theirs, ours in pairs
        ]
        # Sums of the same numbers in another order are the same only almost. What is no number
        # counts as extreme.
        extreme += int((~(abs(numpy.mean(differences, axis=0)) < observed - 1e-12)).sum())
    return (extreme + 1) / (resampling.num_samples + 1)


def p_value_over_seeds(baseline: numpy.ndarray, variant: numpy.ndarray) -> Optional[float]:
    """
    Tests paired scores by Fisher's randomisation, two-sided: for each seed, the two are exchanged,
    or not. It asks whether the next seeds would show the difference, on the same test data.
    """
    if len(baseline) < FEWEST_SEEDS:
        return None
    from scipy.stats import permutation_test

    result = permutation_test(
        (variant, baseline),
        lambda ours, theirs, axis: (ours - theirs).mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=2**14,
        rng=numpy.random.default_rng(3),
    )
    return float(result.pvalue)


def t_test_over_seeds(differences: numpy.ndarray) -> Optional[float]:
    """
    Tests by Student's paired t-test, two-sided, whether the mean difference over all seeds that
    there could be is zero. It takes the differences as normal, which lets it have small p-values
    with few seeds, as an adjustment for several comparisons needs them. Differences with long
    tails make it miss more, rather than find what is not there.

    # Parameters

    differences : `numpy.ndarray`
        The observed difference for each seed, shape `(num_seeds,)`.

    # Returns

    `Optional[float]`
        `None` if the spread is not known, as for `detectable_difference`.
    """
    from scipy.special import stdtr

    if _spread_is_unknown(differences):
        return None
    number = len(differences)
    statistic = differences.mean() / (differences.std(ddof=1) / number**0.5)
    return float(2 * stdtr(number - 1, -abs(statistic)))


def detectable_difference(differences: numpy.ndarray) -> Optional[float]:
    """
    Returns the smallest true difference that a paired t-test over the seeds, two-sided at 5 %,
    would find in `POWER` of all repetitions, if the two differ from seed to seed by as much as they
    did here ([Cohen, 1988](https://doi.org/10.4324/9780203771587), section 2.3). It is of the size
    of the metric, and positive. `Comparison.is_significant` asks for more than that test, and so
    has less power: with six seeds, `p_value_over_seeds` alone finds this difference in 62 %.

    # Parameters

    differences : `numpy.ndarray`
        The observed difference for each seed, shape `(num_seeds,)`.

    # Returns

    `Optional[float]`
        `None` if the spread is not known: of a single seed, or of differences that are all equal,
        as those of seeds that have no effect are.
    """
    from scipy.special import nctdtrinc, stdtrit

    if _spread_is_unknown(differences):
        return None
    number = len(differences)
    critical = stdtrit(number - 1, 0.975)
    # The statistic has a noncentral t-distribution; the wrong tail has next to no probability.
    noncentrality = nctdtrinc(number - 1, 1 - POWER, critical)
    return float(noncentrality * differences.std(ddof=1) / number**0.5)


def _spread_is_unknown(differences: numpy.ndarray) -> bool:
    """Says whether there is one seed, or all seeds differ equally, but for rounding."""
    return len(differences) < 2 or bool(numpy.ptp(differences) < 1e-12)


def adjust_by_holm(
    comparisons: Dict[str, Comparison], num_statements: Optional[int] = None
) -> Dict[str, Comparison]:
    """
    Adjusts the p-values over instances, and those of the t-test over seeds, each so that all
    statements together are wrong by chance as rarely as a single statement ([Holm,
    1979](https://www.jstor.org/stable/4615733)).

    # Parameters

    comparisons : `Dict[str, Comparison]`
    num_statements : `int`, optional (default = `len(comparisons)`)
        The number of all statements that might have been made, if these comparisons were chosen
        among them by the data. Whatever the p-values of the others, none is adjusted to less than
        Holm's method with all of them would.
    """
    if num_statements is None:
        num_statements = len(comparisons)
    over_instances = holm({name: c.p for name, c in comparisons.items()}, num_statements)
    t_tests = {name: c.p_t_test for name, c in comparisons.items()}
    known = {name: p for name, p in t_tests.items() if p is not None}
    over_seeds = holm(known, num_statements)
    return {
        name: replace(comparison, p_adjusted=over_instances[name], p_t_test=over_seeds.get(name))
        for name, comparison in comparisons.items()
    }


def holm(p_values: Dict[str, float], num_statements: Optional[int] = None) -> Dict[str, float]:
    """
    Adjusts p-values by Holm's method, with `num_statements` as in `adjust_by_holm`. One that is no
    number counts as the largest.
    """
    number = len(p_values) if num_statements is None else num_statements
    largest, adjusted = 0.0, {}
    in_order = sorted(p_values, key=lambda name: (math.isnan(p_values[name]), p_values[name]))
    for rank, name in enumerate(in_order):
        largest = max(largest, min(1.0, p_values[name] * (number - rank)))
        adjusted[name] = largest
    return adjusted


@dataclass(frozen=True)
class Resampling:
    """
    Random samples of test instances and seeds, the same for every variant that is compared.

    # Parameters

    num_instances : `int`
        The number of test instances.
    num_samples : `int`
        The number of samples of each kind.
    """

    num_instances: int
    num_samples: int

    def bootstrap_counts(self) -> Iterator[numpy.ndarray]:
        """
        Yields, chunk by chunk, how often each instance is in a sample of `num_instances`, with
        replacement: whole numbers, shape `(chunk_size, num_instances)`.
        """
        random = numpy.random.default_rng(0)
        even = numpy.full(self.num_instances, 1 / self.num_instances)
        for size in self._chunk_sizes():
            yield random.multinomial(self.num_instances, even, size).astype(float)

    def swaps(self) -> Iterator[numpy.ndarray]:
        """
        Yields, chunk by chunk, zeros and ones with equal chances: 1 where the outputs for an
        instance are exchanged, shape `(chunk_size, num_instances)`.
        """
        random = numpy.random.default_rng(1)
        for size in self._chunk_sizes():
            yield random.integers(0, 2, (size, self.num_instances)).astype(float)

    def seed_indices(self, num_seeds: int) -> numpy.ndarray:
        """Samples seeds with replacement: their indices, shape `(num_samples, num_seeds)`."""
        return numpy.random.default_rng(2).integers(0, num_seeds, (self.num_samples, num_seeds))

    def _chunk_sizes(self) -> Iterator[int]:
        for start in range(0, self.num_samples, CHUNK):
            yield min(CHUNK, self.num_samples - start)
