"""Formats what the Markdown and the HTML report share: numbers, tables, sentences."""

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from spigot_allennlp.ablation.report.comparison import FEWEST_SEEDS, Comparison
from spigot_allennlp.ablation.report.summary import Row, Spread, Summary
from spigot_allennlp.ablation.run.progress import duration
from spigot_allennlp.ablation.run.run_record import DONE


class Table(NamedTuple):
    """A header, and lines that have as many entries."""

    header: List[str]
    lines: List[List[str]]


class Plot(NamedTuple):
    """The heading of a plot, and what is to be seen in it."""

    heading: str
    caption: str


# By the name of the plot's file.
PLOTS = {
    "scores": Plot(
        "Scores",
        "Rings: the seeds. Diamond and line: their mean with its 95 % interval, over seeds and "
        "test instances. Dashed: the mean of the baseline.",
    ),
    "curves": Plot(
        "Learning curves",
        "Thin lines: the seeds. Thick: their mean. Dashed: the mean of the baseline.",
    ),
}


def opening(summary: Summary) -> str:
    """Says how much there is, and on what it was tested."""
    plan = summary.plan
    done = [result.record for result in summary.runs if result.record.state == DONE]
    seeds = sorted({run_id.seed for run_id in plan.runs})
    data = sorted(
        {f"{record.test['data']} ({record.test['instances']} instances)" for record in done}
    )
    sentences = [
        f"{_count(len(plan.variants), 'variant')}, {_count(len(seeds), 'seed')} "
        f"({', '.join(map(str, seeds))}); {len(done)} of {_count(len(summary.runs), 'run')} done."
    ]
    if data:
        sentences.append(f"The best weights of each were tested on {'; '.join(data)}.")
    return " ".join(sentences)


def warning(summary: Summary) -> str:
    """Warns if the test data are no test data."""
    keys = {result.record.test.get("key") for result in summary.runs}
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
        main = row.spreads.get(first)
        line = [row.variant, mean_and_deviation(main), number(main.median if main else None)]
        line += _comparison_entries(row, row.variant == baseline)[: 2 + has_seeds]
        line += [mean_and_deviation(row.spreads.get(metric)) for metric in others]
        states = ", ".join(f"{count} {state}" for state, count in row.states.items())
        lines.append([*line, duration(row.seconds), memory(row.peak_memory_mb), states])
    return Table(header, lines)


def _comparison_entries(row: Row, is_baseline: bool) -> List[str]:
    """Returns the difference, p, and p over seeds."""
    comparison = row.comparison
    if comparison is None:
        status = "baseline" if is_baseline else "not compared" if row.not_compared else ""
        return [status, "", ""]
    p_values = [comparison.p_adjusted, comparison.p_over_seeds]
    return [difference(comparison), *map(probability, p_values)]


def markdown_table(table: Table) -> str:
    """Aligns a table, so that its Markdown reads well as plain text, too."""
    lines = [[entry.replace("|", "\\|") for entry in line] for line in [table.header, *table.lines]]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    padded = [
        [entry.ljust(width) for entry, width in zip(line, widths, strict=True)] for line in lines
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def notes(summary: Summary) -> List[str]:
    """Explains the columns, in a sentence or two each."""
    metric = summary.plan.metrics[0]
    sentences = [
        f"{metric}: mean ± standard deviation over the seeds. Time: the median wall time of a run, "
        "testing included. Memory: the largest peak of a process, its libraries included."
    ]
    sentences += _notes_on_comparisons(summary.plan.baseline, summary.rows, summary.resamples)
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


def _notes_on_comparisons(baseline: str, rows: Sequence[Row], resamples: int) -> List[str]:
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
        "Multi-Bootstrap (Sellam et al., 2022): seeds and test instances are drawn anew "
        f"{resamples} times, the same for both sides. With few seeds it is too narrow.",
        "p: paired approximate randomisation over the test instances (Yeh, 2000), all seeds "
        f"exchanged together, {resamples} draws{adjusted * (len(comparisons) > 1)}. It says "
        "whether these very models would differ on other instances.",
        over_seeds,
        "An asterisk: every p in the row is below 0.05, the interval does not contain 0, and there "
        "is more than one seed.",
    ]


def messages(summary: Summary, state: str) -> List[Tuple[str, str]]:
    """
    Lists the runs in a state, those of one variant and one message together, with the message.
    """
    seeds_of: Dict[Tuple[str, str], List[str]] = {}
    for result in summary.runs:
        record = result.record
        if record.state == state:
            seeds_of.setdefault((record.variant, record.message), []).append(str(record.seed))
    return [
        (f"{variant}, seed{'s' * (len(seeds) > 1)} {', '.join(seeds)}", message)
        for (variant, message), seeds in seeds_of.items()
    ]


def number(value: Optional[float]) -> str:
    return "" if value is None else f"{value:.4f}"


def mean_and_deviation(spread: Optional[Spread]) -> str:
    if spread is None:
        return ""
    deviation = "" if spread.deviation is None else f" ± {spread.deviation:.4f}"
    return f"{spread.mean:.4f}{deviation}"


def difference(comparison: Comparison) -> str:
    """Writes a difference with its interval, and an asterisk if it is significant."""
    star = " *" if comparison.is_significant else ""
    return f"{comparison.difference:+.4f} [{comparison.low:+.4f}, {comparison.high:+.4f}]{star}"


def probability(value: Optional[float]) -> str:
    if value is None:
        return ""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def memory(mebibytes: Optional[float]) -> str:
    return "" if mebibytes is None else f"{mebibytes:.0f} MiB"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
