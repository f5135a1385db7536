"""The report for other programs: CSV, one row a cell and one row a variant, and JSON."""

import csv
import io
from dataclasses import asdict
from typing import Any, Dict, List, Sequence

from spigot_allennlp.ablation.results import CellResult, Results
from spigot_allennlp.ablation.summary import Row


def cells_as_csv(results: Results) -> str:
    """One row a cell: all its figures on the test data, prefixed by "test_"."""
    figures = results.known_figures()
    return _csv([_cell(results, cell, figures) for cell in results.cells])


def variants_as_csv(rows: Sequence[Row]) -> str:
    """One row a variant."""
    return _csv([_variant(row) for row in rows])


def as_json(results: Results, rows: Sequence[Row]) -> Dict[str, Any]:
    """Everything: the plan, the summary and the records of all cells."""
    plan, root = results.plan, results.folder.absolute()
    return {
        "base": plan.base,
        "baseline": plan.baseline,
        "metrics": plan.metrics,
        "test_data": plan.test_data,
        "variants": [asdict(row) for row in rows],
        "cells": [
            {"folder": str(cell.folder.relative_to(root)), **asdict(cell.record)}
            for cell in results.cells
        ],
    }


def _cell(results: Results, cell: CellResult, figures: Sequence[str]) -> Dict[str, Any]:
    known = cell.record
    return {
        "variant": known.variant,
        "seed": known.seed,
        "state": known.state,
        **{f"test_{name}": known.test.get("figures", {}).get(name) for name in figures},
        "best_epoch": known.metrics.get("best_epoch"),
        "seconds": known.seconds,
        "cpu_seconds": known.cpu_seconds,
        "seconds_testing": known.seconds_testing,
        "peak_memory_mb": known.peak_memory_mb,
        "peak_gpu_memory_mb": known.peak_gpu_memory_mb,
        "attempts": len(known.attempts),
        "host": known.attempts[-1]["host"] if known.attempts else None,
        "config": known.config,
        "folder": cell.folder.relative_to(results.folder.absolute()),
        "message": known.message,
    }


def _variant(row: Row) -> Dict[str, Any]:
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
    """A column for every key that some row has, in the order of the longest row."""
    longest = max(rows, key=len, default={})
    names = list(dict.fromkeys([*longest, *(name for row in rows for name in row)]))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
