"""Whether a variant is better than the baseline, or was lucky: in its test data, in its seeds."""

from dataclasses import dataclass, replace
from typing import Dict, Iterator, List, Optional, Sequence, Tuple, TypeVar

import numpy

from spigot_allennlp.ablation.run.instance_evaluation import InstanceScores

# With fewer seeds no outcome whatever has p < 0.05: signs can be flipped in 2 ** 5 ways only.
FEWEST_SEEDS = 6

CHUNK = 256  # draws at a time, for the sake of memory


@dataclass(frozen=True)
class SampledScores:
    """
    The scores of a run, resampled.

    # Parameters

    scores : `InstanceScores`
    draws : `numpy.ndarray`
        The metric over samples of the instances, shape `(draws,)`; the same samples for all runs.
    """

    scores: InstanceScores
    draws: numpy.ndarray


Key = TypeVar("Key")

# The runs of a variant, by seed.
SeedScores = Dict[int, SampledScores]


@dataclass(frozen=True)
class Comparison:
    """
    How a variant differs from the baseline.

    # Parameters

    difference : `float`
        The difference of the means over the seeds that both have: variant minus baseline.
    low, high : `float`
        The 95 % confidence interval of the difference (`bootstrapped`).
    p : `float`
        The probability of a difference at least as large, either way, if it made no difference
        which of the two gave an output (`p_of_instances`).
    p_adjusted : `float`
        The same for all comparisons of the report together (`adjusted`).
    p_over_seeds : `float`, optional (default = `None`)
        `p_of_seeds`; `None` if there are less than `FEWEST_SEEDS`.
    seeds : `int`
        How many both have.
    """

    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float
    p_over_seeds: Optional[float]
    seeds: int

    @property
    def is_significant(self) -> bool:
        """
        Whether the difference is significant at 5 %: by the adjusted p-value, by the interval,
        which takes the seeds in, and by the test over seeds, where there are enough. Each allows
        for chances that the others leave out. Of one seed, nothing is significant.
        """
        holds_for_seeds = self.seeds > 1 and (self.p_over_seeds is None or self.p_over_seeds < 0.05)
        return self.p_adjusted < 0.05 and not self.low <= 0 <= self.high and holds_for_seeds


def compare(baseline: SeedScores, variant: SeedScores, resampling: "Resampling") -> Comparison:
    """
    Compares a variant with the baseline, which have at least one seed in common, and the same test
    instances.
    """
    seeds = sorted(baseline.keys() & variant.keys())
    theirs, ours = [baseline[seed] for seed in seeds], [variant[seed] for seed in seeds]
    difference = float((over_all_instances(ours) - over_all_instances(theirs)).mean())
    draws = bootstrapped(ours, resampling) - bootstrapped(theirs, resampling)
    low, high = interval(draws)
    p = p_of_instances(theirs, ours, resampling)
    over_seeds = p_of_seeds(over_all_instances(theirs), over_all_instances(ours))
    return Comparison(difference, low, high, p, p, over_seeds, len(seeds))


def sampled(
    scores: Dict[Key, InstanceScores], resampling: "Resampling"
) -> Dict[Key, SampledScores]:
    """Resamples the scores of any number of runs, whose instances are the same."""
    draws: Dict[Key, List[numpy.ndarray]] = {key: [] for key in scores}
    for chunk in resampling.selections():
        for key, of_run in scores.items():
            draws[key].append(of_run.metric_of(chunk @ of_run.rows))
    return {
        key: SampledScores(of_run, numpy.concatenate(draws[key])) for key, of_run in scores.items()
    }


def over_all_instances(samples: Sequence[SampledScores]) -> numpy.ndarray:
    """Returns the metric over all instances for each seed, shape `(seeds,)`."""
    return numpy.array([sample.scores.over_all() for sample in samples])


def bootstrapped(samples: Sequence[SampledScores], resampling: "Resampling") -> numpy.ndarray:
    """
    Returns the mean over the seeds of the metric, shape `(draws,)`, each time over other instances
    and other seeds: both are drawn with replacement, the same for whoever has as many of them
    (the Multi-Bootstrap of [Sellam et al., 2022](https://arxiv.org/abs/2106.16163), section 4,
    paired in both). Of few seeds, such an interval is too narrow rather than too wide.
    """
    # (draws, seeds)
    draws = numpy.stack([sample.draws for sample in samples], axis=1)
    seeds = resampling.seeds(len(samples))
    return numpy.take_along_axis(draws, seeds, axis=1).mean(axis=1)


def interval(draws: numpy.ndarray) -> Tuple[float, float]:
    """Returns the middle 95 %."""
    low, high = numpy.nanpercentile(draws, [2.5, 97.5])
    return float(low), float(high)


def p_of_instances(
    baseline: Sequence[SampledScores], variant: Sequence[SampledScores], resampling: "Resampling"
) -> float:
    """
    Tests by paired approximate randomisation (Noreen, 1989;
    [Yeh, 2000](https://aclanthology.org/C00-2137)), two-sided: the outputs for an instance are
    exchanged, or not, with equal chances. All seeds exchange theirs together, since their outputs
    for one instance are not independent of each other. Of other models it says nothing.
    """
    observed = abs((over_all_instances(variant) - over_all_instances(baseline)).mean())
    pairs = [(theirs.scores, ours.scores) for theirs, ours in zip(baseline, variant, strict=True)]
    extreme = 0
    for swap in resampling.swaps():
        differences = [
            ours.metric_of((1 - swap) @ ours.rows + swap @ theirs.rows)
            - theirs.metric_of((1 - swap) @ theirs.rows + swap @ ours.rows)
            for theirs, ours in pairs
        ]
        # Sums of the same numbers in another order are the same only almost.
        extreme += int((abs(numpy.mean(differences, axis=0)) >= observed - 1e-12).sum())
    return (extreme + 1) / (resampling.draws + 1)


def p_of_seeds(baseline: numpy.ndarray, variant: numpy.ndarray) -> Optional[float]:
    """
    Tests paired scores by Fisher's randomisation, two-sided: for each seed, the two are exchanged,
    or not. It asks whether the next seeds would show the difference, on the same test data.
    """
    from scipy.stats import permutation_test

    if len(baseline) < FEWEST_SEEDS:
        return None
    result = permutation_test(
        (variant, baseline),
        lambda ours, theirs, axis: (ours - theirs).mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=2**14,
        rng=numpy.random.default_rng(3),
    )
    return float(result.pvalue)


def adjusted(comparisons: Dict[str, Comparison]) -> Dict[str, Comparison]:
    """
    Adjusts the p-values so that all statements together are wrong by chance as rarely as a single
    one ([Holm, 1979](https://www.jstor.org/stable/4615733)).
    """
    order: List[str] = sorted(comparisons, key=lambda name: comparisons[name].p)
    largest, result = 0.0, {}
    for rank, name in enumerate(order):
        largest = max(largest, min(1.0, comparisons[name].p * (len(order) - rank)))
        result[name] = replace(comparisons[name], p_adjusted=largest)
    return {name: result[name] for name in comparisons}


@dataclass(frozen=True)
class Resampling:
    """
    The same random draws for every variant that is compared.

    # Parameters

    instances : `int`
        How many instances the test data have.
    draws : `int`
        How many samples are drawn.
    """

    instances: int
    draws: int

    def selections(self) -> Iterator[numpy.ndarray]:
        """
        Yields how often each instance is in a sample of as many, drawn with replacement: whole
        numbers, shape `(draws of the chunk, instances)`.
        """
        random = numpy.random.default_rng(0)
        even = numpy.full(self.instances, 1 / self.instances)
        for size in self._chunks():
            yield random.multinomial(self.instances, even, size).astype(float)

    def swaps(self) -> Iterator[numpy.ndarray]:
        """Yields zeros and ones, with equal chances: shape `(draws of the chunk, instances)`."""
        random = numpy.random.default_rng(1)
        for size in self._chunks():
            yield random.integers(0, 2, (size, self.instances)).astype(float)

    def seeds(self, number: int) -> numpy.ndarray:
        """Draws as many of `number` seeds, with replacement: indices of shape `(draws, number)`."""
        return numpy.random.default_rng(2).integers(0, number, (self.draws, number))

    def _chunks(self) -> Iterator[int]:
        for start in range(0, self.draws, CHUNK):
            yield min(CHUNK, self.draws - start)
