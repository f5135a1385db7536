"""Trials: which runs are asked for, which settings win, which scores are collected."""

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import pytest

from studies.trial import Arm, Trial, run


class Regime(NamedTuple):
    sentences: int


def arm(tuned, *settings):
    return Arm(tuned, settings, lambda setting: {"model.setting": setting})


def alone(setting):
    return {"config": "alone.jsonnet", "overrides": {"model.setting": setting}}


TRIAL = Trial(
    name="example",
    base="base.jsonnet",
    arms={
        "none": Arm("rate", (1, 2, 3), alone),
        "pipeline": arm("rate", 1, 2, 3),
        "spigot": arm("cap", 0.1, 1, 10),
    },
    baseline="pipeline",
    metrics=("labelled_f1", "uas"),
    regimes={"few": Regime(10), "many": Regime(100)},
    environment=lambda data, regime: {"TRAIN": f"{data.name}/{regime}"},
    tested_on=lambda data, arm: f"{data.name}/{arm}",
)


class Result:
    """Stands for a process that ended with a status."""

    returncode = 3


def run_step(folder, *arguments):
    return run(TRIAL, lambda parser: None, ["--folder", str(folder), *arguments])


@pytest.fixture
def commands(monkeypatch):
    """The commands that are run, with their environments."""
    started = []
    monkeypatch.setattr(
        "subprocess.run", lambda command, env: started.append((command, env)) or Result()
    )
    return started


def write_report(folder, kind, report):
    (folder / "few" / kind).mkdir(parents=True)
    (folder / "few" / kind / "report.json").write_text(json.dumps(report))


def after(command, option):
    return command[command.index(option) + 1]


def test_every_setting_of_every_arm_is_tried_on_development_data(tmp_path, commands):
    assert run_step(tmp_path, "tune", "few", "--jobs", "2") == 3
    ((command, environment),) = commands
    assert command[:3] == ["allennlp", "ablate", "base.jsonnet"]
    assert (after(command, "--seeds"), after(command, "--jobs")) == ("101", "2")
    assert (after(command, "--baseline"), after(command, "--metric")) == (
        "pipeline, rate 1",
        "labelled_f1",
    )
    assert environment["TRAIN"] == "data/few"
    variants = json.loads(Path(after(command, "--variants")).read_text())
    assert list(variants) == [
        *(f"none, rate {rate}" for rate in (1, 2, 3)),
        *(f"pipeline, rate {rate}" for rate in (1, 2, 3)),
        *(f"spigot, cap {cap}" for cap in (0.1, 1, 10)),
    ]
    assert variants["none, rate 2"] == alone(2)
    assert variants["spigot, cap 0.1"] == {"model.setting": 0.1}


def test_the_best_trial_of_each_arm_is_compared_on_test_data(tmp_path, commands):
    """Of the baseline the best run failed; a failure has no score."""
    scores = {
        "none, rate 1": 0.1,
        "none, rate 2": 0.3,
        "none, rate 3": 0.2,
        "pipeline, rate 1": 0.4,
        "pipeline, rate 2": 0.3,
        "spigot, cap 0.1": 0.1,
        "spigot, cap 1": 0.2,
        "spigot, cap 10": 0.5,
    }
    rows = [
        {"variant": name, "spreads": {"labelled_f1": {"mean": score}}}
        for name, score in scores.items()
    ]
    rows.append({"variant": "pipeline, rate 3", "spreads": {}})
    write_report(tmp_path, "tuning", {"variants": rows})
    run_step(tmp_path, "compare", "few", "--seeds", "1", "2")
    ((command, _),) = commands
    seeds = command.index("--seeds")
    assert command[seeds + 1 : seeds + 4] == ["1", "2", "--jobs"]
    assert after(command, "--baseline") == "pipeline"
    assert json.loads(Path(after(command, "--variants")).read_text()) == {
        "none": {
            "config": "alone.jsonnet",
            "overrides": {"model.setting": 2, "test_data_path": "data/none"},
        },
        "pipeline": {"model.setting": 1, "test_data_path": "data/pipeline"},
        "spigot": {"model.setting": 10, "test_data_path": "data/spigot"},
    }


def test_a_comparison_without_a_tuning_says_so(tmp_path):
    with pytest.raises(SystemExit, match="few/tuning has no report yet"):
        run_step(tmp_path, "compare", "few")


def test_an_arm_of_which_no_run_has_a_score_stops_the_comparison(tmp_path):
    """Of the second arm one run failed, one diverged, and one was never asked for."""
    rows = [
        {"variant": "none, rate 1", "spreads": {"labelled_f1": {"mean": 0.5}}},
        {"variant": "pipeline, rate 1", "spreads": {}},
        {"variant": "pipeline, rate 2", "spreads": {"labelled_f1": {"mean": float("nan")}}},
    ]
    write_report(tmp_path, "tuning", {"variants": rows})
    with pytest.raises(SystemExit, match="few/tuning: no run of 'pipeline' has a score"):
        run_step(tmp_path, "compare", "few")


def test_scores_are_collected_from_the_reports(tmp_path, capsys):
    """Two seeds of two arms; a run that failed has no score."""

    def cells(variant, *scores):
        test = [{"figures": {"labelled_f1": score, "uas": score / 2}} for score in scores]
        done = [
            {"variant": variant, "seed": seed, "state": "done", "test": entry}
            for seed, entry in enumerate(test, 1)
        ]
        return [*done, {"variant": variant, "seed": 3, "state": "failed", "test": {}}]

    difference = {"difference": 0.01, "low": -0.02, "high": 0.04, "p_over_seeds": None}
    arms = {"pipeline": (0.5, 0.52), "spigot": (0.51, 0.53)}
    rows = [
        {"variant": name, "changes": {}, "seconds": 60.0, "comparison": compared}
        for name, compared in zip(arms, (None, difference), strict=True)
    ]
    runs = [cell for name, scores in arms.items() for cell in cells(name, *scores)]
    report = {"metrics": ["labelled_f1", "uas"], "variants": rows, "cells": runs}
    for kind in ("tuning", "comparison"):
        write_report(tmp_path, kind, report)
    output = tmp_path / "scores.json"
    assert run_step(tmp_path, "tables", "--output", str(output)) == 0
    collected = json.loads(output.read_text())
    assert list(collected) == ["few"]
    assert collected["few"]["sizes"] == {"sentences": 10}
    assert collected["few"]["comparison"]["spigot"]["scores"] == {
        "labelled_f1": {"1": 0.51, "2": 0.53},
        "uas": {"1": 0.255, "2": 0.265},
    }
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "| few | labelled f1 | against pipeline | p over seeds | uas | seeds |"
    assert printed[2] == "| pipeline | 51.0 ± 1.4 |  |  | 25.5 ± 0.7 | 2 |"
    assert printed[3] == "| spigot | 52.0 ± 1.4 | +1.0 (-2.0 to +4.0) |  | 26.0 ± 0.7 | 2 |"


def test_prepare_gets_the_folder_of_the_data_and_its_options(tmp_path):
    seen = []

    def add_prepare(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("source")
        parser.set_defaults(prepare=lambda data, options: seen.append((data, options.source)))

    assert run(TRIAL, add_prepare, ["--folder", str(tmp_path), "prepare", "treebank"]) == 0
    assert seen == [(tmp_path / "data", "treebank")]
