"""The trial of gradients through trees: its parts of a treebank, and its arms."""

import json
from collections import Counter

import pytest
from allennlp.common import Params
from allennlp.data import Vocabulary
from allennlp.models import Model

from spigot_allennlp.ablation.plan.make_plan import make_plan, read_axes
from studies.trees.__main__ import main
from studies.trees.arms import ARMS, BASELINE, JOINT
from studies.trees.regimes import HELD_OUT, REGIMES, write_parts

SENTENCES = 3500


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """The parts of a treebank whose sentence with number i is the word "w<i>"."""
    treebank, folder = tmp_path_factory.mktemp("treebank"), tmp_path_factory.mktemp("parts")
    words = [f"w{number}" for number in range(SENTENCES)]
    graphs = "".join(f"#{word}\n1\t{word}\t{word}\tNN\t+\t-\t_\n\n" for word in words)
    (treebank / "train.sdp").write_text(f"#SDP 2015\n{graphs}")
    trees = "".join(f"1\t{word}\t{word}\tNN\tNN\t_\t0\troot\t_\t_\n\n" for word in words)
    (treebank / "train.conll").write_text(trees)
    write_parts(treebank, folder)
    return folder


def numbers(file):
    lines = [line.split("\t") for line in file.read_text().splitlines()]
    return Counter(int(line[1][1:]) for line in lines if len(line) > 1)


@pytest.mark.parametrize("name", REGIMES)
def test_a_regime_has_its_sentences_and_none_that_is_tested_on(parts, name):
    trees, graphs = numbers(parts / f"{name}.conll"), numbers(parts / f"{name}.sdp")
    regime = REGIMES[name]
    assert len(trees) == regime.trees and set(trees.values()) <= {regime.repeated_trees}
    assert len(graphs) == regime.graphs and set(graphs.values()) == {regime.repeated_graphs}
    assert not trees.keys() & graphs.keys()
    assert max(trees.keys() | graphs.keys()) < SENTENCES - HELD_OUT
    assert (parts / f"{name}.sdp").read_text().startswith("#SDP 2015\n#w")


def test_the_last_sentences_are_tested_on_with_graph_and_tree(parts):
    last = set(range(SENTENCES - HELD_OUT, SENTENCES))
    assert numbers(parts / "test.sdp").keys() == numbers(parts / "test.conll").keys() == last


def test_few_trees_are_among_the_many(parts):
    few, many = (numbers(parts / f"{name}.conll") for name in ("few_trees", "few_graphs"))
    assert few.keys() < many.keys()


def test_files_that_do_not_belong_together_are_refused(tmp_path):
    (tmp_path / "train.sdp").write_text("#SDP 2015\n#1\n1\ta\ta\tNN\t+\t-\t_\n\n")
    (tmp_path / "train.conll").write_text("1\ta\n\n1\tb\n\n")
    with pytest.raises(ValueError, match="1 graphs, but 2 trees"):
        write_parts(tmp_path, tmp_path / "parts")


def test_every_arm_has_as_many_trials():
    assert {len(arm.settings) for arm in ARMS.values()} == {3}


@pytest.mark.parametrize("name", REGIMES)
def test_every_arm_can_be_built_in_every_regime(name, tmp_path, monkeypatch):
    for variable in ("SDP_TRAIN", "CONLL_TRAIN", "SDP_DEV", "CONLL_DEV"):
        monkeypatch.setenv(f"SPIGOT_{variable}", "none")
    monkeypatch.setenv("SPIGOT_EMBEDDINGS", "")
    monkeypatch.setenv("TRIAL_TREES", "yes" if REGIMES[name].trees else "no")
    monkeypatch.setenv("TRIAL_RAW_WORDS", "yes" if REGIMES[name].raw_words else "no")
    file = tmp_path / "variants.json"
    variants = {arm: ARMS[arm].variant(ARMS[arm].settings[-1]) for arm in ARMS}
    file.write_text(json.dumps(variants))
    plan = make_plan(JOINT, read_axes([], str(file)), seeds=[1])
    vocab = Vocabulary(non_padded_namespaces=[])
    for variant in plan.variants.values():
        readers = variant.config["dataset_reader"].get("readers", {"semantics": None})
        assert ("syntax" in readers) == (REGIMES[name].trees > 0 and variant.name != "no tree")
        Model.from_params(Params(variant.config["model"]), vocab=vocab)


def test_a_comparison_without_a_tuning_says_so(tmp_path):
    with pytest.raises(SystemExit, match="few_trees/tuning has no report yet"):
        main(["--folder", str(tmp_path), "compare", "few_trees"])


def test_the_best_trial_of_each_arm_is_compared(tmp_path, monkeypatch):
    """Every arm is best in its middle setting here, but the baseline, whose first run failed."""
    rows = []
    for name, arm in ARMS.items():
        for setting, score in zip(arm.settings, (0.5, 0.6, 0.4), strict=True):
            spreads = {"labelled_f1": {"mean": score}}
            rows.append({"variant": f"{name}, {arm.tuned} {setting:g}", "spreads": spreads})
    middle = next(row for row in rows if row["variant"].startswith(f"{BASELINE}, rate 0.006"))
    middle["spreads"] = {}
    tuning = tmp_path / "few_trees" / "tuning"
    tuning.mkdir(parents=True)
    (tuning / "report.json").write_text(json.dumps({"variants": rows}))
    commands = []
    monkeypatch.setattr("subprocess.run", lambda command, env: commands.append(command) or Result())
    with pytest.raises(SystemExit) as exit:
        main(["--folder", str(tmp_path), "compare", "few_trees", "--seeds", "1", "2"])
    assert exit.value.code == 0
    compared = json.loads((tmp_path / "few_trees" / "comparison.json").read_text())
    expected = {name: arm.settings[1] for name, arm in ARMS.items()}
    expected[BASELINE] = 0.003
    assert compared == {name: ARMS[name].variant(setting) for name, setting in expected.items()}
    (command,) = commands
    assert command[command.index("--seeds") + 1 :][:2] == ["1", "2"]
    assert command[command.index("--test-data") + 1].endswith("test.sdp")


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
    arms = {BASELINE: (0.5, 0.52), "spigot": (0.51, 0.53)}
    rows = [
        {"variant": name, "changes": {}, "seconds": 60.0, "comparison": compared}
        for name, compared in zip(arms, (None, difference), strict=True)
    ]
    runs = [cell for name, scores in arms.items() for cell in cells(name, *scores)]
    report = {"metrics": ["labelled_f1", "uas"], "variants": rows, "cells": runs}
    for kind in ("tuning", "comparison"):
        folder = tmp_path / "few_trees" / kind
        folder.mkdir(parents=True)
        (folder / "report.json").write_text(json.dumps(report))
    output = tmp_path / "scores.json"
    with pytest.raises(SystemExit):
        main(["--folder", str(tmp_path), "tables", "--output", str(output)])
    collected = json.loads(output.read_text())
    assert list(collected) == ["few_trees"]
    spigot = collected["few_trees"]["comparison"]["spigot"]
    assert spigot["scores"] == {
        "labelled_f1": {"1": 0.51, "2": 0.53},
        "uas": {"1": 0.255, "2": 0.265},
    }
    printed = capsys.readouterr().out
    assert "| spigot | 52.0 ± 1.4 | +1.0 (-2.0 to +4.0) |  | 26.0 ± 0.7 | 2 |" in printed
    assert f"| {BASELINE} | 51.0 ± 1.4 |  |  |" in printed


class Result:
    """Of a process that ended well."""

    returncode = 0
