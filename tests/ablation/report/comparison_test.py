import math
from itertools import product

import numpy
import pytest
from scipy.optimize import brentq
from scipy.stats import binomtest, nct, norm, t, ttest_1samp

from spigot_allennlp.ablation.report.comparison import (
    Comparison,
    Resampling,
    adjust_by_holm,
    compare,
    detectable_difference,
    holm,
    p_value_over_instances,
    p_value_over_seeds,
    resample,
    t_test_over_seeds,
)
from spigot_allennlp.ablation.run.instance_evaluation import (
    InstanceScores,
    mean_of_present,
    with_presence,
)


def accuracies(*rows):
    """Samples the scores of several seeds, each a row of what was right."""
    resampling = Resampling(len(rows[0]), 4000)
    scores = [
        InstanceScores(with_presence(numpy.array(row, float)), mean_of_present, True)
        for row in rows
    ]
    return resample(dict(enumerate(scores, start=1)), resampling), resampling


def f1_of(counts):
    """Right, predicted, gold: shape (instances, 3)."""
    rows = numpy.array(counts, float)
    return InstanceScores(rows, lambda t: 2 * t[:, 0] / (t[:, 1] + t[:, 2]), True)


RIGHT = [1] * 20
WORSE = [0] * 8 + [1] * 12


def test_the_p_value_of_one_seed_is_that_of_the_sign_test():
    (ours, resampling), (base, _) = accuracies(RIGHT), accuracies(WORSE)
    exact = binomtest(8, 8).pvalue
    p_value = p_value_over_instances([base[1]], [ours[1]], resampling)
    assert p_value == pytest.approx(exact, abs=0.004)


def test_the_p_value_of_a_micro_f1_is_that_of_all_exchanges():
    ours, theirs = (
        [[2, 3, 4], [1, 1, 2], [0, 2, 1], [3, 3, 3]],
        [[1, 3, 4], [1, 2, 2], [1, 1, 1], [0, 1, 3]],
    )
    resampling = Resampling(4, 6000)
    samples = resample({1: f1_of(ours), 2: f1_of(theirs)}, resampling)
    observed = abs(f1_of(ours).metric_of_all() - f1_of(theirs).metric_of_all())
    extreme = 0
    for swaps in product([0, 1], repeat=4):
        pairs = [(b, a) if swap else (a, b) for a, b, swap in zip(ours, theirs, swaps, strict=True)]
        left, right = (f1_of([pair[k] for pair in pairs]) for k in (0, 1))
        extreme += abs(left.metric_of_all() - right.metric_of_all()) >= observed - 1e-12
    assert p_value_over_instances([samples[2]], [samples[1]], resampling) == pytest.approx(
        extreme / 16, abs=0.02
    )


def test_the_same_outputs_are_no_difference():
    (ours, resampling), (base, _) = accuracies(WORSE, RIGHT), accuracies(WORSE, RIGHT)
    comparison = compare(ours, base, resampling)
    assert (comparison.difference, comparison.low, comparison.high, comparison.p) == (0, 0, 0, 1)
    assert not comparison.is_significant


def test_a_clear_difference_is_significant():
    less, more = [0] * 7 + [1] * 13, [0] * 9 + [1] * 11
    (ours, resampling), (base, _) = accuracies(RIGHT, RIGHT, RIGHT), accuracies(less, WORSE, more)
    comparison = compare(base, ours, resampling)
    assert comparison.is_significant and comparison.difference == pytest.approx(0.4)


@pytest.mark.parametrize("number", [1, 3, 5, 6])
def test_where_all_seeds_differ_equally_fisher_decides_if_there_are_six(number):
    (ours, resampling), (base, _) = accuracies(*[RIGHT] * number), accuracies(*[WORSE] * number)
    comparison = compare(base, ours, resampling)
    assert comparison.difference == pytest.approx(0.4)
    # The interval of a share of 8 in 20, seeds being all alike.
    assert comparison.low == pytest.approx(0.2, abs=0.051) and comparison.high == pytest.approx(
        0.6, abs=0.051
    )
    assert comparison.p < 0.05 and comparison.is_significant == (number == 6)


def test_seeds_that_differ_make_the_interval_wide():
    # By test instances alone the two would differ clearly; but seed 2 is the other way round.
    (ours, resampling), (base, _) = (
        accuracies(RIGHT, WORSE, RIGHT),
        accuracies(WORSE, RIGHT, WORSE),
    )
    comparison = compare(base, ours, resampling)
    assert comparison.low < 0 < comparison.high and not comparison.is_significant


def test_only_seeds_that_both_have_are_compared():
    (ours, resampling), (base, _) = accuracies(RIGHT, RIGHT, WORSE), accuracies(WORSE)
    comparison = compare(base, ours, resampling)
    assert comparison.seeds == 1 and comparison.difference == pytest.approx(0.4)


def test_an_interval_of_one_seed_is_the_percentile_bootstrap_of_the_instances():
    values = numpy.random.default_rng(0).normal(size=50)
    (ours, resampling), (base, _) = accuracies(values), accuracies(numpy.zeros(50))
    comparison = compare(base, ours, resampling)
    spread = values.std() / 50**0.5
    assert comparison.low == pytest.approx(values.mean() - 1.96 * spread, abs=0.05)
    assert comparison.high == pytest.approx(values.mean() + 1.96 * spread, abs=0.05)


def test_the_test_over_seeds_counts_flips_of_signs():
    better = numpy.arange(1.0, 8.0)
    assert p_value_over_seeds(numpy.zeros(7), better) == pytest.approx(2 / 2**7)
    assert p_value_over_seeds(better, better) == 1
    assert p_value_over_seeds(numpy.zeros(5), numpy.ones(5)) is None


@pytest.mark.parametrize("number", [2, 5, 30])
def test_the_t_test_over_seeds_is_that_of_scipy(number):
    differences = numpy.random.default_rng(number).normal(0.5, size=number)
    expected = ttest_1samp(differences, 0).pvalue
    assert t_test_over_seeds(differences) == pytest.approx(expected, rel=1e-9)
    assert t_test_over_seeds(-differences) == pytest.approx(expected, rel=1e-9)


def test_the_t_test_says_nothing_of_one_seed_or_of_seeds_that_all_differ_equally():
    assert t_test_over_seeds(numpy.array([0.1])) is None
    assert t_test_over_seeds(numpy.array([0.3 - 0.2, 0.8 - 0.7, 0.1])) is None


@pytest.mark.parametrize("number", [2, 3, 8, 34])
def test_the_detectable_difference_is_where_the_power_is_80_percent(number):
    differences = numpy.random.default_rng(number).normal(size=number)
    critical = t.ppf(0.975, number - 1)

    def power(difference):
        shift = difference / differences.std(ddof=1) * number**0.5
        found_wrong = nct.cdf(-critical, number - 1, shift)
        return nct.sf(critical, number - 1, shift) + (
            0 if numpy.isnan(found_wrong) else found_wrong
        )

    expected = brentq(lambda difference: power(difference) - 0.8, 1e-3, 1e3)
    assert detectable_difference(differences) == pytest.approx(expected, rel=1e-3)


def test_the_detectable_difference_is_that_of_published_tables():
    # Cohen's d = 0.5 takes 34 pairs (Faul et al., 2007: G*Power): 33 are too few.
    sizes = {}
    for number in (33, 34):
        differences = numpy.arange(number, dtype=float)
        sizes[number] = detectable_difference(differences) / differences.std(ddof=1)
    assert sizes[34] < 0.5 < sizes[33]


def test_a_detectable_difference_is_found_in_80_percent_of_simulations():
    differences = numpy.random.default_rng(0).normal(size=8)
    least = detectable_difference(differences)
    samples = numpy.random.default_rng(1).normal(least, differences.std(ddof=1), (20000, 8))
    found_by_t_test = ttest_1samp(samples, 0, axis=1).pvalue < 0.05
    assert found_by_t_test.mean() == pytest.approx(0.8, abs=0.01)
    # By the randomisation test over seeds, whose p is the share of signs that are as extreme.
    signs = numpy.array(list(product([-1, 1], repeat=8)))
    means = abs(samples @ signs.T)
    p_values = (means >= means[:, -1:] - 1e-12).mean(axis=1)
    assert (p_values < 0.05).mean() == pytest.approx(0.8, abs=0.04)
    assert p_value_over_seeds(numpy.zeros(8), samples[0]) == pytest.approx(p_values[0])


def test_with_six_seeds_the_test_over_seeds_finds_a_detectable_difference_in_62_percent():
    # With six seeds, p < 0.05 takes the same sign of all six differences: 2 / 2 ** 6.
    differences = numpy.random.default_rng(0).normal(size=6)
    shift = detectable_difference(differences) / differences.std(ddof=1)
    assert norm.cdf(shift) ** 6 == pytest.approx(0.62, abs=0.005)
    one_exception = numpy.array([1.0, 2, 3, 4, 5, -0.1])
    assert p_value_over_seeds(numpy.zeros(6), abs(one_exception)) < 0.05
    assert p_value_over_seeds(numpy.zeros(6), one_exception) > 0.05


def test_without_a_known_spread_over_seeds_no_difference_is_detectable():
    assert detectable_difference(numpy.array([0.1])) is None
    assert detectable_difference(numpy.full(4, 0.25)) is None
    rounded = numpy.array([0.3 - 0.2, 0.8 - 0.7, 0.1])
    assert rounded.std() > 0 and detectable_difference(rounded) is None
    assert detectable_difference(numpy.array([0.25, 0.25 + 1e-6])) > 0
    (ours, resampling), (base, _) = accuracies(RIGHT, WORSE), accuracies(WORSE, WORSE)
    # The first seed has differences of 0.4, the second has none.
    assert compare(base, ours, resampling).detectable == pytest.approx(
        detectable_difference(numpy.array([0.4, 0.0]))
    )


@pytest.mark.parametrize(
    "p, low, over_seeds, is_significant",
    [
        (0.01, 0.1, None, True),
        (0.01, 0.1, 0.04, True),
        (0.01, 0.1, 0.06, False),
        (0.01, -0.1, 0.04, False),
        (0.06, 0.1, 0.04, False),
    ],
)
def test_a_difference_is_significant_if_nothing_speaks_against_it(
    p, low, over_seeds, is_significant
):
    comparison = Comparison(0.2, low, 0.3, 0.001, p, over_seeds, 10, p_t_test=0.01)
    assert comparison.is_significant == is_significant


@pytest.mark.parametrize("p_t_test, is_significant", [(0.04, True), (0.06, False), (None, True)])
def test_a_difference_that_the_t_test_does_not_show_is_not_significant(p_t_test, is_significant):
    comparison = Comparison(0.2, 0.1, 0.3, 0.001, 0.001, 0.03, 10, p_t_test=p_t_test)
    assert comparison.is_significant == is_significant


def test_of_one_seed_nothing_is_significant():
    assert not Comparison(0.2, 0.1, 0.3, 0.001, 0.001, None, seeds=1).is_significant


def test_holms_adjustment_is_that_of_a_worked_example():
    p_values = {"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}
    comparisons = {name: Comparison(0, 0, 0, p, p, None, 1) for name, p in p_values.items()}
    adjusted = adjust_by_holm(comparisons)
    assert list(adjusted) == list(p_values)
    # In order: 4 x 0.005, 3 x 0.01, 2 x 0.03, and b no less than c.
    assert [adjusted[name].p_adjusted for name in "dacb"] == pytest.approx([0.02, 0.03, 0.06, 0.06])


def test_the_t_test_is_adjusted_as_the_p_value_over_instances_is():
    p_values = {"a": 0.01, "b": 0.04, "c": None, "d": 0.005}
    comparisons = {
        name: Comparison(0, 0, 0, 0.5, 0.5, None, 3, p_t_test=p) for name, p in p_values.items()
    }
    # In order: 4 x 0.005, 3 x 0.01, 2 x 0.04; one that has no p-value is counted all the same.
    adjusted = adjust_by_holm(comparisons)
    assert [adjusted[name].p_t_test for name in "dab"] == pytest.approx([0.02, 0.03, 0.08])
    assert adjusted["c"].p_t_test is None
    assert adjust_by_holm(comparisons, 10)["d"].p_t_test == pytest.approx(0.05)


def test_comparisons_that_the_data_chose_are_adjusted_for_all_from_which_they_were_chosen():
    comparisons = {
        name: Comparison(0, 0, 0, p, p, None, 1) for name, p in (("a", 0.01), ("b", 0.002))
    }
    adjusted = adjust_by_holm(comparisons, 6)
    # In order: 6 x 0.002, 5 x 0.01.
    assert [adjusted[name].p_adjusted for name in "ba"] == pytest.approx([0.012, 0.05])
    # Whatever the others are, Holm's method with all six adjusts these to no more.
    for others in ([0.001] * 4, [0.005] * 4, [0.02] * 4, [1.0] * 4):
        more = {str(n): Comparison(0, 0, 0, p, p, None, 1) for n, p in enumerate(others)}
        everything = adjust_by_holm({**comparisons, **more})
        assert all(adjusted[n].p_adjusted >= everything[n].p_adjusted for n in adjusted)


def test_the_samples_are_the_same_each_time():
    chunks = [list(Resampling(5, 300).bootstrap_counts()) for _ in range(2)]
    assert [chunk.shape for chunk in chunks[0]] == [(256, 5), (44, 5)]
    assert all((a == b).all() for a, b in zip(*chunks, strict=True))
    assert {int(total) for chunk in chunks[0] for total in chunk.sum(axis=1)} == {5}


def test_what_is_no_number_counts_as_extreme():
    resampling = Resampling(2, 100)

    def scores(*values):
        rows = numpy.array(values, float)[:, None]
        return InstanceScores(rows, lambda totals: totals[:, 0] / (totals[:, 0] > 1), True)

    with numpy.errstate(divide="ignore", invalid="ignore"):
        runs = resample({1: scores(0, 0), 2: scores(1, 1)}, resampling)
        assert p_value_over_instances([runs[1]], [runs[2]], resampling) == 1.0


def test_a_p_that_is_no_number_leaves_the_others_as_they_are():
    assert holm({"a": math.nan, "b": 0.04, "c": 0.01}) == pytest.approx(
        {"c": 0.03, "b": 0.08, "a": 1.0}
    )
