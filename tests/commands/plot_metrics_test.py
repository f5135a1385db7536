import argparse

from spigot_allennlp.commands.plot_metrics import PlotMetrics, plot_metrics_from_args


def test_runs_are_plotted_into_a_file(trained_folder, tmp_path, capsys):
    parser = argparse.ArgumentParser()
    PlotMetrics().add_subparser(parser.add_subparsers())
    output = str(tmp_path / "curves.png")
    arguments = ["plot-metrics", str(trained_folder), "--metric", "validation_accuracy"]
    arguments += ["--output", output]
    plot_metrics_from_args(parser.parse_args(arguments))
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert f"1 runs plotted in {output}" in capsys.readouterr().out
