"""Each mistake in typing ends in a line that says what to type instead."""

import json
import os
import signal
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path

import pytest
import torch
from allennlp.commands import main
from allennlp.commands.evaluate import evaluate_from_args
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError, check_for_gpu
from allennlp.common.file_utils import cached_path
from allennlp.models import load_archive

from spigot_allennlp.commands import configs
from spigot_allennlp.compat.command_line import of_interruption
from spigot_allennlp.compat.installed_configs import PREFIX, resolved
from spigot_allennlp.compat.plain_errors import message_of, missing_part


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "runs" / "parser").mkdir(parents=True)
    (tmp_path / "runs" / "parser" / "model.tar.gz").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_first_part_of_a_path_that_is_missing_is_named_with_the_one_most_like_it(folder):
    for path, missing, place, near in (
        ("rnus/parser/model.tar.gz", "rnus", ".", "runs"),
        ("runs/praser/model.tar.gz", "praser", "runs", "parser"),
        ("./runs/parser/modl.tar.gz", "modl.tar.gz", "runs/parser", "model.tar.gz"),
        (f"{folder}/rnus/", "rnus", str(folder), "runs"),
    ):
        assert missing_part(path) == f" There is no {missing!r} in {place!r}, but {near!r}."
    for path in ("xyz", "runs/xyz/z", "runs/parser/model.tar.gz", "runs/parser/model.tar.gz/x"):
        assert missing_part(path) == ""
    assert missing_part("https://example.org/model.tar.gz") == missing_part("") == ""


def test_in_a_folder_that_cannot_be_read_there_is_no_hint_but_the_first_error(folder, monkeypatch):
    def listdir(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "listdir", listdir)
    assert missing_part("runs/praser/model.tar.gz") == ""
    with pytest.raises(FileNotFoundError) as raised:
        cached_path("runs/praser/model.tar.gz")
    assert message_of(raised.value) == "file runs/praser/model.tar.gz not found."


def test_a_missing_file_or_archive_is_a_line(folder, monkeypatch):
    for read in (cached_path, load_archive):
        with pytest.raises(FileNotFoundError) as raised:
            read("runs/praser/model.tar.gz")
        assert message_of(raised.value) == (
            "file runs/praser/model.tar.gz not found. There is no 'praser' in 'runs', but 'parser'."
        )
    monkeypatch.setenv("SPIGOT_SDP_TRAIN", "no/train.sdp")
    with pytest.raises(FileNotFoundError) as raised:
        cached_path("no/train.sdp")
    assert "environment: SPIGOT_SDP_TRAIN=no/train.sdp." in message_of(raised.value)
    with pytest.raises(ConfigurationError) as raised:
        load_archive("runs")
    assert "runs cannot be loaded: " in message_of(raised.value)


def test_a_config_of_the_package_is_found_by_a_part_of_its_name():
    name = "semantic_parser/raw_text.jsonnet"
    for typed in (name, f"training_config/{name}"):
        if not os.path.exists(typed):
            with pytest.raises(ConfigurationError) as raised:
                Params.from_file(typed)
            assert message_of(raised.value).endswith(f"one of that name: {PREFIX}{name}")
    with pytest.raises(FileNotFoundError, match=r"Alike: \w+/spigot.jsonnet, \w+/spigot.jsonnet"):
        resolved(f"{PREFIX}spigt.jsonnet")


def test_a_missing_gpu_is_a_line_with_the_way_out():
    check_for_gpu(-1)
    check_for_gpu([-1, torch.device("cpu")])
    with pytest.raises(ConfigurationError) as raised:
        check_for_gpu(torch.cuda.device_count())
    assert "no such GPU here. Take the CPU: --cuda-device -1" in message_of(raised.value)


def test_a_path_of_the_wrong_kind_is_a_line(folder):
    (folder / "file").touch()
    for failing, line in (
        (lambda: open("runs"), "runs: Is a directory. It is a folder, where a file is needed."),
        (lambda: open("file/a"), "file/a: Not a directory. A part of it is a file"),
        (lambda: os.mkdir("file"), "file: File exists. It is there already. Name another."),
    ):
        with pytest.raises(OSError) as raised:
            failing()
        assert message_of(raised.value).startswith(line)
    assert message_of(BrokenPipeError(32, "Broken pipe")) is None


@pytest.mark.parametrize("number", [1, 2000])  # what is written at the end, and before
def test_a_command_whose_reader_has_ended_ends_without_a_word(monkeypatch, capfd, number):
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as stdout, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stdout)
        patch.setattr(sys, "argv", ["allennlp", "configs"])
        patch.setattr(configs, "listing", lambda words: ["a line"] * number)
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 1
    assert capfd.readouterr().err == ""


def test_what_is_no_archive_is_a_line(folder):
    (folder / "dev.sdp").write_text("#SDP 2015\n")
    for archive in ("dev.sdp", "runs/parser/model.tar.gz"):
        with pytest.raises(ConfigurationError) as raised:
            load_archive(archive)
        assert message_of(raised.value).startswith(
            f"{archive} cannot be loaded: it is damaged, or no tar archive"
        )


@pytest.mark.parametrize("option", ["output_file", "predictions_output_file"])
def test_where_an_evaluation_cannot_write_is_said_before_it(folder, option):
    files = {"output_file": None, "predictions_output_file": None, option: "m.json,runs"}
    with pytest.raises(ConfigurationError) as raised:
        evaluate_from_args(Namespace(archive_file="no.tar.gz", input_file="a,b", **files))
    name = option.replace("_", "-")
    assert message_of(raised.value) == f"--{name} runs is a folder. Name a file in it."


def test_a_file_that_may_not_be_read_is_a_line_that_says_nothing_of_writing():
    error = PermissionError(13, "Permission denied", "dev.sdp")
    assert message_of(error) == "dev.sdp: Permission denied. Its rights do not allow it."


@pytest.mark.parametrize(
    ("stop", "status"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 128 + signal.SIGTERM)]
)
def test_an_interrupted_training_says_how_to_continue_and_ends_as_the_signal_asks(
    tmp_path, stop, status
):
    config = (
        Path(__file__).parents[2] / "fixtures" / "experiments" / "character_language_model.jsonnet"
    )
    folder = tmp_path / "run"
    overrides = json.dumps({"trainer.num_epochs": 100_000})
    command = ["allennlp", "train", str(config), "-s", str(folder), "-o", overrides]
    with subprocess.Popen(
        [sys.executable, "-m", *command],
        stderr=subprocess.PIPE,
        text=True,
        # A shell lets what it starts in the background ignore the signal, and so these tests.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as training:
        try:
            give_up = time.monotonic() + 300
            while not list(folder.glob("training_state_*.th")):
                assert training.poll() is None and time.monotonic() < give_up
                time.sleep(0.1)
            training.send_signal(stop)
            _, said = training.communicate(timeout=120)
        finally:
            training.kill()
    assert training.returncode == status
    assert "Traceback" not in said
    assert said.splitlines()[-1] == (
        f"Interrupted. The last checkpoint is in {folder}. To continue from it, give the same "
        "command with --recover in place of --force; to begin again, with --force."
    )


def test_an_interruption_before_the_first_checkpoint_promises_nothing(tmp_path):
    assert of_interruption(str(tmp_path)) == "Interrupted before the first checkpoint."
