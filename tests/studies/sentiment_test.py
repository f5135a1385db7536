"""The trial of gradients through graphs, for sentiment: its parts of the data, and its arms."""

import json
from pathlib import Path

import pytest
from allennlp.common import Params
from allennlp.data import Vocabulary
from allennlp.models import Model

from spigot_allennlp.ablation.plan.make_plan import make_plan, read_axes
from studies.sentiment.__main__ import PARSER, TRIAL
from studies.sentiment.parts import HELD_OUT, REGIMES, write_parts
from studies.trial import table

DOCS = Path(__file__).parents[2] / "docs"

SENTENCES = 2000


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """The parts of a treebank whose sentence with number i is the word "w<i>"."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("parts")
    trees = [f"({4 * (2 * number < SENTENCES)} w{number})" for number in range(SENTENCES)]
    neutral = ["(2 neutral)"] * 300
    (source / "train.txt").write_text("\n".join([*neutral, *trees, *neutral]) + "\n")
    for name in ("dev.txt", "train.sdp", "dev.sdp"):
        (source / name).write_text(name)
    write_parts(source, source, folder)
    return folder


def numbers(file):
    return [int(line.split("w")[1].rstrip(")")) for line in file.read_text().splitlines()]


def test_a_regime_has_its_sentences_and_none_that_is_tested_on(parts):
    names = ("test", "tenth", "all")
    tested_on, tenth, everything = (set(numbers(parts / f"{name}.txt")) for name in names)
    assert (len(tested_on), len(tenth)) == (HELD_OUT, REGIMES["tenth"].sentences)
    assert tenth < everything == set(range(SENTENCES)) - tested_on


@pytest.mark.parametrize("name", ["test", "tenth"])
def test_classes_are_mixed_though_the_file_is_sorted(parts, name):
    """
    The first half is good and the second bad. The standard deviation of the share of a class among
    692 sentences, drawn out of 2000, is 1.5 %.
    """
    labels = [line[1] for line in (parts / f"{name}.txt").read_text().splitlines()]
    assert 0.44 < labels.count("4") / len(labels) < 0.56


def test_the_other_data_are_copied(parts):
    assert (parts / "train.sdp").read_text() == "train.sdp"


def test_too_few_sentences_are_refused(tmp_path):
    (tmp_path / "train.txt").write_text("(4 good)\n(2 so)\n")
    with pytest.raises(ValueError, match="has 1 sentences that are not neutral"):
        write_parts(tmp_path, tmp_path, tmp_path / "parts")


def test_every_arm_has_as_many_trials():
    assert {len(arm.settings) for arm in TRIAL.arms.values()} == {3}


def test_every_arm_has_its_config(tmp_path, monkeypatch):
    monkeypatch.setenv("SPIGOT_SST_EMBEDDINGS", "")
    monkeypatch.setenv("SPIGOT_EMBEDDINGS", "")
    for variable, value in TRIAL.environment(tmp_path, "tenth").items():
        monkeypatch.setenv(variable, value)
    file = tmp_path / "variants.json"
    file.write_text(json.dumps({n: arm.variant(arm.settings[0]) for n, arm in TRIAL.arms.items()}))
    plan = make_plan(TRIAL.base, read_axes([], str(file)), seeds=[1])
    configs = {name: variant.config for name, variant in plan.variants.items()}
    assert {config["trainer"]["num_epochs"] for config in configs.values()} == {6}
    estimators = {
        name: config["model"]["argmax"]["estimator"]["type"]
        for name, config in configs.items()
        if "argmax" in config["model"]
    }
    assert estimators["spigot, two-sided"] == estimators["spigot"] == "spigot"
    assert configs["spigot, two-sided"]["model"]["argmax"]["estimator"]["two_sided"] is True
    assert "no graph" not in estimators
    vocab = Vocabulary()
    vocab.add_token_to_namespace("1", "labels")
    Model.from_params(Params(configs["no graph"]["model"]), vocab=vocab)


def test_the_parser_inside_is_that_of_the_package_but_for_its_size(monkeypatch):
    monkeypatch.setenv("SPIGOT_EMBEDDINGS", "")
    small, whole = (
        Params.from_file(file).as_dict()
        for file in (PARSER, "spigot_allennlp:semantic_parser/raw_text.jsonnet")
    )
    for place in (["encoder", "encoder"], ["arc_scorer"], ["label_scorer"]):
        of_small, of_whole = small["model"], whole["model"]
        for key in place:
            of_small, of_whole = of_small[key], of_whole[key]
        size = "hidden_size" if place[0] == "encoder" else "hidden_dim"
        assert of_small.pop(size) < of_whole.pop(size)
    assert small == whole


def test_every_arm_is_validated_on_what_its_reader_reads(tmp_path, monkeypatch):
    monkeypatch.setenv("SPIGOT_SST_EMBEDDINGS", "")
    for variable, value in TRIAL.environment(tmp_path, "tenth").items():
        monkeypatch.setenv(variable, value)
    config = Params.from_file(TRIAL.base).as_dict()
    readers = config["validation_dataset_reader"]["readers"]
    assert readers.keys() == config["validation_data_path"].keys() == {"sentiment"}
    assert readers["sentiment"] == config["dataset_reader"]["readers"]["sentiment"]
    assert TRIAL.tested_on(tmp_path, "tenth", "pipeline").keys() == readers.keys()


def test_the_table_of_the_page_is_that_of_the_scores():
    scores = json.loads((DOCS / "trial_of_sentiment.json").read_text())
    page = (DOCS / "results" / "sentiment.md").read_text().splitlines()
    for regime in scores:
        expected = table(TRIAL, regime, scores[regime])
        start = page.index(expected[0])
        assert page[start : start + len(expected)] == expected
