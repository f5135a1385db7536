"""Two tiny pipelines that are compared from their archives."""

import argparse
import json
from pathlib import Path

import pytest
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.commands.compare_trees import CompareTrees, compare_trees_from_args
from spigot_allennlp.compat.atomic_io import file_sha256, write_json
from spigot_allennlp.models.syntactic_then_semantic import SyntacticThenSemantic
from spigot_allennlp.named_archives import INDEX
from tests.training_config_test import FOLDER, TINY

DATA = TINY["SPIGOT_SDP_DEV"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folders of trainings, by name."""
    folder = tmp_path_factory.mktemp("runs")
    configs = {"pipeline": "syntactic_then_semantic/pipeline", "plain": "semantic_parser/hinge"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in TINY.items():
            patch.setenv(name, value)
        for name, config in configs.items():
            params = Params.from_file(str(FOLDER / f"{config}.jsonnet"), {"trainer.num_epochs": 1})
            train_model(params, str(folder / name), include_package=["spigot_allennlp"])
        other = {"trainer.num_epochs": 1, "random_seed": 9, "numpy_seed": 9, "pytorch_seed": 9}
        params = Params.from_file(str(FOLDER / f"{configs['pipeline']}.jsonnet"), other)
        train_model(params, str(folder / "other"), include_package=["spigot_allennlp"])
    return {name: str(folder / name) for name in (*configs, "other")}


def compare(*arguments):
    parser = argparse.ArgumentParser()
    CompareTrees().add_subparser(parser.add_subparsers())
    compare_trees_from_args(parser.parse_args(["compare-trees", *map(str, arguments)]))


def test_a_model_beside_itself_has_its_own_scores_and_no_change(runs, tmp_path, capsys):
    output = tmp_path / "trees.json"
    compare(runs["pipeline"], runs["pipeline"], DATA, "--output", output)
    numbers = json.loads(output.read_text())
    with open(f"{runs['pipeline']}/metrics.json") as file:
        metrics = json.load(file)
    same = numbers["before"]["same tree"]
    assert same["sentences"] == 3 and same == numbers["after"]["same tree"]
    assert same["attachment"] == pytest.approx(metrics["best_validation_uas"])
    assert same["labelled_f1"] == pytest.approx(metrics["best_validation_labelled_f1"])
    assert numbers["all"]["changed"] == 0 < numbers["all"]["tokens"]
    nothing = {"sentences": 0, "attachment": None, "labelled_f1": None}
    assert numbers["before"]["different tree"] == nothing == numbers["after"]["different tree"]
    same, different = capsys.readouterr().out.splitlines()[1:3]
    assert same.startswith("same tree") and "-" not in same
    assert different.split() == ["different", "tree", "0", "-", "-", "-", "-"]


def test_names_of_the_index_are_known_and_sentences_go_through_the_model_by_length(
    runs, tmp_path, monkeypatch
):
    archive = f"{runs['pipeline']}/model.tar.gz"
    entry = {"url": archive, "sha256": file_sha256(Path(archive)), "licence": "none"}
    entry["size"] = Path(archive).stat().st_size
    write_json(tmp_path / "archives.json", {"pipe": entry})
    monkeypatch.setenv(INDEX, str(tmp_path / "archives.json"))
    batches = []
    forward = SyntacticThenSemantic.forward

    def counting(self, *arguments, **fields):
        batches.append((len(fields["metadata"]), sorted(fields)))
        return forward(self, *arguments, **fields)

    monkeypatch.setattr(SyntacticThenSemantic, "forward", counting)
    compare("pipe", runs["pipeline"], "synthetic:size=300,seed=3")
    sizes = [size for size, _ in batches]
    assert sum(sizes) == 600 and max(sizes) < 300
    assert not any({"heads", "graph", "tops"} & set(fields) for _, fields in batches)


def test_two_models_are_compared_and_plotted(runs, tmp_path, capsys):
    output, picture = tmp_path / "trees.json", tmp_path / "trees.svg"
    compare(runs["pipeline"], runs["other"], DATA, "--output", output, "--plot", picture)
    moved = json.loads(output.read_text())["all"]
    assert 0 < moved["changed"] <= moved["tokens"] and "<svg" in picture.read_text()
    share = f"{100 * moved['changed'] / moved['tokens']:.1f}%"
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("all "))
    assert line.split()[2] == share


def test_what_has_no_tree_is_refused(runs, tmp_path):
    with pytest.raises(ConfigurationError, match="makes no heads.*syntactic_then_semantic"):
        compare(runs["pipeline"], runs["plain"], DATA)
    graphs = tmp_path / "graphs.sdp"
    graphs.write_text("#SDP 2015\n#1\n1\tGo\tgo\tVB\t+\t-\t_\n\n")
    with pytest.raises(Exception, match="companion"):
        compare(runs["pipeline"], runs["other"], graphs)
    for option, name in (("--plot", "a.foo"), ("--output", "")):
        with pytest.raises(ConfigurationError, match="ends in '.foo'|is a folder"):
            compare("no_such_run", "no_such_run", DATA, option, tmp_path / name)
