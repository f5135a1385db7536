"""
Patches for the checkpoints and the best weights of a training run.
"""

import glob
import logging
import os
import sys
from types import ModuleType
from typing import Any, Iterator, Optional, Tuple

from spigot_allennlp.compat.atomic_io import (
    PathLike,
    is_whole_zip,
    link_or_copy,
    replacing,
)
from spigot_allennlp.compat.patching import patch

logger = logging.getLogger(__name__)


@patch(
    "allennlp.training.checkpointer",
    "allennlp.training.gradient_descent_trainer",
    since="AllenNLP 2.10.1 itself: weights are written under their own name, and torn by whatever "
    "ends the process meanwhile",
    until="AllenNLP writes weights under another name, and renames the file when it is whole",
)
def weights_are_written_whole(module: Any) -> Iterator[None]:
    """In these modules, `torch.save` and the link to the best weights are all or nothing."""
    yield
    torch = module.torch
    stand_in = ModuleType("torch")
    stand_in.__getattr__ = lambda name: getattr(torch, name)  # type: ignore[method-assign]
    stand_in.save = save_whole  # type: ignore[attr-defined]
    module.torch = stand_in
    if hasattr(module, "hardlink_or_copy"):
        module.hardlink_or_copy = link_or_copy


def save_whole(state: Any, path: PathLike) -> None:
    """
    Like `torch.save`, but the file appears only once it is complete.

    # Raises

    The error that stopped the writing. torch hides it behind its own error, about the position in
    the file.
    """
    import torch

    handled = sys.exc_info()[1]
    with replacing(path) as new:
        try:
            with open(new, "wb") as file:
                torch.save(state, file)
        except RuntimeError as error:
            cause: Optional[BaseException] = error
            while isinstance(cause, RuntimeError):
                cause = cause.__context__
            if cause is None or cause is handled:
                raise
            raise cause from None


@patch(
    "allennlp.training.checkpointer",
    since="AllenNLP 2.10.1 itself: a checkpoint that was torn cannot be resumed from, nor passed "
    "over",
    until="AllenNLP looks at a checkpoint before it takes it, and goes on with the one before",
)
def torn_checkpoints_are_passed_over(module: Any) -> Iterator[None]:
    """The previous checkpoint still exists: it is removed only once the next one is complete."""
    yield

    def load_checkpoint(self: Any) -> Any:
        if self._is_primary:
            remove_halves(self)
        for point in sorted(self._find_all_checkpoints(), reverse=True):
            states = load_whole(self, *point)
            if states is not None:
                if self._is_primary:
                    remove_old(self)
                return module.TrainerCheckpoint(*states)
            path = self._model_state_path(*point)
            logger.warning("The checkpoint %s is not whole. Trying the one before.", path)
            if self._is_primary:
                self._remove_checkpoint(*point)
        return None

    module.Checkpointer.load_checkpoint = load_checkpoint


def remove_halves(checkpointer: Any) -> None:
    """Removes the rest of an old checkpoint whose removal was interrupted by a kill."""
    points = checkpointer._find_all_checkpoints()
    folder = glob.escape(checkpointer._serialization_dir)
    for path in glob.glob(os.path.join(folder, "training_state_e*_b*.th")):
        point = checkpointer._parse_training_state_path(path)
        if point is not None and point not in points:
            os.remove(path)


def remove_old(checkpointer: Any) -> None:
    """
    Removes old checkpoints that a process did not get to remove, because it was killed after its
    last one. A run that resumes there may write no more checkpoints, and would never remove them.
    """
    count = checkpointer._keep_most_recent_by_count
    if count is not None and checkpointer._keep_most_recent_by_age is None:
        for point in sorted(checkpointer._find_all_checkpoints(), reverse=True)[max(count, 1) :]:
            checkpointer._remove_checkpoint(*point)


def load_whole(checkpointer: Any, epochs: int, batches: int) -> Optional[Tuple[Any, Any]]:
    """
    The state of the model and that of the training; `None` if either file is missing, damaged or
    truncated. Each file is read twice, once for its checksums.
    """
    paths = [
        find_path(epochs, batches)
        for find_path in (checkpointer._model_state_path, checkpointer._training_state_path)
    ]
    if not all(is_whole_zip(path) for path in paths):
        return None
    try:
        model_state, training_state = [load_on_cpu(path) for path in paths]
    except RuntimeError as error:
        if is_of_a_torn_file(error):
            return None
        raise
    return model_state, training_state


def load_on_cpu(path: str) -> Any:
    import torch
    from allennlp.nn.util import device_mapping

    return torch.load(path, map_location=device_mapping(-1))


def are_whole_weights(path: PathLike) -> bool:
    """Whether a file exists and holds everything that `torch.save` meant to write."""
    import torch

    if not is_whole_zip(path):
        return False
    try:
        torch.load(path, map_location="cpu", mmap=True)
    except RuntimeError as error:
        if is_of_a_torn_file(error):
            return False
        raise
    return True


def is_of_a_torn_file(error: RuntimeError) -> bool:
    """
    Whether an error is that of a reader that misses records. An exception in the middle of
    `torch.save` leaves a zip archive without some of them.
    """
    return "PytorchStreamReader" in str(error)


def has_checkpoint(folder: PathLike) -> bool:
    """Whether a training run has written a checkpoint, complete or not."""
    return bool(glob.glob(os.path.join(glob.escape(os.fspath(folder)), "model_state_e*_b*.th")))
