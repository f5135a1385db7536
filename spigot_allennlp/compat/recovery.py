"""
Patches for `allennlp train --recover`, which has faults on the stack of 2022 too.
"""

import functools
import logging
import os
from pathlib import Path
from typing import Any, Dict, Iterator, Optional, Tuple

from spigot_allennlp.compat.atomic_io import holds_json, read_json, write
from spigot_allennlp.compat.configs import first_difference
from spigot_allennlp.compat.patching import patch
from spigot_allennlp.compat.plain_errors import plain_error


@patch(
    "allennlp.training.moving_average",
    since="AllenNLP 2.10.1 itself: the averages go on with copies of the parameters",
    until="AllenNLP restores the averages, and keeps the parameters",
)
def moving_average_keeps_its_parameters(module: Any) -> Iterator[None]:
    yield

    def load_state_dict(self: Any, state_dict: Dict[str, Any]) -> None:
        for name, shadow in self._shadows.items():
            shadow.copy_(state_dict["shadows"][name])

    module.MovingAverage.load_state_dict = load_state_dict


@patch(
    "allennlp.training.util",
    since="our callback self_contained, which rewrites config.json at the end; and AllenNLP 2.10.1 "
    "itself, which does not say where the given config differs from the run's, and ends in a "
    "KeyError where a key of it is not in the run's",
    until="AllenNLP compares with the config as it was given, and names the key that differs",
)
def a_run_is_recovered_by_the_config_as_it_was_given(module: Any) -> Iterator[None]:
    yield
    create = module.create_serialization_dir

    @functools.wraps(create)
    def create_serialization_dir(params: Any, folder: Any, recover: bool, force: bool) -> None:
        as_given = Path(folder, "config_as_given.json")
        if recover and holds_json(as_given):
            write(Path(folder, "config.json"), as_given.read_bytes())
        try:
            create(params, folder, recover, force)
        except (KeyError, module.ConfigurationError) as error:
            change = change_of_config(Path(folder, "config.json"), params) if recover else None
            if not change:
                raise
            raise plain_error(
                "Training configuration does not match the configuration we're recovering from, "
                f"that of {folder}: {change}. To go on with that training, give the config that it "
                "began with; for another training, name another folder (-s)."
            ) from error

    module.create_serialization_dir = create_serialization_dir


def change_of_config(file: Path, params: Any) -> Optional[str]:
    """Returns `first_difference` between the config in a file, if readable, and another config."""
    try:
        return first_difference(read_json(file), params.as_dict(quiet=True))
    except (OSError, ValueError):  # missing, or not JSON
        return None


logger = logging.getLogger(__name__)


@patch(
    "allennlp.training.gradient_descent_trainer",
    since="AllenNLP 2.10.1 itself: resumed after its last epoch, a training forgets that it had "
    "stopped, which weights were the best, and all metrics but the best",
    until="AllenNLP's checkpoints hold all of that",
)
def a_training_that_had_ended_is_resumed_as_it_ended(module: Any) -> Iterator[None]:
    yield
    trainer_class = module.GradientDescentTrainer
    restore, try_train = trainer_class._maybe_restore_checkpoint, trainer_class._try_train

    def _maybe_restore_checkpoint(self: Any) -> None:
        restore(self)
        epochs = self._start_after_epochs_completed
        if epochs == 0 or self._start_after_batches_in_epoch_completed > 0:
            return
        if self._metric_tracker.should_stop_early():
            self._num_epochs = epochs
        if self._serialization_dir:
            restore_best_weights(self)

    def _try_train(self: Any) -> Tuple[Dict[str, Any], int]:
        metrics, epoch = try_train(self)
        if "epoch" not in metrics and self._serialization_dir:
            metrics = {**metrics_of_last_epoch(self), **metrics}
        return metrics, epoch

    trainer_class._maybe_restore_checkpoint = _maybe_restore_checkpoint
    trainer_class._try_train = _try_train


@patch(
    "allennlp.training.gradient_descent_trainer",
    since="AllenNLP 2.10.1 itself: it names the weights of the best epoch before it writes them, "
    "so an interruption between the two ends in an error of the archive",
    until="AllenNLP names them when they are there",
)
def an_interruption_archives_no_weights_that_are_not_there(module: Any) -> Iterator[None]:
    """A resumed training writes them (see `restore_best_weights`)."""
    yield
    from allennlp.common.util import SigTermReceived

    trainer_class = module.GradientDescentTrainer
    try_train = trainer_class._try_train

    def _try_train(self: Any) -> Tuple[Dict[str, Any], int]:
        try:
            return try_train(self)
        except (KeyboardInterrupt, SigTermReceived):
            if self._best_model_filename and not os.path.exists(self._best_model_filename):
                self._best_model_filename = None
            raise

    trainer_class._try_train = _try_train


def restore_best_weights(trainer: Any) -> None:
    """
    Writes `best.th` if the weights of the checkpoint, saved at the end of an epoch, are the best so
    far. AllenNLP writes `best.th` after the checkpoint, so it may be missing, and the checkpoint
    does not record its name.
    """
    if trainer._ddp_wrapped_model is not None and trainer._ddp_wrapped_model.is_sharded:
        return
    newest = trainer._start_after_epochs_completed - 1
    is_validated = trainer._validation_data_loader is not None
    if is_validated and trainer._metric_tracker.best_epoch != newest:
        return
    path = os.path.join(trainer._serialization_dir, "best.th")
    average = trainer._moving_average
    if trainer._primary:
        if average is not None:
            average.assign_average_value()
        trainer._save_model_state(path)
        if average is not None:
            average.restore()
    trainer._best_model_filename = path


def metrics_of_last_epoch(trainer: Any) -> Dict[str, Any]:
    """Returns the metrics that were written for the last epoch before the checkpoint."""
    epoch = trainer._start_after_epochs_completed - 1
    path = os.path.join(trainer._serialization_dir, f"metrics_epoch_{epoch}.json")
    try:
        return read_json(path)
    except (OSError, ValueError) as error:
        logger.warning("metrics.json will lack the metrics of the last epoch: %s: %s", path, error)
        return {}
