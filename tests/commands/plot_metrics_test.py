import argparse
import json

import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.commands.plot_metrics import (
    PlotMetrics,
    plot_metrics_from_args,
    read_curve,
)


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "sab"
    folder.mkdir()
    for epoch in (0, 1, 10, 2):
        metrics = {"epoch": epoch, "validation_accuracy": epoch / 10}
        (folder / f"metrics_epoch_{epoch}.json").write_text(json.dumps(metrics))
    return folder


def test_a_curve_has_all_epochs_in_their_order(run):
    assert read_curve(run, "validation_accuracy") == [(1, 0), (2, 0.1), (3, 0.2), (11, 1)]


def test_runs_are_drawn_into_a_file(run, tmp_path, capsys):
    parser = argparse.ArgumentParser()
    PlotMetrics().add_subparser(parser.add_subparsers())
    output = str(tmp_path / "curves.png")
    arguments = ["plot-metrics", str(run), "--metric", "validation_accuracy", "--output", output]
    plot_metrics_from_args(parser.parse_args(arguments))
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert f"1 runs drawn in {output}" in capsys.readouterr().out


def test_a_metric_that_is_not_there_is_refused_with_those_that_are(run):
    with pytest.raises(ConfigurationError, match="does not hold uas; it holds epoch, validation_"):
        read_curve(run, "uas")


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="has no metrics_epoch"):
        read_curve(tmp_path, "validation_accuracy")
