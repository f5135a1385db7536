import torch

from benchmarks.end_to_end import LSTM, PEERS
from benchmarks.library import OURS
from benchmarks.plots import plot_scaling
from benchmarks.problem import Size
from benchmarks.report import scaling_lines
from benchmarks.results import ScalingPoint, Settings
from benchmarks.scaling import BATCHES, LENGTHS, scaling, sizes


def test_every_length_and_every_batch_is_measured_once():
    chosen = sizes()
    assert len(chosen) == len(set(chosen)) == len(LENGTHS) + len(BATCHES) - 1
    assert {size.length for size in chosen} == set(LENGTHS)
    assert {size.batch for size in chosen} == set(BATCHES)


def test_ours_and_the_lstm_train_and_parse_at_a_size():
    threads = torch.get_num_threads()
    points = scaling(Settings((), without=PEERS), [Size(2, 40)], threads=[1])
    assert {(point.task, point.parser) for point in points} == {
        (task, parser) for task in ("training", "parsing") for parser in (OURS, LSTM)
    }
    assert all(point.rate > 0 and point.size == Size(2, 40) for point in points)
    assert torch.get_num_threads() == threads


def points():
    return [
        ScalingPoint("parsing", parser, size, threads, 100.0 * size.batch / size.length)
        for size in (Size(16, 20), Size(16, 40), Size(1, 20))
        for parser in (OURS, "supar")
        for threads in (1, 2)
    ]


def test_a_line_has_the_parsers_of_a_size_and_a_number_of_threads():
    lines = scaling_lines(points())
    assert len(lines) == 6
    assert lines[0].split() == ["parsing", "16x20", "1", "thread", "ours", "80", "supar", "80"]


def test_they_are_plotted_by_length_and_by_batch(tmp_path):
    [png, svg] = plot_scaling(points(), tmp_path)
    assert png.stat().st_size > 0
    text = svg.read_text()
    assert "tokens in a sentence" in text or svg.stat().st_size > 1000


def test_without_points_there_is_no_plot(tmp_path):
    assert plot_scaling([], tmp_path) == [] and not list(tmp_path.iterdir())
