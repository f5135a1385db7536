"""Writes the whole report of an ablation from the records of its runs, as often as one likes."""

import csv
import io
from dataclasses import asdict
from pathlib import Path
from typing import Any, Dict, List, Sequence

from spigot_allennlp.ablation.plan.plan import Plan
from spigot_allennlp.ablation.report import formatting, plots
from spigot_allennlp.ablation.report.html_report import html_report
from spigot_allennlp.ablation.report.markdown_report import markdown_report
from spigot_allennlp.ablation.report.summary import Row, RunResult, Summary, summarise
from spigot_allennlp.ablation.run.run_record import DONE
from spigot_allennlp.compat import atomic_io


def write_report(plan: Plan, folder: Path, resamples: int) -> bool:
    """
    Writes `report.md`, `report.html`, `report.json`, `report.csv` (one row a run), `summary.csv`
    (one row a variant) and the plots into the folder, and prints the table of variants.

    # Parameters

    plan : `Plan`
    folder : `Path`
        Of the ablation.
    resamples : `int`
        How many draws of each kind of resampling.

    # Returns

    `bool`
        Whether every run is done.

    # Raises

    `ConfigurationError` if no run that is done has a metric of that name.
    """
    summary = summarise(plan, folder, resamples)
    drawings = write_plots(summary)
    for name, text in {
        "report.md": markdown_report(summary, drawings),
        "report.html": html_report(summary, drawings),
        "report.csv": runs_as_csv(summary),
        "summary.csv": variants_as_csv(summary.rows),
    }.items():
        atomic_io.write(folder / name, text)
    atomic_io.write_json(folder / "report.json", as_json(summary))
    table = formatting.markdown_table(formatting.variants_table(summary))
    print(f"\n{table}\n\nReport: {folder / 'report.html'}", flush=True)
    return all(result.record.state == DONE for result in summary.runs)


def write_plots(summary: Summary) -> Dict[str, bytes]:
    """Writes each plot as PNG and as SVG. Returns the SVG by the name of its file."""
    import matplotlib

    drawings = {}
    for name, draw in {"scores": plots.scores_figure, "curves": plots.curves_figure}.items():
        with matplotlib.rc_context({**plots.STYLE, "svg.hashsalt": name}):
            figure = draw(summary)
            if figure is not None:
                drawings[name] = plots.as_bytes(figure, "svg")
                atomic_io.write(summary.folder / f"{name}.svg", drawings[name])
                atomic_io.write(summary.folder / f"{name}.png", plots.as_bytes(figure, "png"))
    return drawings


def runs_as_csv(summary: Summary) -> str:
    """Makes one row a run, with all its metrics on the test data, prefixed by "test_"."""
    metrics = summary.metric_names()
    return _csv([_columns_of_run(summary, result, metrics) for result in summary.runs])


def variants_as_csv(rows: Sequence[Row]) -> str:
    """Makes one row a variant."""
    return _csv([_columns_of_variant(row) for row in rows])


def as_json(summary: Summary) -> Dict[str, Any]:
    """Makes `report.json`: the plan, the variants, and the records of all runs, as "cells"."""
    plan = summary.plan
    return {
        "base": plan.base,
        "baseline": plan.baseline,
        "metrics": plan.metrics,
        "test_data": plan.test_data,
        "variants": [asdict(row) for row in summary.rows],
        "cells": [
            {
                "folder": str(result.run.folder.relative_to(summary.folder)),
                **asdict(result.record),
            }
            for result in summary.runs
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
        "config": record.config,
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
    """Makes a column for every key that some row has, in the order of the longest row."""
    longest = max(rows, key=len, default={})
    names = list(dict.fromkeys([*longest, *(name for row in rows for name in row)]))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
