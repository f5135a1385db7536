import argparse
import csv
import re
import sys
from unittest import mock

import pytest
from allennlp.commands.subcommand import Subcommand

from spigot_allennlp.commands.ablate import Ablate
from tests.ablation.tiny_experiment import write_experiment


def run(*arguments):
    """The exit status, or what was said in its place."""
    parser = argparse.ArgumentParser()
    subparser = Ablate().add_subparser(parser.add_subparsers())
    subparser.add_argument("--include-package", action="append", default=[])  # AllenNLP adds it
    args = parser.parse_args(["ablate", *map(str, arguments)])
    command_line = ["/bin/allennlp", "ablate", *map(str, arguments)]
    with mock.patch.object(sys, "argv", command_line), pytest.raises(SystemExit) as stop:
        args.func(args)
    return stop.value.code


def test_it_is_a_command_of_allennlp():
    assert Subcommand.by_name("ablate") is Ablate


def test_it_trains_reports_and_ends_with_status_0(tmp_path, capsys):
    base, out = write_experiment(tmp_path, num_epochs=1), tmp_path / "out"
    status = run(
        *(base, "-s", out, "--vary", "trainer.optimizer.lr=0.1,0.01", "--seeds", 4, "--jobs", 2),
        *("--test-data", tmp_path / "test.jsonl", "--metric", "accuracy", "loss"),
        *("--baseline", "lr=0.01", "--resamples", 50, "-o", '{"model.dropout": 0.0}'),
    )
    assert status == 0
    rows = {row["variant"]: row for row in csv.DictReader((out / "summary.csv").open())}
    assert float(rows["lr=0.1"]["loss_mean"]) > 0
    assert rows["lr=0.1"]["versus_baseline_difference"] and not rows["lr=0.01"]["versus_baseline_p"]
    printed = capsys.readouterr().out
    assert printed.count("started") == 2 and printed.count("done: accuracy") == 2
    assert "against lr=0.01" in printed and (out / "report.html").exists()
    command = f"allennlp ablate {base} -s {out} --vary trainer.optimizer.lr=0.1,0.01 --seeds 4"
    assert command in (out / "report.md").read_text()
    assert "-o '{\"model.dropout\": 0.0}'" in (out / "report.md").read_text()
    # The report alone, with another metric and baseline.
    assert run("-s", out, "--report-only", "--metric", "loss", "--baseline", "lr=0.1") == 0
    assert "against lr=0.1" in (out / "report.md").read_text()
    # Without a variant, which stays in the folder, so that the next report has it again.
    assert run("-s", out, "--report-only", "--drop", "lr=0.1") == 0
    for name in ("report.md", "report.html"):
        assert "Left out by --drop: lr=0.1." in (out / name).read_text()
    assert [row["variant"] for row in csv.DictReader((out / "summary.csv").open())] == ["lr=0.01"]
    assert {row["variant"] for row in csv.DictReader((out / "report.csv").open())} == {"lr=0.01"}
    assert run("-s", out, "--report-only", "--drop", "lr=0.2") == (
        "allennlp ablate: --drop lr=0.2: there is no such variant; there are lr=0.1, lr=0.01."
    )
    assert "--drop lr=0.01: this is the baseline" in run(
        "-s", out, "--report-only", "--drop", "lr=0.01"
    )
    assert run("-s", out, "--report-only") == 0
    assert "Left out" not in (out / "report.md").read_text()
    assert len(list(csv.DictReader((out / "summary.csv").open()))) == 2


@pytest.mark.parametrize(
    "options, message",
    [
        (["--vary", "model.droput.x=1"], "allennlp ablate: --vary model.droput.x: there is no"),
        ([], "allennlp ablate: Nothing is varied"),
        (["--report-only"], "allennlp ablate: There is no ablation in"),
    ],
)
def test_a_mistake_is_told_in_one_sentence_before_anything_is_written(tmp_path, options, message):
    base = write_experiment(tmp_path)
    assert run(base, "-s", tmp_path / "out", *options).startswith(message)
    assert not (tmp_path / "out").exists()


def test_without_a_config_there_is_nothing_to_train(tmp_path):
    assert "names no base config" in run("-s", tmp_path / "out", "--vary", "x=1")


def test_gpus_are_refused_where_they_would_do_nothing(tmp_path, capsys):
    base = write_experiment(tmp_path)
    status = run(base, "-s", tmp_path / "out", "--gpus", 1)
    assert re.search("--gpus is for --ray.*--jobs", status)
    with pytest.raises(SystemExit):
        run(base, "-s", tmp_path / "out", "--ray", "--gpus", -1)
    assert "'-1' is no number of GPUs" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
