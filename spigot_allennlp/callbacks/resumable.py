"""A run that was killed and resumed gives the same metrics as one that was not."""

import logging
import os
from typing import Any, Dict, List, Optional

import torch
from allennlp.data import TensorDict
from allennlp.training import GradientDescentTrainer, TrainerCallback
from allennlp.training.util import get_metrics

from spigot_allennlp.callbacks.metric_states import load_metrics, save_metrics
from spigot_allennlp.callbacks.seeded_data_loader import SeededDataLoader

logger = logging.getLogger(__name__)


@TrainerCallback.register("resumable")
class Resumable(TrainerCallback):
    """
    With this callback, `allennlp train --recover` goes on as if the run had never been killed: the
    epochs that follow have exactly the metrics that they would have had, whether the last
    checkpoint is from the end of an epoch or from within one.

    AllenNLP restores weights, optimizer and schedulers. It fetches the batches that were trained on
    once more, so that shuffling stays in step, but does not compute them, so that whatever draws
    random numbers in the model, dropout first of all, gets out of step. Here the randomness of each
    batch follows from its number alone (see `SeededDataLoader`), and needs no restoring. Besides,
    this restores what AllenNLP forgets: the loss and the metrics of the epoch so far, the scale of
    mixed precision, and the best weights, if the run was killed before they were written.

    The limits: batches that come from two or more worker processes are in no certain order. In
    distributed training, the training metrics (not the validation metrics) of an epoch that is
    resumed from within cover the batches after the checkpoint.

    Registered as a `TrainerCallback` with name "resumable".

    # Parameters

    seed : `int`, optional (default = `pytorch_seed` of the config)
        What the randomness of the batches follows from, that of Python and numpy included.
    """

    def __init__(self, serialization_dir: str, seed: Optional[int] = None) -> None:
        super().__init__(serialization_dir)
        self._seed = torch.initial_seed() if seed is None else seed
        self._losses: Dict[str, float] = {}
        self._restored: Dict[str, Any] = {}

    def state_dict(self) -> Dict[str, Any]:
        assert self.trainer is not None
        scaler = self.trainer._scaler
        return {
            "seed": self._seed,
            "losses": dict(self._losses),
            "metrics": save_metrics(self.trainer.model),
            "scaler": None if scaler is None else scaler.state_dict(),
        }

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        self._restored = state_dict
        self._seed = state_dict.get("seed", self._seed)

    def on_start(
        self, trainer: GradientDescentTrainer, is_primary: bool = True, **kwargs: Any
    ) -> None:
        super().on_start(trainer, is_primary, **kwargs)
        for attribute in ("data_loader", "_validation_data_loader"):
            loader = getattr(trainer, attribute)
            if loader is not None:
                seeded = SeededDataLoader(
                    loader, self._seed, attribute, lambda: trainer._epochs_completed
                )
                setattr(trainer, attribute, seeded)
        if self._restored:
            self._resume(trainer, is_primary)

    def on_batch(
        self,
        trainer: GradientDescentTrainer,
        batch_inputs: List[TensorDict],
        batch_outputs: List[Dict[str, Any]],
        batch_metrics: Dict[str, Any],
        epoch: int,
        batch_number: int,
        is_training: bool,
        is_primary: bool = True,
        batch_grad_norm: Optional[float] = None,
        **kwargs: Any,
    ) -> None:
        """Adds the losses up as the trainer does, which keeps its sums to itself."""
        if is_training:
            self._add("loss", batch_metrics["batch_loss"])
            for _ in batch_outputs if "batch_reg_loss" in batch_metrics else ():
                self._add("reg_loss", batch_metrics["batch_reg_loss"])

    def on_epoch(
        self,
        trainer: GradientDescentTrainer,
        metrics: Dict[str, Any],
        epoch: int,
        is_primary: bool = True,
        **kwargs: Any,
    ) -> None:
        self._losses = {}

    def _resume(self, trainer: GradientDescentTrainer, is_primary: bool) -> None:
        batches = trainer._start_after_batches_in_epoch_completed
        epochs = trainer._start_after_epochs_completed
        logger.info("Resuming after %d epochs and %d batches.", epochs, batches)
        if trainer._scaler is not None and self._restored["scaler"]:
            trainer._scaler.load_state_dict(self._restored["scaler"])
        if batches > 0:
            self._resume_epoch(trainer)
        elif self.serialization_dir and newest_weights_are_best(trainer):
            self._write_best_weights(trainer, is_primary)

    def _add(self, name: str, loss: float) -> None:
        self._losses[name] = self._losses.get(name, 0.0) + loss

    def _resume_epoch(self, trainer: GradientDescentTrainer) -> None:
        """Has the epoch that is being resumed report what it would have reported."""
        if trainer._distributed:
            logger.warning("The training metrics of this epoch cover the batches from here on.")
            return  # the checkpoint has the counts of one process alone
        resumed = trainer._start_after_epochs_completed
        train_epoch = trainer._train_epoch
        self._losses = dict(self._restored["losses"])
        load_metrics(trainer.model, self._restored["metrics"])

        def train_rest(epoch: int) -> Dict[str, float]:
            metrics = train_epoch(epoch)
            if epoch == resumed:
                batches = trainer._batches_in_epoch_completed
                if "loss" not in metrics:  # killed after the last batch: none was left to train on
                    metrics = get_metrics(trainer.model, 0.0, None, None, None, batches, reset=True)
                for name, loss in self._losses.items():
                    metrics[name] = loss / batches
            return metrics

        trainer._train_epoch = train_rest  # type: ignore[method-assign]

    def _write_best_weights(self, trainer: GradientDescentTrainer, is_primary: bool) -> None:
        """AllenNLP writes them after the checkpoint, which does not know of them, either."""
        path = os.path.join(self.serialization_dir, "best.th")
        average = trainer._moving_average
        if is_primary:
            if average is not None:
                average.assign_average_value()
            trainer._save_model_state(path + ".new")
            os.replace(path + ".new", path)
            if average is not None:
                average.restore()
        trainer._best_model_filename = path


def newest_weights_are_best(trainer: GradientDescentTrainer) -> bool:
    """
    Whether the last epoch of the checkpoint was the best so far; without validation the last always
    is.
    """
    if trainer._ddp_wrapped_model is not None and trainer._ddp_wrapped_model.is_sharded:
        return False
    if trainer._validation_data_loader is None:
        return True
    return trainer._metric_tracker.best_epoch == trainer._start_after_epochs_completed - 1
