"""The folder of a training: whose it is, and when it is used again."""

import json
import os

import pytest
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.compat.folder_lock import locked
from spigot_allennlp.compat.plain_errors import message_of
from tests import forks
from tests.ablation.tiny_experiment import write_experiment


@pytest.fixture
def config(tmp_path):
    """A config of one epoch, as `Params` that may be used once more."""
    file = write_experiment(tmp_path, num_epochs=1)
    return lambda **changes: Params({**json.loads(open(file).read()), **changes})


def start_in_vain(config, folder):
    """A start that gets as far as the model, which has a misspelt type."""
    model = {**config().as_dict(quiet=True)["model"], "type": "basic_clasifier"}
    with pytest.raises(ConfigurationError, match="basic_clasifier"):
        train_model(config(model=model), folder)
    return model


def test_after_a_start_that_failed_the_corrected_command_works(config, tmp_path):
    folder = tmp_path / "run"
    start_in_vain(config, folder)
    log = (folder / "out.log").read_text()
    train_model(config(), folder)
    assert (folder / "out.log").read_text().startswith(log)
    assert json.loads((folder / "config.json").read_text())["model"]["type"] == "basic_classifier"
    assert (folder / "model.tar.gz").exists()
    with pytest.raises(ConfigurationError, match="Specify --recover to go on with it") as raised:
        train_model(config(), folder)
    assert message_of(raised.value) == str(raised.value)
    whole = json.loads((folder / "metrics.json").read_text())
    (folder / "model.tar.gz").write_bytes(b"torn")
    train_model(config(), folder, recover=True)  # it was finished
    recovered = json.loads((folder / "metrics.json").read_text())
    assert recovered.keys() == whole.keys() and recovered["training_loss"] == whole["training_loss"]
    assert (folder / "model.tar.gz").stat().st_size > 100


def test_what_recover_does_where_nothing_was_trained(config, tmp_path):
    folder = tmp_path / "run"
    model = start_in_vain(config, folder)
    with pytest.raises(ConfigurationError, match="Leave out --recover"):
        train_model(config(), folder, recover=True)
    with pytest.raises(ConfigurationError, match="basic_clasifier"):
        train_model(config(model=model), folder, recover=True)  # the same: it starts anew


@pytest.mark.parametrize("name", ["thesis.tex", "vocabulary/tokens.txt", "log/events"])
def test_a_folder_with_other_things_is_left_alone(config, tmp_path, name):
    file = tmp_path / "run" / name
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    with pytest.raises(ConfigurationError, match=f"holds no checkpoint, but {name.split('/')[0]}"):
        train_model(config(), tmp_path / "run")
    assert file.read_text() == "mine"


@pytest.mark.parametrize("options", [{}, {"recover": True}, {"force": True}])
def test_a_second_training_in_a_folder_is_refused_with_the_number_of_the_first(
    config, tmp_path, options
):
    folder = tmp_path / "run"
    with locked(folder):
        (folder / "config.json").write_text("{}")
        with pytest.raises(ConfigurationError, match=f"Process {os.getpid()} on .* is at work in"):
            train_model(config(), folder, **options)
    assert (folder / "config.json").read_text() == "{}"


def test_a_folder_that_cannot_be_written_is_named_in_a_line(config, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError) as raised:
        train_model(config(), tmp_path / "file" / "run")
    assert str(tmp_path / "file") in str(raised.value)
    error = PermissionError(13, "Permission denied", "/a/run/config.json")
    assert message_of(error).startswith("/a/run/config.json: Permission denied. ")
    assert message_of(KeyError("x")) is None


def test_a_package_that_is_not_imported_is_asked_for_in_two_lines(tmp_path):
    (tmp_path / "config.jsonnet").write_text(
        "{\n  train_data_path: std.extVar('SPIGOT_SDP_TRAIN')\n}\n"
    )
    code = "from allennlp.common import Params\nParams.from_file('config.jsonnet')"
    finished = forks.run(forks.LIBRARIES_ONLY, forks.code, code, folder=tmp_path)
    assert finished.returncode == 1
    assert [line.split("Error: ")[-1] for line in finished.stderr.splitlines()[-2:]] == [
        "config.jsonnet:2: The config asks for the variable SPIGOT_SDP_TRAIN, which is not set.",
        "Our configs have their defaults, and the names of our classes, from the package: import "
        "spigot_allennlp before, as the command allennlp does.",
    ]
