"""Which variant is marked as the best, and which as equal to it."""

from dataclasses import replace

import numpy
import pytest
from scipy.stats import norm

from spigot_allennlp.ablation.plan.plan import Plan, Variant
from spigot_allennlp.ablation.report.best import Best, find_best, sign_of
from spigot_allennlp.ablation.report.comparison import (
    Comparison,
    Resampling,
    adjust_by_holm,
    compare,
    resample,
)
from spigot_allennlp.ablation.run.instance_evaluation import (
    InstanceScores,
    mean_of_present,
    with_presence,
)


def plan_of(**validation_metrics):
    variants = {
        name: Variant(name, {"trainer": {"validation_metric": metric} if metric else {}})
        for name, metric in validation_metrics.items()
    }
    return Plan("base.jsonnet", variants, [], None, ["f1"], "a")


def differs(difference, is_significant=True):
    p = 0.001 if is_significant else 0.5
    low, high = difference - 0.01, difference + 0.01
    return Comparison(difference, low, high, p, p, None, 3, p_t_test=p)


@pytest.mark.parametrize(
    "metric, sign",
    [
        *(("loss", -1), ("semantic_loss", -1), ("mean_squared_error", -1), ("bits", -1)),
        *(("cross_entropy", -1), ("entropy", 0)),
        *(("accuracy", 1), ("accuracy3", 1), ("labelled_f1", 1), ("v_measure", 1), ("uas", 1)),
        *(("arcs_changed", 0), ("lossy", 0)),
    ],
)
def test_the_name_of_a_metric_says_what_is_better(metric, sign):
    assert sign_of(plan_of(a=None), metric) == sign


def test_the_validation_metric_of_the_trainer_decides():
    plan = plan_of(a=["-accuracy", "+arcs_changed"], b="+loss")
    assert [sign_of(plan, metric) for metric in ("accuracy", "arcs_changed", "loss")] == [-1, 1, 1]


def test_a_trainer_that_is_but_a_name_says_nothing_of_a_metric():
    plan = Plan("base.json", {"foo": Variant("foo", {"trainer": "foo"})}, [])
    assert [sign_of(plan, metric) for metric in ("accuracy", "loss", "size")] == [1, -1, 0]


@pytest.mark.parametrize("metric, best, worst", [("f1", "c", "a"), ("loss", "a", "c")])
def test_the_best_has_most_or_least_and_ties_with_all_that_are_not_worse(metric, best, worst):
    asked = []

    def compare_with(name):
        asked.append(name)
        sign = 1 if metric == "loss" else -1
        return {worst: differs(sign * 0.2), "b": differs(sign * 0.1, is_significant=False)}

    means = {"a": 0.5, "b": 0.6, "c": 0.7}
    winner = find_best(sign_of(plan_of(a=None), metric), means, compare_with)
    assert asked == [best] and (winner.variant, list(winner.ties)) == (best, ["b"])
    assert [winner.mark(name) for name in (best, "b", worst)] == ["best", "≈ best", ""]


def test_a_tie_takes_a_comparison_over_two_seeds_and_the_others_are_named():
    means = {"a": 0.5, "b": 0.6, "c": 0.7, "d": 0.55}
    comparisons = {"b": differs(0.2), "d": replace(differs(-0.1), seeds=1)}
    winner = find_best(sign_of(plan_of(a=None), "f1"), means, lambda name: comparisons)
    assert (winner.variant, list(winner.ties)) == ("c", ["b"])
    assert [winner.mark(name) for name in "ad"] == ["", ""]
    assert winner.reason.startswith("a, d could not be compared with c")
    winner = find_best(sign_of(plan_of(a=None), "f1"), means, lambda name: {})
    assert (winner.variant, list(winner.ties)) == ("c", []) and winner.reason.startswith("a, b, d ")


@pytest.mark.parametrize("number", [2, 5, 20])
def test_of_equal_variants_some_is_called_worse_in_5_percent_at_most(number):
    random = numpy.random.default_rng(number)
    plan, names = plan_of(a=None), [str(n) for n in range(number)]
    num_sets = 1000
    counted, with_best_alone = 0, 0
    for _ in range(num_sets):
        means = dict(zip(names, random.normal(size=number), strict=True))

        def z_tests(best, means=means):
            differences = {name: mean - means[best] for name, mean in means.items() if name != best}
            return {
                name: Comparison(
                    *(d, d - 2.77, d + 2.77, p := 2 * norm.cdf(-abs(d) / 2**0.5), p, None, 3),
                    p_t_test=p,
                )
                for name, d in differences.items()
            }

        best = find_best(sign_of(plan, "f1"), means, z_tests)
        counted += len(best.ties) < number - 1
        smallest = min(comparison.p for comparison in z_tests(best.variant).values())
        with_best_alone += smallest * (number - 1) < 0.05
    # Two standard deviations of a share of 5 % are 1.4 %.
    assert counted / num_sets <= 0.05 + 0.014
    # Holm's method over the comparisons with the best alone; 23 % of 20.
    expected = {2: 0.05, 5: 0.09, 20: 0.23}[number]
    assert with_best_alone / num_sets == pytest.approx(expected, abs=0.03)


def variants_of_seeds(random, means, num_seeds, step=0):
    """
    Samples the scores of variants over the same seeds, normal with deviation 1, and rounded to
    multiples of `step`, unless it is zero. All instances of a run have the same score, so that
    chance is in the seeds alone.
    """

    def sample(mean):
        score = random.normal(mean)
        return step * round(score / step) if step else score

    resampling = Resampling(16, 512)
    scores = {
        (name, seed): InstanceScores(
            with_presence(numpy.full(16, sample(mean))), mean_of_present, True
        )
        for name, mean in means.items()
        for seed in range(num_seeds)
    }
    samples = resample(scores, resampling)
    by_name = {name: {s: samples[name, s] for s in range(num_seeds)} for name in means}
    observed = {
        name: numpy.mean([run.instances.metric_of_all() for run in runs.values()])
        for name, runs in by_name.items()
    }

    def compare_with(baseline):
        return {
            name: compare(by_name[baseline], runs, resampling)
            for name, runs in by_name.items()
            if name != baseline
        }

    return observed, compare_with


@pytest.mark.parametrize("num_seeds, unadjusted", [(3, 0.7), (5, 0.58)])
def test_of_equal_variants_whose_seeds_differ_some_is_called_worse_in_5_percent_at_most(
    num_seeds, unadjusted
):
    random = numpy.random.default_rng(num_seeds)
    plan = plan_of(a=None)
    num_sets = 200
    worse, with_asterisk, by_interval = 0, 0, 0
    for _ in range(num_sets):
        means, compare_with = variants_of_seeds(random, dict.fromkeys("abcde", 0.0), num_seeds)
        best = find_best(sign_of(plan, "f1"), means, compare_with)
        worse += len(best.ties) < 4
        with_best = compare_with(best.variant).values()
        by_interval += any(not c.low <= 0 <= c.high and c.p * 10 < 0.05 for c in with_best)
        with_baseline = adjust_by_holm(compare_with("a")).values()
        with_asterisk += any(comparison.is_significant for comparison in with_baseline)
    # Two standard deviations of a share of 5 % are 3 %.
    assert worse / num_sets <= 0.05 + 0.03
    assert with_asterisk / num_sets <= 0.05 + 0.03
    # So often it would be without the t-test over seeds.
    assert by_interval / num_sets == pytest.approx(unadjusted, abs=0.1)


@pytest.mark.parametrize(
    "num_seeds, step, by_equal_differences", [(2, 0.5, 0.31), (2, 1.0, 0.4), (3, 1.0, 0.13)]
)
def test_nor_where_scores_are_rounded_so_that_all_seeds_may_differ_equally(
    num_seeds, step, by_equal_differences
):
    random = numpy.random.default_rng(num_seeds)
    num_sets = 200
    worse, unless_equal = 0, 0
    for _ in range(num_sets):
        equal = dict.fromkeys("abcde", 0.0)
        means, compare_with = variants_of_seeds(random, equal, num_seeds, step)
        best = find_best(sign_of(plan_of(a=None), "f1"), means, compare_with)
        worse += len(best.ties) < 4
        unless_equal += any(
            c.p_t_test is None and c.p * 10 < 0.05 and not c.low <= 0 <= c.high
            for c in compare_with(best.variant).values()
        )
    assert worse / num_sets <= 0.05 + 0.03
    # So much would be added if differences without a t-test counted as significant.
    assert unless_equal / num_sets == pytest.approx(by_equal_differences, abs=0.1)


def test_a_variant_that_is_much_worse_than_the_spread_of_the_seeds_is_found():
    random = numpy.random.default_rng(0)
    equal = dict.fromkeys("abcd", 0.0)
    means, compare_with = variants_of_seeds(random, {**equal, "e": -20.0}, 5)
    best = find_best(sign_of(plan_of(a=None), "f1"), means, compare_with)
    assert "e" not in {best.variant, *best.ties} and len(best.ties) == 3


def test_none_is_the_best_of_one_or_by_a_metric_that_may_be_good_or_bad():
    def compare_with(name):
        raise AssertionError("nothing is to be compared")

    alone = find_best(sign_of(plan_of(a=None), "f1"), {"a": 0.5}, compare_with)
    assert alone.variant is None and "fewer than two variants" in alone.reason
    unknown = find_best(sign_of(plan_of(a=None), "size"), {"a": 0.5, "b": 0.6}, compare_with)
    assert unknown.variant is None and "more or less" in unknown.reason
    assert Best(1).mark("a") == ""
