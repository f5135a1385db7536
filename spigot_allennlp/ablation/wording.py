"""What Markdown and the page say alike: numbers, columns, sentences."""

from typing import List, Optional, Sequence, Tuple

from spigot_allennlp.ablation.progress import duration
from spigot_allennlp.ablation.results import Results, Spread
from spigot_allennlp.ablation.summary import Row


def number(value: Optional[float]) -> str:
    return "" if value is None else f"{value:.4f}"


def spread(value: Optional[Spread]) -> str:
    """Mean and standard deviation."""
    if value is None:
        return ""
    deviation = "" if value.deviation is None else f" ± {value.deviation:.4f}"
    return f"{value.mean:.4f}{deviation}"


def memory(mebibytes: Optional[float]) -> str:
    return "" if mebibytes is None else f"{mebibytes:.0f} MiB"


def opening(results: Results) -> str:
    """How much there is, and on what it was tested."""
    plan = results.plan
    done = [cell.record for cell in results.cells if cell.record.state == "done"]
    seeds = sorted({seed for _, seed in plan.cells})
    tested = sorted({f"{one.test['data']} ({one.test['instances']} instances)" for one in done})
    keys = {one.test["key"] for one in done}
    sentences = [
        f"{len(plan.variants)} variants, seeds {', '.join(map(str, seeds))}; {len(done)} of "
        f"{len(results.cells)} cells are done."
    ]
    if tested:
        sentences.append(f"The best weights of each were tested on {'; '.join(tested)}.")
    if "validation_data_path" in keys:
        sentences.append(
            "**These are the validation data, by which the best epoch was chosen**: no test data "
            "were named, so the figures are too good, and comparisons optimistic."
        )
    return " ".join(sentences)


def variant_columns(results: Results, rows: Sequence[Row]) -> Tuple[List[str], List[List[str]]]:
    """The header and the lines of the table of variants."""
    first, *others = results.plan.metrics
    header = ["variant", first, "median", *others, "time", "memory", "cells"]
    lines = []
    for row in rows:
        main = row.spreads.get(first)
        lines.append(
            [
                row.variant,
                spread(main),
                number(main.median if main else None),
                *(spread(row.spreads.get(metric)) for metric in others),
                duration(row.seconds),
                memory(row.peak_memory_mb),
                ", ".join(f"{count} {state}" for state, count in row.states.items()),
            ]
        )
    return header, lines


def notes(results: Results, rows: Sequence[Row]) -> List[str]:
    return [
        "Mean ± standard deviation over the seeds; median wall time of a cell, testing included; "
        "the largest peak memory of a process, the libraries included."
    ]


def messages(results: Results, state: str) -> List[Tuple[str, str]]:
    """The cells in a state, those of one variant and one message together, with the message."""
    found: dict = {}
    for cell in results.cells:
        known = cell.record
        if known.state == state:
            found.setdefault((known.variant, known.message), []).append(str(known.seed))
    return [
        (f"{variant}, seed{'s' * (len(seeds) > 1)} {', '.join(seeds)}", message)
        for (variant, message), seeds in found.items()
    ]
