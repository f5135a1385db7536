"""Collects the scores of the trial in one file, and makes tables of them."""

import json
import statistics
from pathlib import Path
from typing import Any, Dict, List, Mapping

from studies.trees.arms import BASELINE
from studies.trees.regimes import Regime

Scores = Dict[str, Any]


def collect(folder: Path, regimes: Mapping[str, Regime]) -> Scores:
    """
    Collects the scores of the regimes that have a report.

    # Returns

    For each regime its `sizes`; the scores of each trial of the `tuning` on development data; of
    each arm of the `comparison` its `setting`, its scores on test data, its `difference` from the
    baseline as the report of the ablation has it, and the median `seconds` of a run. Scores are
    maps from a metric to a map from a seed to the score.
    """
    collected: Scores = {}
    for name, regime in regimes.items():
        tuning, comparison = (_report(folder / name / kind) for kind in ("tuning", "comparison"))
        if tuning:
            trials = {row["variant"]: _scores(tuning, row) for row in tuning["variants"]}
            arms = {row["variant"]: _arm(comparison, row) for row in comparison.get("variants", [])}
            collected[name] = {"sizes": regime._asdict(), "tuning": trials, "comparison": arms}
    return collected


def table(regime: str, scores: Scores) -> List[str]:
    """Returns the lines of a Markdown table of the comparison in a regime."""
    lines = [
        f"| {regime} | labelled F1 | against {BASELINE} | p over seeds | UAS | seeds |",
        "|---|---|---|---|---|---|",
    ]
    for name, arm in scores["comparison"].items():
        f1, uas = arm["scores"]["labelled_f1"], arm["scores"].get("uas", {})
        lines.append(
            f"| {name} | {_spread(f1)} | {_difference(arm['difference'])} | "
            f"{_p(arm['difference'])} | {_spread(uas)} | {len(f1)} |"
        )
    return lines


def _report(folder: Path) -> Dict[str, Any]:
    file = folder / "report.json"
    return json.loads(file.read_text("utf-8")) if file.is_file() else {}


def _arm(report: Dict[str, Any], row: Dict[str, Any]) -> Dict[str, Any]:
    return {
        "setting": row["changes"],
        "scores": _scores(report, row),
        "difference": row["comparison"],
        "seconds": row["seconds"],
    }


def _scores(report: Dict[str, Any], row: Dict[str, Any]) -> Dict[str, Dict[str, float]]:
    done = [
        run
        for run in report["cells"]
        if run["variant"] == row["variant"] and run["state"] == "done"
    ]
    scores: Dict[str, Dict[str, float]] = {metric: {} for metric in report["metrics"]}
    for run in done:
        for metric in scores.keys() & run["test"]["figures"].keys():
            scores[metric][str(run["seed"])] = run["test"]["figures"][metric]
    return scores


def _spread(scores: Dict[str, float]) -> str:
    if not scores:
        return ""
    mean = f"{100 * statistics.mean(scores.values()):.1f}"
    return f"{mean} ± {100 * statistics.stdev(scores.values()):.1f}" if len(scores) > 1 else mean


def _difference(difference: Any) -> str:
    if not difference:
        return ""
    return "{difference:+.1f} ({low:+.1f} to {high:+.1f})".format(
        **{key: 100 * difference[key] for key in ("difference", "low", "high")}
    )


def _p(difference: Any) -> str:
    p = difference and difference["p_over_seeds"]
    return "" if p is None else f"{p:.3f}"
