"""
Trains a model whole, and once more with a kill and `--recover`: python -m
tests.callbacks.killed_runs FOLDER...

Each folder has a `config.json` with a callback "kill", and a file `kill_at` with the batch in which
that strikes: "2:5" is the fifth training batch of epoch 2, "2:v1" its first validation batch. All
runs are forked from one process, which has imported AllenNLP once; folders with the same config
share the run that is not killed.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any, Dict, Optional

import torch
from allennlp.commands import main
from allennlp.models import Model, SimpleTagger
from allennlp.training import TrainerCallback

import spigot_allennlp.callbacks.resumable  # noqa: F401  (configs name it)


@TrainerCallback.register("kill")
class Kill(TrainerCallback):
    """Ends its process, as the kernel does it to one that takes too much memory."""

    at: Optional[str] = None

    def on_batch(self, trainer: Any, *args: Any, **kwargs: Any) -> None:
        epoch, batch, is_training = (
            args[3:6] if len(args) > 5 else (*args[3:5], kwargs["is_training"])
        )
        if self.at == f"{epoch}:{'' if is_training else 'v'}{batch}":
            os.kill(os.getpid(), signal.SIGKILL)


@Model.register("tagger_of_several_tasks")
class TaggerOfSeveralTasks(SimpleTagger):
    """The multitask data loader tells the model the task."""

    def forward(self, tokens, tags=None, metadata=None, task=None):  # type: ignore
        return super().forward(tokens, tags, metadata)


def train(folder: Path, results: str, kill_at: Optional[str] = None, recover: bool = False) -> int:
    """The signal that ended `allennlp train` in a process of its own, or its exit status."""
    child = os.fork()
    if child == 0:
        log = os.open(folder / f"{results}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        torch.set_num_threads(1)
        Kill.at = kill_at
        sys.argv = ["allennlp", "train", str(folder / "config.json"), "-s", str(folder / results)]
        sys.argv += ["--recover"] * recover
        try:
            main()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


whole: Dict[str, Path] = {}  # by config: where it has been trained without a kill
for name in sys.argv[1:]:
    here = Path(name)
    config = (here / "config.json").read_text()
    if config in whole:
        (here / "whole").symlink_to(whole[config].absolute())
    else:
        assert train(here, "whole") == 0, name
        whole[config] = here / "whole"
    assert train(here, "killed", kill_at=(here / "kill_at").read_text()) == -signal.SIGKILL, name
    assert train(here, "killed", recover=True) == 0, name
