"""
A mending for a training that is resumed when its last epoch was over.
"""

import logging
import os
from typing import Any, Dict, Iterator, Tuple

from spigot_allennlp.compat.mending import mends
from spigot_allennlp.compat.whole_files import read_json

logger = logging.getLogger(__name__)


@mends(
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


def restore_best_weights(trainer: Any) -> None:
    """
    Writes `best.th` if the weights of the checkpoint, which is from the end of an epoch, are the
    best so far: AllenNLP writes it after the checkpoint, which does not know of it, either.
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
    """What was written down of the last epoch before the checkpoint."""
    epoch = trainer._start_after_epochs_completed - 1
    path = os.path.join(trainer._serialization_dir, f"metrics_epoch_{epoch}.json")
    try:
        return read_json(path)
    except (OSError, ValueError) as error:
        logger.warning("metrics.json will lack the metrics of the last epoch: %s: %s", path, error)
        return {}
