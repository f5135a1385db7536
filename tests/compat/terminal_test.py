"""Tests what a training shows in a terminal of 80 columns, and the commands that it ends with."""

import fcntl
import io
import json
import logging
import os
import pty
import re
import shlex
import struct
import sys
import termios
from types import SimpleNamespace
from typing import Any, List

import pytest
import torch
import tqdm

from spigot_allennlp.compat import terminal
from spigot_allennlp.compat.command_line import next_commands, table
from tests import forks

COLUMNS = 80
OVERRIDES = {
    "trainer.num_epochs": 2,
    "train_data_path": {"syntax": "synthetic:size=40,seed=1", "semantics": "synthetic:size=40"},
    "validation_data_path": "synthetic:size=70,seed=2",
    "trainer.validation_metric": "+uas",
}
TRAIN = ["train", "training_config/syntactic_then_semantic/pipeline.jsonnet"]
OURS = ["--include-package", "spigot_allennlp"]


def in_terminal(*arguments: str) -> str:
    """Returns what `allennlp ARGUMENTS` writes to a terminal, which it must do successfully."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    process = forks.FORK.Process(target=_execute, args=(slave, arguments))
    process.start()
    os.close(slave)
    shown = bytearray()
    while True:
        try:
            shown += os.read(master, 65536)
        except OSError:  # the last process that had the terminal has ended
            break
    process.join()
    os.close(master)
    text = shown.decode()
    assert process.exitcode == 0, text
    return text.replace("\r\n", "\n")


def _execute(slave: int, arguments: List[str]) -> None:
    os.chdir(forks.ROOT)
    for number in (1, 2):
        os.dup2(slave, number)
    sys.stdout, sys.stderr = (
        os.fdopen(number, "w", buffering=1, closefd=False) for number in (1, 2)
    )
    logging.getLogger().handlers.clear()
    for name in terminal.DUMPS:  # an evaluation in the process of the tests disables some
        logging.getLogger(name).disabled = False
    torch.set_num_threads(1)
    forks.allennlp(*arguments)


@pytest.fixture(scope="module")
def training(tmp_path_factory) -> Any:
    folder = tmp_path_factory.mktemp("trained") / "a run"  # a name that wants quotes
    shown = in_terminal(*TRAIN, "-s", str(folder), *OURS, "-o", json.dumps(OVERRIDES))
    return SimpleNamespace(folder=folder, shown=shown)


def test_each_bar_is_one_line_that_fits(training):
    bars = [line for line in training.shown.split("\n") if re.search(r"%\|.*\d+/\d+ \[", line)]
    assert len(bars) == 4, training.shown  # of two epochs, in training and in validation
    for bar in bars:
        updates = [update for update in bar.split("\r") if update]
        assert len(updates) > 1 and max(map(len, updates)) < COLUMNS, updates
        assert re.match(r"loss: [0-9.]+, uas: [0-9.]+(, \w+: [0-9.]+)?: 100%\|#", updates[-1])


def test_what_is_not_shown_is_in_the_files_under_its_name(training):
    metrics = json.loads((training.folder / "metrics.json").read_text())
    assert {"validation_labelled_precision", "validation_unlabelled_exact_match"} <= set(metrics)
    log = (training.folder / "out.log").read_text()
    for dump in ("allennlp.common.params", "allennlp.nn.initializers", "(Shape: ", "Tunable"):
        assert dump in log and dump not in training.shown
    assert len(training.shown.split("\n")) < 40
    assert "Warning" not in training.shown  # of libraries; those of the log are capitals


def test_verbose_shows_it(tmp_path):
    shown = in_terminal(
        *TRAIN, "-s", str(tmp_path), *OURS, "--dry-run", "-v", "-o", json.dumps(OVERRIDES)
    )
    assert "allennlp.common.params - validation_data_path" in shown


def test_the_commands_that_a_training_ends_with_work_as_they_are_printed(training):
    assert f"\nThe trained model is {training.folder / 'model.tar.gz'}\n" in training.shown
    evaluate, predict = (
        shlex.split(line)[1:]
        for line in training.shown.split("\n")
        if line.startswith("  allennlp ")
    )
    assert (evaluate[0], predict[0]) == ("evaluate", "predict")
    evaluated = forks.run(forks.FORK, forks.allennlp, *evaluate)
    assert evaluated.returncode == 0, evaluated.stderr
    metrics = json.loads((training.folder / "metrics.json").read_text())
    best = {
        name.removeprefix("best_validation_"): value
        for name, value in metrics.items()
        if name.startswith("best_validation_")
    }
    rows = dict(line.split() for line in evaluated.stdout.splitlines() if len(line.split()) == 2)
    assert {name: float(rows[name]) for name in best} == pytest.approx(best, abs=1e-3)
    predicted = forks.run(forks.FORK, forks.allennlp, *predict)
    assert predicted.returncode == 0, predicted.stderr
    lines = (training.folder / "predictions.jsonl").read_text().splitlines()
    assert len(lines) == 70 and "heads" in json.loads(lines[0])


@pytest.mark.parametrize(
    "model, indexer, parses_text",
    [
        ("semantic_parser", {"type": "single_id"}, True),
        ("semantic_parser", {"type": "single_id", "feature_name": "pos_"}, False),
        ("latent_classifier", {"type": "single_id"}, False),
    ],
)
def test_a_parser_of_words_alone_ends_with_a_command_that_parses_a_sentence(
    tmp_path, model, indexer, parses_text
):
    config = {"model": {"type": model}, "dataset_reader": {"token_indexers": {"words": indexer}}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    archive = tmp_path / "model.tar.gz"
    command = f'echo "The clever hero did not win ." | allennlp parse {archive} --output '
    commands = next_commands(archive, [])
    assert commands == ([f"{command}{tmp_path / 'parse.html'}"] if parses_text else [])


def test_a_table_is_aligned_at_the_point():
    shown = table({"uas": 0.91234, "loss": 123.0, "trees_outside_structure": 12})
    assert shown.split("\n") == [
        "uas                        0.9123",
        "loss                     123.0000",
        "trees_outside_structure   12",
    ]


@pytest.mark.parametrize(
    ["width", "shown"],
    [
        (None, "loss: 212.3, macro_f1: 0.250, accuracy: 0.067"),
        (119, "loss: 212.3, macro_f1: 0.250, accuracy: 0.067"),
        (79, "loss: 212.3, macro_f1: 0.250"),
        (60, "loss: 212.3"),
    ],
)
def test_the_loss_and_the_validation_metric_come_first(width, shown, monkeypatch):
    monkeypatch.setattr(terminal, "TRACKED", ["macro_f1"])
    text = "accuracy: 0.0667, macro_f1: 0.2500, v_measure: 0.1, batch_loss: 9.0, loss: 212.2512 ||"
    assert terminal.short_description(text, width) == shown


def test_a_text_without_metrics_stays():
    assert terminal.short_description("building vocab", 79) == "building vocab"
    assert terminal.short_description("calculating HVP, norm = 0.1", 79).startswith("calculating")


def test_in_a_notebook_progress_is_a_plain_line():
    # AllenNLP takes this function there.
    module = SimpleNamespace(_tqdm=tqdm.tqdm_notebook)
    list(terminal.progress_fits_in_a_line(module))
    output = io.StringIO()
    assert list(module._tqdm(range(3), file=output)) == [0, 1, 2]
    assert "3/3" in output.getvalue()
