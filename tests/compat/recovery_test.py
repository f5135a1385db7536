"""What `allennlp train --recover` needs."""

import errno
import json
import zipfile
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import SigTermReceived
from allennlp.training import Checkpointer, gradient_descent_trainer
from allennlp.training.moving_average import ExponentialMovingAverage
from allennlp.training.trainer import TrainerCheckpoint
from allennlp.training.util import create_serialization_dir
from torch.nn import Parameter

from spigot_allennlp.compat.checkpoints import save_whole
from spigot_allennlp.compat.plain_errors import message_of
from spigot_allennlp.compat.recovery import restore_best_weights

EXPERIMENTS = Path(__file__).parents[2] / "fixtures" / "experiments"


def test_restored_averages_follow_the_parameters_of_the_model():
    before, after = Parameter(torch.tensor([1.0])), Parameter(torch.tensor([5.0]))
    killed = ExponentialMovingAverage([("p", before)], decay=0.5)
    before.data.fill_(3.0)
    killed.apply()
    resumed = ExponentialMovingAverage([("p", after)], decay=0.5)
    resumed.load_state_dict(killed.state_dict())
    after.data.fill_(4.0)
    resumed.apply()
    resumed.assign_average_value()
    assert after.item() == 3.0  # (1 + 3) / 2 = 2, and (2 + 4) / 2 = 3
    resumed.restore()
    assert after.item() == 4.0


class ThreeEpochs:
    """As much of a trainer as a checkpointer needs."""

    epoch = 0

    def get_checkpoint_state(self):
        self.epoch += 1
        state = {"epochs_completed": self.epoch, "batches_in_epoch_completed": 0}
        return TrainerCheckpoint({"epoch": torch.tensor(self.epoch)}, state)


@pytest.fixture
def checkpointer(tmp_path):
    checkpointer, trainer = Checkpointer(str(tmp_path)), ThreeEpochs()
    for _ in range(3):
        checkpointer.save_checkpoint(trainer)
    return checkpointer


def test_the_newest_checkpoint_is_loaded(checkpointer):
    assert checkpointer.load_checkpoint().model_state["epoch"] == 3


@pytest.mark.parametrize("kind", ["model", "training"])
@pytest.mark.parametrize("size", [0, 100, None])
def test_a_torn_checkpoint_is_passed_over_and_removed(checkpointer, tmp_path, kind, size):
    file = tmp_path / f"{kind}_state_e3_b0.th"
    if size is None and kind == "training":
        file.unlink()  # killed between the two files
    else:
        file.write_bytes(file.read_bytes()[:size] if size is not None else b"torn")
    assert checkpointer.load_checkpoint().model_state["epoch"] == 2
    assert not list(tmp_path.glob("*_e3_b0.th"))


def test_without_any_whole_checkpoint_there_is_none(checkpointer, tmp_path):
    for file in tmp_path.glob("*.th"):
        file.write_bytes(b"torn")
    assert checkpointer.load_checkpoint() is None


def test_a_file_that_torch_closed_in_the_middle_is_passed_over(checkpointer, tmp_path):
    """`torch.save` writes the end of the zip archive also where an exception cuts it short."""
    file = tmp_path / "training_state_e3_b0.th"
    writer = torch._C.PyTorchFileWriter(str(file))
    with zipfile.ZipFile(tmp_path / "model_state_e3_b0.th") as whole:
        pickled = whole.read(next(name for name in whole.namelist() if name.endswith(".pkl")))
    writer.write_record("data.pkl", pickled, len(pickled))
    writer.write_end_of_file()
    assert zipfile.ZipFile(file).testzip() is None
    assert checkpointer.load_checkpoint().model_state["epoch"] == 2


def test_a_flipped_bit_is_seen(checkpointer, tmp_path):
    file = tmp_path / "model_state_e3_b0.th"
    with zipfile.ZipFile(file) as archive:
        (record,) = [info for info in archive.infolist() if info.filename.endswith("data/0")]
        content = archive.read(record)
    place = file.read_bytes().index(content, record.header_offset)
    damaged = bytearray(file.read_bytes())
    damaged[place] ^= 1
    file.write_bytes(damaged)
    assert checkpointer.load_checkpoint().model_state["epoch"] == 2


def test_half_a_checkpoint_that_was_being_removed_is_removed(checkpointer, tmp_path):
    (tmp_path / "training_state_e1_b0.th").write_bytes(b"left")
    assert checkpointer.load_checkpoint().model_state["epoch"] == 3
    assert not (tmp_path / "training_state_e1_b0.th").exists()


def test_an_old_checkpoint_that_was_to_be_removed_is_removed(checkpointer, tmp_path):
    checkpointer._keep_most_recent_by_count = 1
    assert checkpointer.load_checkpoint().model_state["epoch"] == 3
    names = {"model_state_e3_b0.th", "training_state_e3_b0.th"}
    assert {file.name for file in tmp_path.glob("*_state_*")} == names


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")])
def test_what_ends_the_writing_of_weights_is_raised_and_nothing_is_left(
    tmp_path, monkeypatch, error
):
    file = tmp_path / "best.th"
    torch.save({"a": torch.zeros(1)}, file)
    before, save = file.read_bytes(), torch.save

    class Breaking:
        written = 0

        def write(self, content):
            self.written += len(content)
            if self.written > 5000:
                raise error

        def flush(self):
            pass

    monkeypatch.setattr(torch, "save", lambda state, file: save(state, Breaking()))
    with pytest.raises(type(error)) as raised:
        save_whole({str(number): torch.zeros(1000) for number in range(5)}, file)
    if isinstance(error, OSError):
        assert raised.value.filename == str(file)
    assert [path.name for path in tmp_path.iterdir()] == ["best.th"]
    assert file.read_bytes() == before


def trainer_after(
    folder: Path, epochs: int, best_epoch: int, weights: float, validates: bool
) -> Any:
    """As much of a trainer as is asked for, with one weight, at the end of an epoch."""
    return SimpleNamespace(
        _serialization_dir=str(folder),
        _primary=True,
        _validation_data_loader=[] if validates else None,
        _start_after_epochs_completed=epochs,
        _metric_tracker=SimpleNamespace(best_epoch=best_epoch),
        _best_model_filename=None,
        _moving_average=None,
        _ddp_wrapped_model=None,
        _save_model_state=lambda path: torch.save(weights, path),
    )


@pytest.mark.parametrize(
    "best_epoch, validates, best", [(1, True, 2.0), (0, True, 1.0), (None, False, 2.0)]
)
def test_best_weights_that_the_kill_forestalled_are_written(tmp_path, best_epoch, validates, best):
    torch.save(1.0, tmp_path / "best.th")
    trainer = trainer_after(tmp_path, 2, best_epoch, 2.0, validates)
    restore_best_weights(trainer)
    assert torch.load(tmp_path / "best.th") == best
    if best == 2.0:
        assert trainer._best_model_filename == str(tmp_path / "best.th")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SigTermReceived])
@pytest.mark.parametrize("best_epoch", [0, 1])
def test_an_interruption_before_the_best_weights_are_there_is_no_error_and_is_recovered(
    tmp_path, monkeypatch, best_epoch, error
):
    config = Params.from_file(EXPERIMENTS / "character_language_model.jsonnet").as_dict(quiet=True)
    config["trainer"]["num_epochs"] = 2
    link, linked = gradient_descent_trainer.hardlink_or_copy, []

    def interrupted(source, target):
        linked.append(target)
        if len(linked) == best_epoch + 1:
            raise error
        link(source, target)

    monkeypatch.setattr(gradient_descent_trainer, "hardlink_or_copy", interrupted)
    with pytest.raises(error):
        train_model(Params(deepcopy(config)), str(tmp_path / "run"))
    assert not list(tmp_path.glob("run/best.th")) and not list(tmp_path.glob("run/model.tar.gz"))
    train_model(Params(deepcopy(config)), str(tmp_path / "run"), recover=True)
    assert (tmp_path / "run" / "model.tar.gz").exists()


@pytest.mark.parametrize(
    "given, change",
    [
        ({"model": {"type": "a"}}, "model.dropout was 0.1 and is now not there"),
        ({"model": {"type": "a", "dropout": 0.2}}, "model.dropout was 0.1 and is now 0.2"),
        ({"model": {"type": "a", "dropout": 0.1}, "n": 1}, "n was not there and is now 1"),
    ],
)
@pytest.mark.parametrize("name", ["config.json", "config_as_given.json"])
def test_a_config_that_is_another_is_refused_with_the_difference(tmp_path, given, change, name):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / name).write_text(json.dumps({"model": {"type": "a", "dropout": 0.1}}))
    with pytest.raises(ConfigurationError) as raised:
        create_serialization_dir(Params(given), str(tmp_path), recover=True, force=False)
    message = message_of(raised.value)
    assert f"that of {tmp_path}: {change}. " in message and "another folder (-s)" in message


def test_the_same_config_is_recovered(tmp_path):
    config = {"model": {"type": "a", "dropout": 0.1}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    create_serialization_dir(Params(config), str(tmp_path), recover=True, force=False)
