import argparse
import json
import os
import re

import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.commands.plot_metrics import PlotMetrics, plot_metrics_from_args
from spigot_allennlp.compat.plain_errors import message_of


def plot(*arguments):
    parser = argparse.ArgumentParser()
    PlotMetrics().add_subparser(parser.add_subparsers())
    plot_metrics_from_args(parser.parse_args(["plot-metrics", *map(str, arguments)]))


@pytest.fixture
def make_run(tmp_path):
    """Makes the folder of a training."""

    def make(name):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        metrics = {"validation_accuracy": 0.5, "training_duration": "0:00:01"}
        (folder / "metrics_epoch_0.json").write_text(json.dumps(metrics))
        return folder

    return make


def names_in(picture):
    """The texts of an SVG of matplotlib, which has them as comments."""
    return re.findall("<!-- (.*?) -->", picture.read_text())


def test_runs_are_plotted_into_a_file(trained_folder, tmp_path, capsys):
    output = tmp_path / "curves.png"
    plot(trained_folder, "--metric", "validation_accuracy", "--output", output)
    assert output.read_bytes().startswith(b"\x89PNG")
    assert f"1 run plotted in {output}" in capsys.readouterr().out


def test_runs_of_the_same_name_have_names_that_differ(make_run, tmp_path, capsys, monkeypatch):
    runs = [make_run("a/seed1"), make_run("b/seed1"), make_run("b/seed2")]
    monkeypatch.chdir(runs[0])
    output = tmp_path / "curves.svg"
    plot(".", *runs[1:], "--metric", "validation_accuracy", "--output", output)
    assert {"a/seed1", "b/seed1", "b/seed2"} <= set(names_in(output))
    assert "3 runs plotted" in capsys.readouterr().out
    plot(".", runs[2], "--metric", "validation_accuracy", "--output", output)
    assert {"seed1", "seed2"} <= set(names_in(output))


def test_what_cannot_be_plotted_is_refused_in_a_line(make_run, tmp_path):
    run, output = make_run("run"), tmp_path / "curves.svg"
    accuracy = ("--metric", "validation_accuracy")
    for arguments, reason in (
        ((run, os.path.relpath(run), *accuracy, "--output", output), "are the same folder"),
        ((run, *accuracy, "--output", tmp_path / "a.foo"), "ends in '.foo'"),
        ((run, *accuracy, "--output", tmp_path), "is a folder"),
        ((tmp_path / "rnu", *accuracy, "--output", output), "no 'rnu' in .* but 'run'"),
        ((run, "--metric", "training_duration", "--output", output), "'0:00:01', which is no num"),
    ):
        with pytest.raises(ConfigurationError, match=reason) as raised:
            plot(*arguments)
        assert message_of(raised.value) is not None
    assert not output.exists()
