"""
Writes the full report of an ablation from the records of its runs, as Markdown, HTML, CSV and JSON,
with plots. It can be called at any time.
"""

import csv
import io
from dataclasses import asdict
from pathlib import Path
from typing import Any, Dict, Iterable, List, Sequence

from spigot_allennlp.ablation.plan.plan import Plan
from spigot_allennlp.ablation.report import formatting
from spigot_allennlp.ablation.report.html_report import html_report
from spigot_allennlp.ablation.report.plots import PLOTS, write_plots
from spigot_allennlp.ablation.report.summary import Row, RunResult, Summary, summarise
from spigot_allennlp.ablation.run.run_record import DONE, FAILED, REFUSED, format_duration
from spigot_allennlp.ablation.run.single_run import LOG_FILE
from spigot_allennlp.compat import atomic_io


def write_report(plan: Plan, folder: Path, resamples: int, dropped: Sequence[str] = ()) -> bool:
    """
    Writes `report.md`, `report.html`, `report.json`, `report.csv` (a row for each run),
    `summary.csv` (a row for each variant) and the plots to the folder, and prints the table of
    variants.

    # Parameters

    plan : `Plan`
    folder : `Path`
        The folder of the ablation.
    resamples : `int`
        The number of samples of each kind for the comparisons.
    dropped : `Sequence[str]`, optional (default = `()`)
        The variants that were removed from the plan (`Plan.without`). The report mentions them.

    # Returns

    `bool`
        Whether every reported run is done.

    # Raises

    `ConfigurationError` if no run that is done has a requested metric.
    """
    summary = summarise(plan, folder, resamples, dropped)
    plots = write_plots(summary)
    for name, text in {
        "report.md": markdown_report(summary, plots),
        "report.html": html_report(summary, plots),
        "report.csv": runs_csv(summary),
        "summary.csv": variants_csv(summary.rows),
    }.items():
        atomic_io.write(folder / name, text)
    atomic_io.write_json(folder / "report.json", report_json(summary))
    table = markdown_table(formatting.variants_table(summary))
    print(f"\n{table}\n\nReport: {folder / 'report.html'}", flush=True)
    return all(result.record.state == DONE for result in summary.results)


def markdown_report(summary: Summary, plots: Iterable[str]) -> str:
    """
    Makes the report as Markdown: the table of variants, the plots, the failures, and all runs.

    # Parameters

    summary : `Summary`
    plots : `Iterable[str]`
        The names of the plots (see `PLOTS`).
    """
    parts = [
        f"# Ablation of {summary.plan.base}",
        formatting.describe_ablation(summary),
        *(f"**{warning}**" for warning in formatting.list_warnings(summary)),
        markdown_table(formatting.variants_table(summary)),
        *formatting.explain_table(summary),
    ]
    for name in plots:
        plot = PLOTS[name]
        parts += [f"## {plot.heading}", f"![{plot.heading}]({name}.png)", plot.caption]
    for title, state in (("Refused", REFUSED), ("Failed", FAILED)):
        messages = formatting.list_messages(summary, state)
        lines = [f"- {runs}: {message}" for runs, message in messages]
        parts += [f"## {title}", "\n".join(lines)] if lines else []
    parts += ["## Runs", markdown_table(_runs_table(summary))]
    if summary.plan.commands:
        parts += ["## Commands", "```\n" + "\n".join(summary.plan.commands) + "\n```"]
    return "\n\n".join(part for part in parts if part) + "\n"


def _runs_table(summary: Summary) -> formatting.Table:
    metrics = summary.plan.metrics
    header = ["variant", "seed", "state", *metrics, "time", "memory", "log"]
    lines = []
    for result in summary.results:
        record = result.record
        log = (result.run.folder / LOG_FILE).relative_to(summary.folder)
        lines.append(
            [
                record.variant,
                str(record.seed),
                record.shown_state,
                *(formatting.format_number(result.score(metric)) for metric in metrics),
                format_duration(record.seconds or None),
                formatting.format_memory(record.peak_memory_mb),
                f"[log](<{log}>)" if record.attempts else "",
            ]
        )
    return formatting.Table(header, lines)


def markdown_table(table: formatting.Table) -> str:
    """Aligns a table, so that its Markdown is also easy to read as plain text."""
    lines = [[entry.replace("|", "\\|") for entry in line] for line in [table.header, *table.lines]]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    padded = [
        [entry.ljust(width) for entry, width in zip(line, widths, strict=True)] for line in lines
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def runs_csv(summary: Summary) -> str:
    """Makes a row for each run, with all its test metrics, prefixed by "test_"."""
    metrics = summary.metric_names()
    return _csv([_columns_of_run(summary, result, metrics) for result in summary.results])


def variants_csv(rows: Sequence[Row]) -> str:
    """Makes a row for each variant."""
    return _csv([_columns_of_variant(row) for row in rows])


def report_json(summary: Summary) -> Dict[str, Any]:
    """Makes `report.json`: the plan, the variants, and the records of all runs, as "cells"."""
    plan = summary.plan
    return {
        "base": plan.base,
        "baseline": plan.baseline,
        "metrics": plan.metrics,
        "test_data": plan.test_data,
        "commands": plan.commands,
        "dropped": list(summary.dropped),
        "best": {metric: best._asdict() for metric, best in summary.best.items()},
        "variants": [asdict(row) for row in summary.rows],
        "cells": [
            {
                "folder": str(result.run.folder.relative_to(summary.folder)),
                **result.record.to_json(),
            }
            for result in summary.results
        ],
    }


def _columns_of_run(summary: Summary, result: RunResult, metrics: Sequence[str]) -> Dict[str, Any]:
    record = result.record
    return {
        "variant": record.variant,
        "seed": record.seed,
        "state": record.state,
        **{f"test_{name}": record.test_metrics.get(name) for name in metrics},
        "best_epoch": record.metrics.get("best_epoch"),
        "seconds": record.seconds,
        "cpu_seconds": record.cpu_seconds,
        "seconds_testing": record.seconds_testing,
        "peak_memory_mb": record.peak_memory_mb,
        "peak_gpu_memory_mb": record.peak_gpu_memory_mb,
        "attempts": len(record.attempts),
        "host": record.attempts[-1]["host"] if record.attempts else None,
        "config": record.config_digest,
        "folder": result.run.folder.relative_to(summary.folder),
        "message": record.message,
    }


def _columns_of_variant(row: Row) -> Dict[str, Any]:
    columns: Dict[str, Any] = {"variant": row.variant, "done": row.states.get("done", 0)}
    columns["cells"] = sum(row.states.values())
    for metric, spread in row.spreads.items():
        for name, value in asdict(spread).items():
            columns[f"{metric}_{name}"] = value
    for name, value in asdict(row.comparison).items() if row.comparison else ():
        columns[f"versus_baseline_{name}"] = value
    columns["median_seconds"] = row.seconds
    columns["median_cpu_seconds"] = row.cpu_seconds
    columns["peak_memory_mb"] = row.peak_memory_mb
    columns["peak_gpu_memory_mb"] = row.peak_gpu_memory_mb
    return columns


def _csv(rows: List[Dict[str, Any]]) -> str:
    """Makes a column for every key of any row, in the order of the longest row."""
    longest = max(rows, key=len, default={})
    names = list(dict.fromkeys([*longest, *(name for row in rows for name in row)]))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
