"""Trials: which runs are asked for, which settings win, which scores are collected."""

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import pytest

from studies.trial import Arm, Trial, draw, overview, run, table_over_regimes


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
    tested_on=lambda data, regime, arm: f"{data.name}/{arm}",
)


class Result:
    """Stands for a process that ended with a status."""

    returncode = 3


def run_step(folder, *arguments):
    options = ["--folder", str(folder), "--scores", str(folder / "scores.json")]
    return run(TRIAL, lambda parser: None, [*options, *arguments])


@pytest.fixture
def commands(monkeypatch):
    """The commands that are run, with their environments."""
    started = []
    monkeypatch.setattr(
        "subprocess.run", lambda command, env: started.append((command, env)) or Result()
    )
    return started


def write_report(folder, kind, scores, seeds=(1,), settings=()):
    """A report with scores by arm and seed; of every arm the run with the last seed failed."""
    cells = [
        {
            "variant": name,
            "seed": seed,
            "state": "done",
            "test": {"figures": {"labelled_f1": score, "uas": score / 2}},
        }
        for name, of_arm in scores.items()
        for seed, score in zip(seeds[: len(of_arm)], of_arm, strict=True)
    ]
    cells += [{"variant": name, "seed": 99, "state": "failed", "test": {}} for name in scores]
    settings = dict(settings)
    rows = [
        {
            "variant": name,
            "seconds": 60.0,
            "changes": {"model.setting": settings.get(name), "test_data_path": "test"},
        }
        for name in scores
    ]
    report = {"metrics": ["labelled_f1", "uas"], "variants": rows, "cells": cells}
    (folder / "few" / kind).mkdir(parents=True, exist_ok=True)
    (folder / "few" / kind / "report.json").write_text(json.dumps(report))
    write_data(folder)


def write_data(folder, text="sentences"):
    (folder / "data").mkdir(exist_ok=True)
    for name in ("few", "many", "test"):
        (folder / "data" / f"{name}.txt").write_text(f"{name}: {text}")


SETTINGS = {"none": 2, "pipeline": 1, "spigot": 10}


def write_comparison(folder, scores, seeds, **settings):
    write_report(folder, "tuning", tuned(**SETTINGS))
    write_report(folder, "comparison", scores, seeds, {**SETTINGS, **settings})


def tuned(**settings):
    """Scores of a tuning in which these settings won; each arm has three."""
    return {
        f"{name}, {arm.tuned} {setting:g}": [0.9 if setting == settings[name] else 0.1]
        for name, arm in TRIAL.arms.items()
        for setting in arm.settings
    }


def after(command, option):
    return command[command.index(option) + 1]


def test_every_setting_of_every_arm_is_tried_on_development_data(tmp_path, commands):
    assert run_step(tmp_path, "tune", "few", "--jobs", "2") == 3
    ((command, environment),) = commands
    assert command[:3] == ["allennlp", "ablate", "base.jsonnet"]
    seeds = command.index("--seeds")
    assert command[seeds + 1 : seeds + 5] == ["101", "102", "--jobs", "2"]
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
    scores = tuned(none=2, pipeline=1, spigot=10)
    scores["pipeline, rate 3"] = []
    write_report(tmp_path, "tuning", scores)
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


def test_a_setting_of_which_a_seed_failed_is_not_chosen(tmp_path, commands):
    scores = {name: of_arm * 2 for name, of_arm in tuned(**SETTINGS).items()}
    scores["pipeline, rate 2"] = [0.95]
    write_report(tmp_path, "tuning", scores, seeds=(101, 102))
    run_step(tmp_path, "compare", "few")
    variants = json.loads(Path(after(commands[0][0], "--variants")).read_text())
    assert variants["pipeline"]["model.setting"] == 1


def test_some_arms_are_run_first_and_others_later(tmp_path, commands):
    for arms in (["pipeline", "spigot"], ["pipeline", "none", "spigot"]):
        run_step(tmp_path, "tune", "few", "--arms", *arms)
        write_report(tmp_path, "tuning", tuned(**SETTINGS))
        run_step(tmp_path, "compare", "few", "--arms", *arms)
    files = [Path(after(command, "--variants")) for command, _ in commands[2:]]
    trials, compared = (list(json.loads(file.read_text())) for file in files)
    assert {name.partition(",")[0] for name in trials} == {"none", "pipeline", "spigot"}
    assert compared == ["none", "pipeline", "spigot"]


def test_arms_without_what_they_are_compared_with_are_refused(tmp_path):
    with pytest.raises(SystemExit, match="--arms: 'pipeline' is what the others are compared with"):
        run_step(tmp_path, "tune", "few", "--arms", "spigot")


def test_a_comparison_without_a_tuning_says_so(tmp_path):
    with pytest.raises(SystemExit, match="few/tuning has no report yet"):
        run_step(tmp_path, "compare", "few")


def test_an_arm_of_which_no_run_has_a_score_stops_the_comparison(tmp_path):
    """Of the second arm one run failed, one diverged, and one was never asked for."""
    scores = {"none, rate 1": [0.5], "pipeline, rate 1": [], "pipeline, rate 2": [float("nan")]}
    write_report(tmp_path, "tuning", scores)
    with pytest.raises(SystemExit, match="few/tuning: no run of 'pipeline' has a score"):
        run_step(tmp_path, "compare", "few")


def test_scores_are_collected_from_the_reports(tmp_path, capsys):
    """
    Differences of 1, 2 and 3 points, by hand: their standard error is 1 / sqrt(3) points, and
    Student's t with two degrees of freedom 4.303 at 97.5 %, so that the interval is 2 +- 2.48. For
    two degrees of freedom, p is 1 - t / sqrt(t^2 + 2), with t = 2 sqrt(3).
    """
    arms = {"pipeline": (0.5, 0.52, 0.54), "spigot": (0.51, 0.54, 0.57)}
    write_comparison(tmp_path, arms, seeds=(1, 2, 3))
    assert run_step(tmp_path, "tables") == 0
    collected = json.loads((tmp_path / "scores.json").read_text())
    assert list(collected) == ["few"]
    assert collected["few"]["sizes"] == {"sentences": 10}
    assert collected["few"]["tuning"]["spigot, cap 10"]["labelled_f1"] == {"1": 0.9}
    spigot = collected["few"]["comparison"]["spigot"]
    assert spigot["setting"] == 10
    assert spigot["scores"]["labelled_f1"] == {"1": 0.51, "2": 0.54, "3": 0.57}
    assert spigot["scores"]["uas"] == {"1": 0.255, "2": 0.27, "3": 0.285}
    printed = capsys.readouterr().out.splitlines()
    columns = ["few", "labelled f1", "against pipeline", "detectable", "p", "uas"]
    columns += ["uas against pipeline", "seeds"]
    assert printed[0] == f"| {' | '.join(columns)} |"
    assert printed[2] == "| pipeline | 52.0 ± 2.0 |  |  |  | 26.0 ± 1.0 |  | 3 |"
    _, _, mean, difference, detectable, p, uas, of_uas, seeds, _ = printed[3].split("|")
    assert (mean, difference) == (" 54.0 ± 3.0 ", " +2.0 (-0.5 to +4.5) ")
    assert float(p) == pytest.approx(1 - 12**0.5 / 14**0.5, abs=0.0005)
    assert (uas, of_uas, seeds) == (" 27.0 ± 1.5 ", " +1.0 (-0.2 to +2.2) ", " 3 ")
    assert float(detectable) > 2.48  # the interval's half has a power of a half


def test_the_p_of_several_arms_is_adjusted(tmp_path, capsys):
    """Two arms differ alike: the p of one alone is doubled."""
    arms = {"pipeline": (0.5, 0.52, 0.54)}
    write_comparison(tmp_path, {**arms, "spigot": (0.51, 0.54, 0.57)}, seeds=(1, 2, 3))
    run_step(tmp_path, "tables")
    alone = float(capsys.readouterr().out.splitlines()[3].split("|")[5])
    arms.update({name: (0.51, 0.54, 0.57) for name in ("none", "spigot")})
    write_comparison(tmp_path, arms, seeds=(1, 2, 3))
    run_step(tmp_path, "tables")
    none, _, spigot = capsys.readouterr().out.splitlines()[2:5]
    together = [float(line.split("|")[5]) for line in (none, spigot)]
    assert together == pytest.approx([2 * alone] * 2, abs=0.001)


def test_another_folder_adds_its_seeds_and_needs_no_tuning_of_its_own(tmp_path, commands):
    first, second = tmp_path / "first", tmp_path / "second"
    write_comparison(first, {"pipeline": (0.5,), "spigot": (0.6,)}, seeds=(1,))
    scores = ["--scores", str(tmp_path / "scores.json")]
    run_step(first, *scores, "tables")
    second.mkdir()
    write_data(second)
    run_step(second, *scores, "compare", "few", "--seeds", "2")
    ((command, _),) = commands
    assert json.loads(Path(after(command, "--variants")).read_text())["spigot"] == {
        "model.setting": 10,
        "test_data_path": "data/spigot",
    }
    write_report(second, "tuning", {"spigot, cap 10": ()})  # not done
    arms = {"pipeline": (0.7,), "spigot": (0.9,)}
    write_report(second, "comparison", arms, seeds=(2,), settings=SETTINGS)
    run_step(second, *scores, "tables")
    run_step(first, *scores, "tables")  # again: as it was
    collected = json.loads((tmp_path / "scores.json").read_text())["few"]
    arms = collected["comparison"]
    assert arms["pipeline"]["scores"]["labelled_f1"] == {"1": 0.5, "2": 0.7}
    assert arms["spigot"]["scores"]["uas"] == {"1": 0.3, "2": 0.45}
    assert collected["tuning"]["spigot, cap 10"]["labelled_f1"] == {"1": 0.9}


def test_a_comparison_keeps_the_setting_it_was_run_with(tmp_path):
    """Tuned again, with another winner, before the scores are collected."""
    arms = {"pipeline": (0.5,), "spigot": (0.6,)}
    write_comparison(tmp_path, arms, seeds=(1,))
    write_report(tmp_path, "tuning", tuned(none=2, pipeline=1, spigot=0.1))
    run_step(tmp_path, "tables")
    collected = json.loads((tmp_path / "scores.json").read_text())["few"]
    assert collected["comparison"]["spigot"]["setting"] == 10


def test_scores_of_two_kinds_are_not_mixed(tmp_path, commands):
    arms = {"pipeline": (0.5,), "spigot": (0.6,)}
    write_comparison(tmp_path, arms, seeds=(1,))
    run_step(tmp_path, "tables")
    write_comparison(tmp_path, arms, seeds=(2,), spigot=0.1)
    with pytest.raises(SystemExit, match="setting of 'spigot' was 10, and is now 0.1"):
        run_step(tmp_path, "tables")
    write_comparison(tmp_path, {"pipeline": (0.4,)}, seeds=(1,))
    with pytest.raises(SystemExit, match="labelled_f1 of seed 1 was 0.5, and is now 0.4"):
        run_step(tmp_path, "tables")
    write_data(tmp_path, "others")
    for step in (["tables"], ["compare", "few"]):
        with pytest.raises(SystemExit, match="scores.json, few: the checksum of the data was"):
            run_step(tmp_path, *step)
    assert not commands


def test_prepare_gets_the_folder_of_the_data_and_its_options(tmp_path):
    seen = []

    def add_prepare(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("source")
        parser.set_defaults(prepare=lambda data, options: seen.append((data, options.source)))

    assert run(TRIAL, add_prepare, ["--folder", str(tmp_path), "prepare", "treebank"]) == 0
    assert seen == [(tmp_path / "data", "treebank")]


def test_regimes_that_are_a_sample_are_compared_over_themselves():
    """
    Seeds are averaged first: 50, 60 and 70 against 51, 62 and 73, whose differences are those of
    `test_scores_are_collected_from_the_reports`.
    """
    folds = {
        str(number): {
            "comparison": {
                "pipeline": {"scores": {"labelled_f1": {"1": mean - 0.1, "2": mean + 0.1}}},
                "spigot": {"scores": {"labelled_f1": {"1": mean + number / 100}}},
            }
        }
        for number, mean in ((1, 0.5), (2, 0.6), (3, 0.7))
    }
    assert table_over_regimes(TRIAL, folds) == [
        "|  | pipeline | spigot |",
        "| --- | --- | --- |",
        "| 1 | 50.0 | 51.0 |",
        "| 2 | 60.0 | 62.0 |",
        "| 3 | 70.0 | 73.0 |",
        "| mean | 60.0 ± 10.0 | 62.0 ± 11.0 |",
        "| against pipeline |  | +2.0 (-0.5 to +4.5) |",
        f"| p |  | {1 - 12**0.5 / 14**0.5:.3f} |",
    ]


def compared(**arms):
    """The scores of a regime, of three seeds."""
    scores = {
        name: {"scores": {"labelled_f1": dict(zip("123", of, strict=True))}}
        for name, of in arms.items()
    }
    return {"comparison": scores}


def test_other_regimes_stand_side_by_side():
    """
    By differences of 1, 2 and 3 points, as above, p is 0.07; by 3, 4 and 5, of the same spread,
    1 - t / sqrt(t^2 + 2) with t = 4 sqrt(3), 0.02.
    """
    scores = {
        "few": compared(pipeline=(0.5, 0.5, 0.5), spigot=(0.51, 0.52, 0.53)),
        "many": compared(pipeline=(0.7, 0.8, 0.9), none=(0.66, 0.77, 0.85)),
        "tuned only": {"comparison": {}},
    }
    assert overview(TRIAL, scores) == [
        "|  | few | many | tuned only |",
        "| --- | --- | --- | --- |",
        "| none |  | **-4.0** (-6.5 to -1.5) |  |",
        "| pipeline | 50.0 | 80.0 |  |",
        "| spigot | +2.0 (-0.5 to +4.5) |  |  |",
    ]


def test_a_regime_that_another_has_replaced_is_not_among_all():
    scores = {
        "few": compared(pipeline=(0.5, 0.5, 0.5), spigot=(0.51, 0.52, 0.53)),
        "first": compared(pipeline=(0.3, 0.3, 0.3), none=(0.2, 0.2, 0.2)),
    }
    trial = TRIAL._replace(superseded=("first",))
    assert overview(trial, scores) == overview(TRIAL, {"few": scores["few"]})


def test_the_picture_has_the_differences_that_the_table_has(tmp_path):
    scores = {
        "few": compared(pipeline=(0.5, 0.5, 0.5), spigot=(0.51, 0.52, 0.53)),
        "many": compared(pipeline=(0.7, 0.8, 0.9), spigot=(0.7, 0.8, 0.9), none=(0.9, 0.9, 0.9)),
        "tuned only": {"comparison": {}},
        "first": compared(pipeline=(0.3, 0.3, 0.3)),
    }
    trial = TRIAL._replace(out_of_scale=("none",), superseded=("first",))
    few, many = draw(trial, scores, tmp_path / "scores.png").axes
    assert [panel.get_title() for panel in (few, many)] == ["few (50.0)", "many (80.0)"]
    assert [label.get_text() for label in few.get_yticklabels()] == ["pipeline", "spigot"]
    interval, mean = few.lines[0].get_xdata(), few.lines[1].get_xdata()
    assert mean == pytest.approx([2]) and interval == pytest.approx([-0.48, 4.48], abs=0.01)
    assert many.lines[1].get_xdata() == pytest.approx([0])
    assert (tmp_path / "scores.png").stat().st_size > 0


def test_regimes_are_a_sample_or_stand_side_by_side(tmp_path, capsys):
    arms = {"pipeline": (0.5, 0.52), "spigot": (0.51, 0.54)}
    write_comparison(tmp_path, arms, seeds=(1, 2))
    scores = tmp_path / "scores.json"
    options = ["--folder", str(tmp_path), "--scores", str(scores), "tables"]
    for is_sample, over_all in ((False, overview), (True, table_over_regimes)):
        run(TRIAL._replace(regimes_are_a_sample=is_sample), lambda parser: None, options)
        expected = over_all(TRIAL, json.loads(scores.read_text()))
        assert capsys.readouterr().out.splitlines()[-len(expected) - 1 :] == ["", *expected]
