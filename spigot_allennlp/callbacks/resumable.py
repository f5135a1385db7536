"""Makes a run that was killed and resumed give the same metrics as an uninterrupted run."""

import logging
import random
from hashlib import blake2b
from typing import Any, Callable, Dict, Iterator, List, Optional

import numpy
import torch
from allennlp.data import DataLoader, TensorDict
from allennlp.nn.util import move_to_device
from allennlp.training import GradientDescentTrainer, TrainerCallback
from allennlp.training.util import get_metrics

from spigot_allennlp.callbacks.metric_states import load_metrics, save_metrics, to_plain
from spigot_allennlp.modules.stateful_encoders import is_stateful, stateful_encoders

logger = logging.getLogger(__name__)


@TrainerCallback.register("resumable")
class Resumable(TrainerCallback):
    """
    With this callback, `allennlp train --recover` continues as if the run had never been killed:
    the following epochs have exactly the metrics that they would have had, whether the last
    checkpoint is from the end of an epoch or from within one.

    AllenNLP restores weights, optimizer and schedulers. It fetches the batches that were already
    trained on again, so shuffling stays in step. But it does not compute them, so everything in the
    model that draws random numbers, such as dropout, gets out of step. Here the randomness of each
    batch follows from its number alone (see `SeededDataLoader`) and does not need to be restored.
    The callback also restores what AllenNLP forgets: the loss and the metrics of the epoch so far,
    the states of stateful encoders, the scale of mixed precision and, if the run was killed after
    its last epoch, the metrics of that epoch.

    Limits: batches from two or more worker processes have no fixed order. In distributed training,
    if an epoch is resumed from within, its training metrics (not its validation metrics) cover only
    the batches after the checkpoint, and stateful encoders start there with fresh states.

    Registered as a `TrainerCallback` with name "resumable".

    # Parameters

    seed : `int`, optional (default = `pytorch_seed` of the config)
        Determines the randomness of the batches, including that of Python and numpy.
    """

    def __init__(self, serialization_dir: str, seed: Optional[int] = None) -> None:
        super().__init__(serialization_dir)
        self._seed = torch.initial_seed() if seed is None else seed
        self._losses: Dict[str, float] = {}
        self._restored: Dict[str, Any] = {}
        # The trainer's own dictionary, to which callbacks add before the checkpoint is written.
        self._epoch_metrics: Dict[str, Any] = {}

    def state_dict(self) -> Dict[str, Any]:
        assert self.trainer is not None
        scaler = self.trainer._scaler
        return {
            "seed": self._seed,
            "losses": dict(self._losses),
            "metrics": save_metrics(self.trainer.model),
            "encoder_states": {
                name: None if encoder._states is None else tuple(encoder._states)
                for name, encoder in stateful_encoders(self.trainer.model)
            },
            "scaler": None if scaler is None else scaler.state_dict(),
            "epoch_metrics": to_plain(self._epoch_metrics),
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
            self._resume(trainer)

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
        """Adds up the losses like the trainer, which does not expose its sums."""
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
        self._epoch_metrics = metrics

    def on_end(
        self,
        trainer: GradientDescentTrainer,
        metrics: Optional[Dict[str, Any]] = None,
        epoch: Optional[int] = None,
        is_primary: bool = True,
        **kwargs: Any,
    ) -> None:
        """Reports the last epoch of the run again if no epoch remained to be trained."""
        if metrics is not None and not self._epoch_metrics:
            for name, value in self._restored.get("epoch_metrics", {}).items():
                metrics.setdefault(name, value)

    def _resume(self, trainer: GradientDescentTrainer) -> None:
        batches = trainer._start_after_batches_in_epoch_completed
        epochs = trainer._start_after_epochs_completed
        logger.info("Resuming after %d epochs and %d batches.", epochs, batches)
        if trainer._scaler is not None and self._restored["scaler"]:
            trainer._scaler.load_state_dict(self._restored["scaler"])
        if not trainer._distributed:
            self._restore_encoders(trainer.model)
        if batches > 0:
            self._resume_epoch(trainer)

    def _restore_encoders(self, model: torch.nn.Module) -> None:
        """Makes stateful encoders continue from their states at the checkpoint."""
        device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
        states = self._restored.get("encoder_states", {})
        for name, encoder in stateful_encoders(model):
            if name in states:
                encoder._states = move_to_device(states[name], device)

    def _add(self, name: str, loss: float) -> None:
        self._losses[name] = self._losses.get(name, 0.0) + loss

    def _resume_epoch(self, trainer: GradientDescentTrainer) -> None:
        """Makes the epoch that is being resumed report what it would have reported."""
        if trainer._distributed:
            logger.warning("The training metrics of this epoch cover the batches from here on.")
            if is_stateful(trainer.model):
                logger.warning("What stateful encoders had carried up to here is lost.")
            return  # the checkpoint only has the counts and states of one process
        saved = self._restored.get("encoder_states", {})
        missing = [name for name, _ in stateful_encoders(trainer.model) if name not in saved]
        if missing:
            logger.warning(
                "The checkpoint does not hold what these encoders had carried from batch to batch, "
                "so that they begin anew: %s.",
                ", ".join(missing),
            )

        def restore_encoders(model: torch.nn.Module, inputs: Any) -> None:
            hook.remove()
            if model.training:  # otherwise no training batch remained
                self._restore_encoders(model)

        # Models may reset their encoders when an epoch begins, so this has to happen later.
        hook = trainer.model.register_forward_pre_hook(restore_encoders)
        resumed = trainer._start_after_epochs_completed
        train_epoch = trainer._train_epoch
        self._losses = dict(self._restored["losses"])
        load_metrics(trainer.model, self._restored["metrics"])

        def train_rest(epoch: int) -> Dict[str, float]:
            metrics = train_epoch(epoch)
            if epoch == resumed:
                batches = trainer._batches_in_epoch_completed
                if "loss" not in metrics:  # killed after the last batch: no batch remained
                    metrics = get_metrics(trainer.model, 0.0, None, None, None, batches, reset=True)
                for name, loss in self._losses.items():
                    metrics[name] = loss / batches
            return metrics

        trainer._train_epoch = train_rest  # type: ignore[method-assign]


class SeededDataLoader:
    """
    Wraps a data loader. Before each batch is fetched, it reseeds the generators of Python, numpy
    and PyTorch with a number that follows from the seed, the stage, the epoch and the batch. So the
    randomness of a batch (its place in the shuffled data, dropout, sampling) does not depend on
    whether the batches before it were computed or, as in a resumed run, only fetched.

    # Parameters

    loader : `DataLoader`
        The wrapped data loader; all other attributes are looked up in it.
    seed : `int`
        The seed of the run.
    stage : `str`
        A name that distinguishes the training data from the validation data.
    epoch : `Callable[[], int]`
        Returns the number of the current epoch.
    """

    def __init__(self, loader: DataLoader, seed: int, stage: str, epoch: Callable[[], int]) -> None:
        self._loader = loader
        self._seed = seed
        self._stage = stage
        self._epoch = epoch

    def __iter__(self) -> Iterator[TensorDict]:
        position = 0
        self._start_batch(position)
        batches = iter(self._loader)
        for batch in batches:
            yield batch
            position += 1
            self._start_batch(position)

    def __len__(self) -> int:
        return len(self._loader)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def _start_batch(self, position: int) -> None:
        name = f"{self._seed} {self._stage} {self._epoch()} {position}"
        seed = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
        random.seed(seed)
        numpy.random.seed(seed % 2**32)
        # `torch.manual_seed` takes a millisecond where there is no device to seed.
        torch.default_generator.manual_seed(seed)
        if torch.cuda.is_available():
            torch.cuda.manual_seed_all(seed)
