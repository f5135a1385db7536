"""Formats the common parts of the Markdown and HTML reports: sentences, the main table, numbers."""

from collections import Counter
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from spigot_allennlp.ablation.report.comparison import FEWEST_SEEDS, Comparison
from spigot_allennlp.ablation.report.summary import Row, Spread, Summary
from spigot_allennlp.ablation.run.run_record import DONE, format_duration


class RunMessage(NamedTuple):
    """Names runs of a variant, "spigot, seeds 1, 2", with the message that they share."""

    runs: str
    message: str


class Table(NamedTuple):
    """A header, and lines with as many entries."""

    header: List[str]
    lines: List[List[str]]


def describe_ablation(summary: Summary) -> str:
    """Says how many variants, seeds and runs there are, and which data the runs were tested on."""
    plan = summary.plan
    done = [result.record for result in summary.results if result.record.state == DONE]
    seeds = sorted({run_id.seed for run_id in plan.run_ids})
    data = sorted(
        {f"{record.test['data']} ({record.test['instances']} instances)" for record in done}
    )
    sentences = [
        f"{format_count(len(plan.variants), 'variant')}, {format_count(len(seeds), 'seed')} "
        f"({', '.join(map(str, seeds))}); {len(done)} of "
        f"{format_count(len(summary.results), 'run')} done."
    ]
    states = Counter(result.record.shown_state for result in summary.results)
    del states[DONE]
    if states:
        sentences.append(f"The others: {format_states(states)}.")
    if data:
        sentences.append(f"The best weights of each were tested on {'; '.join(data)}.")
    if summary.dropped:
        sentences.append(
            f"Left out by --drop: {'; '.join(summary.dropped)}. Their runs are still in the "
            "folder; a report without --drop has them again."
        )
    return " ".join(sentences)


def list_warnings(summary: Summary) -> List[str]:
    """Warns of scores on validation data, and of scores from a single seed."""
    warnings = []
    if any(result.record.test.get("key") == "validation_data_path" for result in summary.results):
        warnings.append(
            "These are the validation data, by which the best epoch was chosen, too: the scores "
            "are better than those on unseen data would be. Name test data by --test-data, or "
            "test_data_path in the config."
        )
    if {spread.number for row in summary.rows for spread in row.spreads.values()} == {1}:
        warnings.append(
            "There is one seed of each variant. Which is the best, and whether a difference is due "
            "to the variant, cannot be told: another seed may order them otherwise. Intervals and "
            "p are about these very models on other test instances."
        )
    return warnings


def variants_table(summary: Summary) -> Table:
    """Makes the table of variants, without the columns for which there are too few seeds."""
    first, *others = summary.plan.metrics
    baseline = summary.plan.baseline
    header = ["variant", first, "median", f"against {baseline}"]
    header += ["detectable", "p over instances", "p over seeds", "p by t-test", *others]
    header += ["time", "memory", "runs"]
    lines = []
    for row in summary.rows:
        spread = row.spreads.get(first)
        line = [row.variant, _score_entry(summary, row, first)]
        line += [format_number(spread.median if spread else None)]
        line += _comparison_entries(row, row.variant == baseline)
        line += [_score_entry(summary, row, metric) for metric in others]
        line += [format_duration(row.seconds), format_memory(row.peak_memory_mb)]
        lines.append([*line, format_states(row.states)])
    # With fewer seeds, these are empty for every variant.
    for name in "detectable", "p over seeds", "p by t-test":
        column = header.index(name)
        if not any(line[column] for line in lines):
            for line in [header, *lines]:
                del line[column]
    return Table(header, lines)


def _score_entry(summary: Summary, row: Row, metric: str) -> str:
    """Returns mean and standard deviation, with a mark for the best, "0.6500 ± 0.0707 (best)"."""
    mark = summary.best[metric].mark(row.variant)
    return format_spread(row.spreads.get(metric)) + (f" ({mark})" if mark else "")


def _comparison_entries(row: Row, is_baseline: bool) -> List[str]:
    """Returns the difference, the detectable difference, and p over instances and seeds."""
    comparison = row.comparison
    if comparison is None:
        status = "baseline" if is_baseline else "not compared" if row.not_compared else ""
        return [status, "", "", "", ""]
    detectable = format_number(comparison.detectable)
    if detectable:
        detectable += f" ({comparison.seeds} seeds)"
    p_values = [comparison.p_adjusted, comparison.p_over_seeds, comparison.p_t_test]
    return [format_difference(comparison), detectable, *map(format_p_value, p_values)]


def explain_table(summary: Summary) -> List[str]:
    """Explains each column of the table of variants in a sentence or two."""
    metric = summary.plan.metrics[0]
    sentences = [
        f"{metric}: mean ± standard deviation over the seeds. Time: the median wall time of a run, "
        "testing included. Memory: the largest peak of a process, its libraries included."
    ]
    sentences += _explain_best(summary)
    sentences += _explain_comparisons(summary.plan.baseline, summary.rows, summary.resamples)
    if not summary.is_exact:
        sentences.append(
            f"{metric} does not add up over instances, so what was resampled is the mean of its "
            "values for each instance alone, which is not the score in the table."
        )
    return sentences + [
        f"{row.variant} was not compared: {row.not_compared}."
        for row in summary.rows
        if row.not_compared
    ]


def _explain_best(summary: Summary) -> List[str]:
    """Explains the marks for the best scores, or why some or all are missing."""
    sentences = []
    marked = {metric: best for metric, best in summary.best.items() if best.variant}
    if marked:
        num_variants = max(
            sum(metric in row.spreads and row.spreads[metric].number > 1 for row in summary.rows)
            for metric in marked
        )
        num_pairs = num_variants * (num_variants - 1) // 2
        signs = ", ".join(
            f"of {metric} {'more' if best.sign > 0 else 'less'}" for metric, best in marked.items()
        )
        sentences.append(
            f"Best: the variant with the best mean ({signs} is better) among those with more than "
            "one seed, over the seeds that all of these have. ≈\u00a0best: it is not shown to be "
            "worse over the same seeds, by the tests that the asterisk stands for. It is not shown "
            "to be as good. Since the same data choose the best, p over instances and p by t-test "
            f"are adjusted for the comparisons of all pairs of these variants ({num_pairs}), not "
            "only of those with the best.",
        )
        if num_pairs >= 0.05 * (summary.resamples + 1):
            sentences.append(
                f"{summary.resamples} samples are too few to show any of {num_variants} variants "
                f"to be worse: take --resamples {20 * num_pairs} or more.",
            )
    # Metrics with the same marks missing for the same reason share a sentence.
    metrics_of: Dict[Tuple[str, str], List[str]] = {}
    for metric, best in summary.best.items():
        if best.reason:
            missing = (
                "Not every variant is compared with" if best.variant else "No variant is marked as"
            )
            metrics_of.setdefault((missing, best.reason), []).append(metric)
    return sentences + [
        f"{missing} the best by {' and '.join(metrics)}: {reason}."
        for (missing, reason), metrics in metrics_of.items()
    ]


def _explain_comparisons(baseline: str, rows: Sequence[Row], resamples: int) -> List[str]:
    comparisons = [row.comparison for row in rows if row.comparison]
    if not comparisons:
        return []
    adjusted = f", adjusted by Holm's method for {len(comparisons)} comparisons"
    if any(comparison.p_over_seeds is not None for comparison in comparisons):
        over_seeds = (
            "p over seeds: Fisher's randomisation test of the scores, paired by seed, not "
            "adjusted. It says whether other seeds would show the difference."
        )
    else:
        over_seeds = (
            f"With fewer than {FEWEST_SEEDS} seeds no randomisation over seeds can reach p < 0.05."
        )
    t_test = (
        "p by t-test: Student's paired t-test over the seeds, which takes their differences as "
        f"normal{adjusted * (len(comparisons) > 1)}. Of few seeds, only a difference much larger "
        "than their spread makes it small."
    )
    return [
        f"Against {baseline}: the difference of the means, with its 95 % interval by the "
        "Multi-Bootstrap (Sellam et al., 2022): seeds and test instances are resampled "
        f"{resamples} times, in the same way for both sides. With few seeds it is too narrow.",
        "p over instances: paired approximate randomisation over the test instances (Yeh, 2000), "
        f"all seeds exchanged together, {resamples} samples{adjusted * (len(comparisons) > 1)}. It "
        "says whether these very models would differ on other instances.",
        over_seeds,
        *([t_test] if any(comparison.p_t_test is not None for comparison in comparisons) else []),
        "Detectable, at best: the smallest true difference that a paired t-test over so many seeds "
        "(5 %, two-sided) would find in 80 % of all repetitions, by how much the two differ from "
        "seed to seed. A smaller one is easily missed, and this one more often than in 20 %, since "
        "the asterisk asks for more than that test: of six seeds, p over seeds alone is below 0.05 "
        "in 62 %. Of few seeds it is only a rough estimate; of a single one, or where all seeds "
        "differ by the same, there is none.",
        "An asterisk: every p in the row is below 0.05, the interval does not contain 0, and there "
        "is a p over seeds or by t-test: of one seed, and of fewer than "
        f"{FEWEST_SEEDS} that all differ by the same, there is neither.",
    ]


def list_messages(summary: Summary, state: str) -> List[RunMessage]:
    """
    Lists the messages of the runs in a state. Runs of a variant with the same message are grouped.
    """
    seeds_of: Dict[Tuple[str, str], List[str]] = {}
    for result in summary.results:
        record = result.record
        if record.state == state:
            seeds_of.setdefault((record.variant, record.message), []).append(str(record.seed))
    return [
        RunMessage(f"{variant}, seed{'s' * (len(seeds) > 1)} {', '.join(seeds)}", message)
        for (variant, message), seeds in seeds_of.items()
    ]


def format_number(value: Optional[float]) -> str:
    """Formats a metric with four decimals."""
    return "" if value is None else f"{value:.4f}"


def format_spread(spread: Optional[Spread]) -> str:
    """Formats mean and standard deviation, "0.6500 ± 0.0707"."""
    if spread is None:
        return ""
    deviation = "" if spread.deviation is None else f" ± {spread.deviation:.4f}"
    return f"{spread.mean:.4f}{deviation}"


def format_difference(comparison: Comparison) -> str:
    """Formats a difference with its interval, and an asterisk if it is significant."""
    star = " *" if comparison.is_significant else ""
    return f"{comparison.difference:+.4f} [{comparison.low:+.4f}, {comparison.high:+.4f}]{star}"


def format_p_value(value: Optional[float]) -> str:
    """Formats a p-value with three decimals, or as "< 0.001"."""
    if value is None:
        return ""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def format_states(states: Mapping[str, int]) -> str:
    """Formats the number of runs in each state: "2 done, 1 failed"."""
    return ", ".join(f"{count} {state}" for state, count in states.items())


def format_memory(mebibytes: Optional[float]) -> str:
    """Formats a size in whole MiB."""
    return "" if mebibytes is None else f"{mebibytes:.0f} MiB"


def format_count(number: int, noun: str) -> str:
    """Formats a number with a noun: "1 run", "2 runs"."""
    return f"{number} {noun}{'s' * (number != 1)}"
