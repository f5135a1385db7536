import argparse
import json

import pytest

from spigot_allennlp.commands.plot_metrics import PlotMetrics, plot_metrics_from_args


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "sab"
    folder.mkdir()
    for epoch in (0, 1, 10, 2):
        metrics = {"epoch": epoch, "validation_accuracy": epoch / 10}
        (folder / f"metrics_epoch_{epoch}.json").write_text(json.dumps(metrics))
    return folder


def test_runs_are_plotted_into_a_file(run, tmp_path, capsys):
    parser = argparse.ArgumentParser()
    PlotMetrics().add_subparser(parser.add_subparsers())
    output = str(tmp_path / "curves.png")
    arguments = ["plot-metrics", str(run), "--metric", "validation_accuracy", "--output", output]
    plot_metrics_from_args(parser.parse_args(arguments))
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert f"1 runs plotted in {output}" in capsys.readouterr().out
