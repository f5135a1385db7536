"""The report as Markdown: a table of variants, what it means, what failed, all runs."""

from typing import Iterable, List

from spigot_allennlp.ablation.report import formatting
from spigot_allennlp.ablation.report.summary import Summary
from spigot_allennlp.ablation.run.progress import duration
from spigot_allennlp.ablation.run.run_record import FAILED, REFUSED
from spigot_allennlp.ablation.run.single_run import LOG


def markdown_report(summary: Summary, plots: Iterable[str]) -> str:
    """
    Writes the report as Markdown.

    # Parameters

    summary : `Summary`
    plots : `Iterable[str]`
        The names of the plots' files, without their ends.
    """
    warning = formatting.warning(summary)
    parts = [
        f"# Ablation of {summary.plan.base}",
        formatting.opening(summary),
        f"**{warning}**" if warning else "",
        formatting.markdown_table(formatting.variants_table(summary)),
        *formatting.notes(summary),
        *_plots(plots),
        *_runs_not_done(summary),
        "## Runs",
        formatting.markdown_table(_runs_table(summary)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _plots(names: Iterable[str]) -> List[str]:
    parts = []
    for name in names:
        plot = formatting.PLOTS[name]
        parts += [f"## {plot.heading}", f"![{plot.heading}]({name}.png)", plot.caption]
    return parts


def _runs_not_done(summary: Summary) -> List[str]:
    parts = []
    for title, state in (("Refused", REFUSED), ("Failed", FAILED)):
        messages = formatting.messages(summary, state)
        lines = [f"- {runs}: {message}" for runs, message in messages]
        parts += [f"## {title}", "\n".join(lines)] if lines else []
    return parts


def _runs_table(summary: Summary) -> formatting.Table:
    metrics = summary.plan.metrics
    header = ["variant", "seed", "state", *metrics, "time", "memory", "log"]
    lines = []
    for result in summary.runs:
        record = result.record
        log = (result.run.folder / LOG).relative_to(summary.folder)
        lines.append(
            [
                record.variant,
                str(record.seed),
                record.shown_state,
                *(formatting.number(result.score(metric)) for metric in metrics),
                duration(record.seconds or None),
                formatting.memory(record.peak_memory_mb),
                f"[log](<{log}>)" if record.attempts else "",
            ]
        )
    return formatting.Table(header, lines)
