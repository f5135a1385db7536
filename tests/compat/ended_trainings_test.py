"""A training that is resumed when its last epoch was over."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from spigot_allennlp.compat.ended_trainings import restore_best_weights


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
