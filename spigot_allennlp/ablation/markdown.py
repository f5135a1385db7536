"""The report to read: one table of variants, what the figures mean, what failed, all cells."""

from typing import Iterable, List, Sequence

from spigot_allennlp.ablation import record, wording
from spigot_allennlp.ablation.cell import LOG
from spigot_allennlp.ablation.progress import duration, state_in_words
from spigot_allennlp.ablation.results import Results
from spigot_allennlp.ablation.summary import Row


def as_markdown(
    results: Results, rows: Sequence[Row], notes: Sequence[str], plots: Iterable[str]
) -> str:
    """`plots` are the names of the plots' files."""
    warning = wording.warning(results)
    parts = [
        f"# Ablation of {results.plan.base}",
        wording.opening(results),
        f"**{warning}**" if warning else "",
        variants_table(results, rows),
        *notes,
        *_shown(plots),
        *_not_done(results),
        "## Cells",
        _cells_table(results),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def variants_table(results: Results, rows: Sequence[Row]) -> str:
    """The table that is also printed."""
    return table(*wording.variant_columns(results, rows))


def _shown(plots: Iterable[str]) -> List[str]:
    parts = []
    for name in plots:
        heading, caption = wording.PLOTS[name]
        parts += [f"## {heading}", f"![{heading}]({name}.png)", caption]
    return parts


def _not_done(results: Results) -> List[str]:
    parts = []
    for title, state in (("Refused", record.REFUSED), ("Failed", record.FAILED)):
        messages = wording.messages(results, state)
        lines = [f"- {cells}: {message}" for cells, message in messages]
        parts += [f"## {title}", "\n".join(lines)] if lines else []
    return parts


def _cells_table(results: Results) -> str:
    metrics = results.plan.metrics
    header = ["variant", "seed", "state", *metrics, "time", "memory", "log"]
    rows = []
    for cell in results.cells:
        known = cell.record
        scores = [wording.number(cell.figure(metric)) for metric in metrics]
        log = (cell.folder / LOG).relative_to(results.folder.absolute())
        link = f"[log](<{log}>)" if known.attempts else ""
        cost = [duration(known.seconds or None), wording.memory(known.peak_memory_mb)]
        rows.append([known.variant, str(known.seed), state_in_words(known), *scores, *cost, link])
    return table(header, rows)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Aligned, so that it reads well as plain text, too."""
    lines = [[cell.replace("|", "\\|") for cell in line] for line in [header, *rows]]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    padded = [[c.ljust(width) for c, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)
