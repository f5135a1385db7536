"""Formats what the Markdown and the HTML report share: sentences, the main table, numbers."""

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from spigot_allennlp.ablation.report.comparison import FEWEST_SEEDS, Comparison
from spigot_allennlp.ablation.report.summary import Row, Spread, Summary
from spigot_allennlp.ablation.run.ablation import format_duration
from spigot_allennlp.ablation.run.single_run import DONE


class RunMessage(NamedTuple):
    """The names of runs of a variant, "spigot, seeds 1, 2", and the message that they share."""

    runs: str
    message: str


class Table(NamedTuple):
    """A header, and lines that have as many entries."""

    header: List[str]
    lines: List[List[str]]


def describe_ablation(summary: Summary) -> str:
    """Says how many variants, seeds and runs there are, and on what the runs were tested."""
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
    if data:
        sentences.append(f"The best weights of each were tested on {'; '.join(data)}.")
    return " ".join(sentences)


def validation_data_warning(summary: Summary) -> str:
    """Returns a warning if runs were tested on validation data, otherwise nothing."""
    keys = {result.record.test.get("key") for result in summary.results}
    if "validation_data_path" not in keys:
        return ""
    return (
        "These are the validation data, by which the best epoch was chosen, too: the scores are "
        "better than those on unseen data would be. Name test data by --test-data, or "
        "test_data_path in the config."
    )


def variants_table(summary: Summary) -> Table:
    """Makes the table of variants."""
    first, *others = summary.plan.metrics
    baseline = summary.plan.baseline
    header = ["variant", first, "median", f"against {baseline}", "p"]
    has_seeds = any(row.comparison and row.comparison.p_over_seeds for row in summary.rows)
    header += ["p over seeds"] * has_seeds + [*others, "time", "memory", "runs"]
    lines = []
    for row in summary.rows:
        spread = row.spreads.get(first)
        line = [row.variant, format_spread(spread)]
        line += [format_number(spread.median if spread else None)]
        line += _comparison_entries(row, row.variant == baseline)[: 2 + has_seeds]
        line += [format_spread(row.spreads.get(metric)) for metric in others]
        states = ", ".join(f"{count} {state}" for state, count in row.states.items())
        line += [format_duration(row.seconds), format_memory(row.peak_memory_mb), states]
        lines.append(line)
    return Table(header, lines)


def _comparison_entries(row: Row, is_baseline: bool) -> List[str]:
    """Returns the difference, p, and p over seeds."""
    comparison = row.comparison
    if comparison is None:
        status = "baseline" if is_baseline else "not compared" if row.not_compared else ""
        return [status, "", ""]
    p_values = [comparison.p_adjusted, comparison.p_over_seeds]
    return [format_difference(comparison), *map(format_p_value, p_values)]


def explain_table(summary: Summary) -> List[str]:
    """Explains the columns of the table of variants, each in a sentence or two."""
    metric = summary.plan.metrics[0]
    sentences = [
        f"{metric}: mean ± standard deviation over the seeds. Time: the median wall time of a run, "
        "testing included. Memory: the largest peak of a process, its libraries included."
    ]
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
        over_seeds = f"With fewer than {FEWEST_SEEDS} seeds no test over seeds can reach p < 0.05."
    return [
        f"Against {baseline}: the difference of the means, with its 95 % interval by the "
        "Multi-Bootstrap (Sellam et al., 2022): seeds and test instances are resampled "
        f"{resamples} times, in the same way for both sides. With few seeds it is too narrow.",
        "p: paired approximate randomisation over the test instances (Yeh, 2000), all seeds "
        f"exchanged together, {resamples} samples{adjusted * (len(comparisons) > 1)}. It says "
        "whether these very models would differ on other instances.",
        over_seeds,
        "An asterisk: every p in the row is below 0.05, the interval does not contain 0, and there "
        "is more than one seed.",
    ]


def list_messages(summary: Summary, state: str) -> List[RunMessage]:
    """
    Lists the messages of the runs in a state; runs of a variant with the same message stand
    together.
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


def format_memory(mebibytes: Optional[float]) -> str:
    """Formats a size in whole MiB."""
    return "" if mebibytes is None else f"{mebibytes:.0f} MiB"


def format_count(number: int, noun: str) -> str:
    """Formats a number with a noun: "1 run", "2 runs"."""
    return f"{number} {noun}{'s' * (number != 1)}"
