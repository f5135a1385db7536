"""What Markdown and the page say alike: numbers, columns, sentences."""

from typing import Dict, List, Optional, Sequence, Tuple

from spigot_allennlp.ablation import record
from spigot_allennlp.ablation.comparison import FEWEST_SEEDS, Comparison
from spigot_allennlp.ablation.progress import duration
from spigot_allennlp.ablation.results import Results, Spread
from spigot_allennlp.ablation.summary import Row

BASELINE = "baseline"

# By the name of a plot's file: its heading, and what is to be seen.
PLOTS = {
    "scores": (
        "Scores",
        "Rings: the seeds. Diamond and line: their mean with its 95 % interval, over seeds and "
        "test instances. Dashed: the mean of the baseline.",
    ),
    "curves": (
        "Learning curves",
        "Thin lines: the seeds. Thick: their mean. Dashed: the mean of the baseline.",
    ),
}


def number(value: Optional[float]) -> str:
    return "" if value is None else f"{value:.4f}"


def spread(value: Optional[Spread]) -> str:
    """Mean and standard deviation."""
    if value is None:
        return ""
    deviation = "" if value.deviation is None else f" ± {value.deviation:.4f}"
    return f"{value.mean:.4f}{deviation}"


def difference(comparison: Comparison) -> str:
    """With its interval, and an asterisk if it is significant."""
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


def opening(results: Results) -> str:
    """How much there is, and on what it was tested."""
    plan = results.plan
    done = [cell.record for cell in results.cells if cell.record.state == record.DONE]
    seeds = sorted({seed for _, seed in plan.cells})
    tested = sorted({f"{one.test['data']} ({one.test['instances']} instances)" for one in done})
    sentences = [
        f"{_count(len(plan.variants), 'variant')}, {_count(len(seeds), 'seed')} "
        f"({', '.join(map(str, seeds))}); {len(done)} of {_count(len(results.cells), 'cell')} done."
    ]
    if tested:
        sentences.append(f"The best weights of each were tested on {'; '.join(tested)}.")
    return " ".join(sentences)


def warning(results: Results) -> str:
    """If the test data are no test data."""
    keys = {cell.record.test.get("key") for cell in results.cells}
    if "validation_data_path" not in keys:
        return ""
    return (
        "These are the validation data, by which the best epoch was chosen, too: the figures are "
        "better than those on unseen data would be. Name test data by --test-data, or "
        "test_data_path in the config."
    )


def variant_columns(results: Results, rows: Sequence[Row]) -> Tuple[List[str], List[List[str]]]:
    """The header and the lines of the table of variants."""
    first, *others = results.plan.metrics
    header = ["variant", first, "median", f"against {results.plan.baseline}", "p"]
    with_seeds = any(row.comparison and row.comparison.p_over_seeds for row in rows)
    header += ["p over seeds"] * with_seeds + [*others, "time", "memory", "cells"]
    lines = []
    for row in rows:
        main = row.spreads.get(first)
        line = [row.variant, spread(main), number(main.median if main else None)]
        line += _compared(row, row.variant == results.plan.baseline, with_seeds)
        line += [spread(row.spreads.get(metric)) for metric in others]
        cells = ", ".join(f"{count} {state}" for state, count in row.states.items())
        lines.append([*line, duration(row.seconds), memory(row.peak_memory_mb), cells])
    return header, lines


def _compared(row: Row, is_baseline: bool, with_seeds: bool) -> List[str]:
    one = row.comparison
    if one is None:
        told = BASELINE if is_baseline else "not compared" if row.not_compared else ""
        return [told, ""] + [""] * with_seeds
    over_seeds = [probability(one.p_over_seeds)] * with_seeds
    return [difference(one), probability(one.p_adjusted), *over_seeds]


def notes(results: Results, rows: Sequence[Row], is_exact: bool, draws: int) -> List[str]:
    """What the columns mean, a sentence or two for each."""
    metric = results.plan.metrics[0]
    told = [
        f"{metric}: mean ± standard deviation over the seeds. Time: the median wall time of a run, "
        "testing included. Memory: the largest peak of a process, its libraries included."
    ]
    told += _notes_on_comparisons(results.plan.baseline, rows, draws)
    if not is_exact:
        told.append(
            f"{metric} does not add up over instances, so what was resampled is the mean of its "
            "values for each instance alone, which is not the figure in the table."
        )
    not_compared = [row for row in rows if row.not_compared]
    return told + [f"{row.variant} was not compared: {row.not_compared}." for row in not_compared]


def _notes_on_comparisons(baseline: str, rows: Sequence[Row], draws: int) -> List[str]:
    compared = [row.comparison for row in rows if row.comparison]
    if not compared:
        return []
    for_all = f", adjusted by Holm's method for {len(compared)} comparisons" * (len(compared) > 1)
    if any(one.p_over_seeds is not None for one in compared):
        over_seeds = (
            "p over seeds: Fisher's randomisation test of the scores, paired by seed, not "
            "adjusted. It says whether other seeds would show the difference."
        )
    else:
        over_seeds = f"With fewer than {FEWEST_SEEDS} seeds no test over seeds can reach p < 0.05."
    return [
        f"Against {baseline}: the difference of the means, with its 95 % interval by the "
        "Multi-Bootstrap (Sellam et al., 2022): seeds and test instances are drawn anew "
        f"{draws} times, the same for both sides. With few seeds it is too narrow.",
        "p: paired approximate randomisation over the test instances (Yeh, 2000), all seeds "
        f"exchanged together, {draws} draws{for_all}. It says whether these very models would "
        "differ on other instances.",
        over_seeds,
        "An asterisk: every p in the row is below 0.05, the interval leaves out 0, and there is "
        "more than one seed.",
    ]


def messages(results: Results, state: str) -> List[Tuple[str, str]]:
    """The cells in a state, those of one variant and one message together, with the message."""
    found: Dict[Tuple[str, str], List[str]] = {}
    for cell in results.cells:
        known = cell.record
        if known.state == state:
            found.setdefault((known.variant, known.message), []).append(str(known.seed))
    return [
        (f"{variant}, seed{'s' * (len(seeds) > 1)} {', '.join(seeds)}", message)
        for (variant, message), seeds in found.items()
    ]
