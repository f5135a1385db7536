"""What `allennlp train --recover` needs."""

import pytest
import torch
from allennlp.training import Checkpointer
from allennlp.training.moving_average import ExponentialMovingAverage
from allennlp.training.trainer import TrainerCheckpoint
from torch.nn import Parameter


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
