"""
Tests whether a variant differs from the baseline by more than the chance of test data and seeds.
"""

import math
from dataclasses import dataclass, replace
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, TypeVar

import numpy

from spigot_allennlp.ablation.run.instance_evaluation import InstanceScores

# With fewer seeds, no outcome has p < 0.05: signs can be flipped in only 2 ** 5 ways.
FEWEST_SEEDS = 6

# The probability that a detectable difference is found.
POWER = 0.8

CHUNK = 256  # samples at a time, to limit memory


class Interval(NamedTuple):
    """A 95 % confidence interval."""

    low: float
    high: float


class ResampledScores(NamedTuple):
    """
    What is needed to compare a metric of a run with that of another.

    # Parameters

    instances : `InstanceScores`
        What each test instance adds to the metric.
    samples : `numpy.ndarray`
        The metric over bootstrap samples of the instances, shape `(num_samples,)`. The samples are
        the same for all runs.
    """

    instances: InstanceScores
    samples: numpy.ndarray


Key = TypeVar("Key")

# A metric over the runs of a variant, by seed.
SeedScores = Dict[int, ResampledScores]


@dataclass(frozen=True)
class Comparison:
    """
    How a variant differs from the baseline.

    # Parameters

    difference : `float`
        The difference of the means over the common seeds: variant minus baseline.
    low, high : `float`
        The 95 % confidence interval of the difference (`bootstrap_means`).
    p : `float`
        The two-sided p-value: the probability of a difference at least as large if the outputs of
        the two were interchangeable (`p_value_over_instances`).
    p_adjusted : `float`
        `p`, adjusted for all comparisons of the report by `adjust_by_holm`; equal to `p` before
        that.
    p_over_seeds : `float`, optional (default = `None`)
        The p-value over seeds (`p_value_over_seeds`); `None` if there are fewer than
        `FEWEST_SEEDS`. It cannot be adjusted for several comparisons: with few seeds, it is never
        small enough.
    seeds : `int`
        The number of common seeds.
    detectable : `float`, optional (default = `None`)
        The smallest difference that the test could detect at best (`detectable_difference`); `None`
        if the spread over the seeds is unknown.
    p_t_test : `float`, optional (default = `None`)
        The p-value of a paired t-test over the seeds (`t_test_over_seeds`), also adjusted by
        `adjust_by_holm`; `None` if the spread over the seeds is unknown.
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
        over seeds, by the interval, which covers both, and by Fisher's test over seeds, if there
        are enough seeds. Each accounts for chance that the others ignore. Without a test over
        seeds, nothing is significant: with one seed, or with fewer than `FEWEST_SEEDS` seeds and
        equal differences, which two or three seeds easily have by chance if a metric has few
        distinct values.
        """
        over_seeds = [p for p in (self.p_over_seeds, self.p_t_test) if p is not None]
        holds_for_seeds = bool(over_seeds) and all(p < 0.05 for p in over_seeds)
        return self.p_adjusted < 0.05 and not self.low <= 0 <= self.high and holds_for_seeds


def compare(baseline: SeedScores, variant: SeedScores, resampling: "Resampling") -> Comparison:
    """
    Compares a variant with the baseline. The two must share at least one seed and the test
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
    Resamples any number of scores over the same test instances: one metric of many runs, by
    `RunId`, or, in `allennlp score`, all metrics of two systems.
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
    Returns the mean of the metric over the seeds for each sample, shape `(num_samples,)`. Both
    instances and seeds are sampled with replacement, in the same way for all variants with as many
    of them (the Multi-Bootstrap of [Sellam et al., 2022](https://arxiv.org/abs/2106.16163), section
    4, paired in both). With few seeds, such an interval is too narrow rather than too wide.
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
    A two-sided test by paired approximate randomisation (Noreen, 1989; [Yeh,
    2000](https://aclanthology.org/C00-2137)): the outputs for an instance are swapped or not, with
    equal chances. All seeds swap together, since their outputs for one instance are not independent
    of each other. The test says nothing about other models.
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
        # Sums of the same numbers in a different order are only almost equal. NaN counts as
        # extreme.
        extreme += int((~(abs(numpy.mean(differences, axis=0)) < observed - 1e-12)).sum())
    return (extreme + 1) / (resampling.num_samples + 1)


def p_value_over_seeds(baseline: numpy.ndarray, variant: numpy.ndarray) -> Optional[float]:
    """
    A two-sided test of paired scores by Fisher's randomisation: for each seed, the two are swapped
    or not. It asks whether further seeds would show the difference, on the same test data.
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
    Student's paired t-test, two-sided, of whether the mean difference over all possible seeds is
    zero. It assumes normal differences. This allows small p-values with few seeds, which an
    adjustment for several comparisons needs. Long-tailed differences make it miss more, rather than
    find false differences.

    # Parameters

    differences : `numpy.ndarray`
        The observed difference for each seed, shape `(num_seeds,)`.

    # Returns

    `Optional[float]`
        `None` if the spread is unknown, as for `detectable_difference`.
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
    would find in a fraction `POWER` of all repetitions, if the differences vary between seeds as
    much as they do here ([Cohen, 1988](https://doi.org/10.4324/9780203771587), section 2.3). It is
    positive, on the scale of the metric. `Comparison.is_significant` requires more than that test,
    and so has less power: with six seeds, `p_value_over_seeds` alone finds this difference in 62 %.

    # Parameters

    differences : `numpy.ndarray`
        The observed difference for each seed, shape `(num_seeds,)`.

    # Returns

    `Optional[float]`
        `None` if the spread is unknown: with a single seed, or if all differences are equal, as
        with seeds that have no effect.
    """
    from scipy.special import nctdtrinc, stdtrit

    if _spread_is_unknown(differences):
        return None
    number = len(differences)
    critical = stdtrit(number - 1, 0.975)
    # The statistic has a noncentral t-distribution. The wrong tail has almost no probability.
    noncentrality = nctdtrinc(number - 1, 1 - POWER, critical)
    return float(noncentrality * differences.std(ddof=1) / number**0.5)


def _spread_is_unknown(differences: numpy.ndarray) -> bool:
    """Returns whether there is one seed, or all differences are equal up to rounding."""
    return len(differences) < 2 or bool(numpy.ptp(differences) < 1e-12)


def adjust_by_holm(
    comparisons: Dict[str, Comparison], num_statements: Optional[int] = None
) -> Dict[str, Comparison]:
    """
    Adjusts the p-values over instances, and those of the t-test over seeds, so that in each family
    the chance of any false positive is no larger than for a single test ([Holm,
    1979](https://www.jstor.org/stable/4615733)).

    # Parameters

    comparisons : `Dict[str, Comparison]`
    num_statements : `int`, optional (default = `len(comparisons)`)
        The number of all tests that were possible, if the data selected these comparisons among
        them. Whatever the p-values of the others, no result is smaller than with Holm's method on
        all of them.
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
    Adjusts p-values by Holm's method, with `num_statements` as in `adjust_by_holm`. NaN counts as
    the largest.
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
    Random samples of test instances and seeds, the same for all compared variants.

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
        Yields, in chunks, how often each instance is in a sample of `num_instances` with
        replacement: integers, shape `(chunk_size, num_instances)`.
        """
        random = numpy.random.default_rng(0)
        even = numpy.full(self.num_instances, 1 / self.num_instances)
        for size in self._chunk_sizes():
            yield random.multinomial(self.num_instances, even, size).astype(float)

    def swaps(self) -> Iterator[numpy.ndarray]:
        """
        Yields, in chunks, zeros and ones with equal chances, shape `(chunk_size, num_instances)`: 1
        where the outputs for an instance are swapped.
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
