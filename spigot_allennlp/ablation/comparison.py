"""Whether a variant is better than the baseline, or was lucky: in its test data, in its seeds."""

from dataclasses import dataclass, replace
from typing import Dict, List, Optional, Sequence, Tuple, TypeVar

import numpy

from spigot_allennlp.ablation.instance_scores import InstanceScores
from spigot_allennlp.ablation.resampling import Resampling

# With fewer seeds no outcome whatever has p < 0.05: signs can be flipped in 2 ** 5 ways only.
FEWEST_SEEDS = 6


@dataclass(frozen=True)
class Sampled:
    """
    # Parameters

    scores : `InstanceScores`
        Of one cell.
    draws : `numpy.ndarray`
        The metric over samples of the instances, shape `(draws,)`; the same samples for all cells.
    """

    scores: InstanceScores
    draws: numpy.ndarray


Key = TypeVar("Key")

# By seed.
Scores = Dict[int, Sampled]


def sampled(scores: Dict[Key, InstanceScores], resampling: Resampling) -> Dict[Key, Sampled]:
    """Of any number of cells, whose instances are the same."""
    drawn: Dict[Key, List[numpy.ndarray]] = {key: [] for key in scores}
    for chunk in resampling.selections():
        for key, one in scores.items():
            drawn[key].append(one.over(chunk @ one.rows))
    return {key: Sampled(one, numpy.concatenate(drawn[key])) for key, one in scores.items()}


@dataclass(frozen=True)
class Comparison:
    """
    # Parameters

    difference : `float`
        Of the means over the seeds that both have: variant minus baseline.
    low, high : `float`
        The 95 % confidence interval of the difference (`bootstrapped`).
    p : `float`
        Of a difference at least as large, either way, if it made no difference which of the two
        gave an output (`p_of_instances`).
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
        At 5 %: by the adjusted p-value, by the interval, which takes the seeds in, and by the test
        over seeds, where there are enough. Each looks at chances that another leaves out. Of one
        seed, nothing is.
        """
        holds_for_seeds = self.seeds > 1 and (self.p_over_seeds is None or self.p_over_seeds < 0.05)
        return self.p_adjusted < 0.05 and not self.low <= 0 <= self.high and holds_for_seeds


def compare(baseline: Scores, variant: Scores, resampling: Resampling) -> Comparison:
    """Both have at least one seed in common, and the same test instances."""
    seeds = sorted(baseline.keys() & variant.keys())
    theirs, ours = [baseline[seed] for seed in seeds], [variant[seed] for seed in seeds]
    difference = float((of_all(ours) - of_all(theirs)).mean())
    draws = bootstrapped(ours, resampling) - bootstrapped(theirs, resampling)
    low, high = interval(draws)
    p = p_of_instances(theirs, ours, resampling)
    over_seeds = p_of_seeds(of_all(theirs), of_all(ours))
    return Comparison(difference, low, high, p, p, over_seeds, len(seeds))


def of_all(samples: Sequence[Sampled]) -> numpy.ndarray:
    """The metric of all instances, for each seed."""
    return numpy.array([one.scores.over_all() for one in samples])


def bootstrapped(samples: Sequence[Sampled], resampling: Resampling) -> numpy.ndarray:
    """
    The mean over the seeds of the metric, shape `(draws,)`, each time over other instances and
    other seeds: both are drawn with replacement, the same for whoever has as many of them
    (the Multi-Bootstrap of [Sellam et al., 2022](https://arxiv.org/abs/2106.16163), section 4,
    paired in both). Of few seeds, such an interval is too narrow rather than too wide.
    """
    # (draws, seeds)
    drawn = numpy.stack([one.draws for one in samples], axis=1)
    chosen = resampling.seeds(len(samples))
    return numpy.take_along_axis(drawn, chosen, axis=1).mean(axis=1)


def interval(draws: numpy.ndarray) -> Tuple[float, float]:
    """The middle 95 %."""
    low, high = numpy.nanpercentile(draws, [2.5, 97.5])
    return float(low), float(high)


def p_of_instances(
    baseline: Sequence[Sampled], variant: Sequence[Sampled], resampling: Resampling
) -> float:
    """
    Paired approximate randomisation (Noreen, 1989;
    [Yeh, 2000](https://aclanthology.org/C00-2137)), two-sided: the outputs for an instance are
    exchanged, or not, with equal chances. All seeds exchange theirs together, since their outputs
    for one instance are not independent of each other. The models themselves are taken as given.
    """
    observed = abs((of_all(variant) - of_all(baseline)).mean())
    pairs = [(one.scores, two.scores) for one, two in zip(baseline, variant, strict=True)]
    extreme = 0
    for swap in resampling.swaps():
        differences = [
            ours.over((1 - swap) @ ours.rows + swap @ theirs.rows)
            - theirs.over((1 - swap) @ theirs.rows + swap @ ours.rows)
            for theirs, ours in pairs
        ]
        # Sums of the same numbers in another order are the same only almost.
        extreme += int((abs(numpy.mean(differences, axis=0)) >= observed - 1e-12).sum())
    return (extreme + 1) / (resampling.draws + 1)


def p_of_seeds(baseline: numpy.ndarray, variant: numpy.ndarray) -> Optional[float]:
    """
    Fisher's randomisation test of paired scores, two-sided: for each seed, the two are exchanged or
    not. It asks whether the next seeds would show the difference, on the same test data.
    """
    from scipy.stats import permutation_test

    if len(baseline) < FEWEST_SEEDS:
        return None
    found = permutation_test(
        (variant, baseline),
        lambda ours, theirs, axis: (ours - theirs).mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=2**14,
        rng=numpy.random.default_rng(3),
    )
    return float(found.pvalue)


def adjusted(comparisons: Dict[str, Comparison]) -> Dict[str, Comparison]:
    """
    With p-values under which all statements together are wrong by chance as rarely as one alone
    ([Holm, 1979](https://www.jstor.org/stable/4615733)).
    """
    order: List[str] = sorted(comparisons, key=lambda name: comparisons[name].p)
    largest, result = 0.0, {}
    for rank, name in enumerate(order):
        largest = max(largest, min(1.0, comparisons[name].p * (len(order) - rank)))
        result[name] = replace(comparisons[name], p_adjusted=largest)
    return {name: result[name] for name in comparisons}
