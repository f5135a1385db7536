"""
Runs an ablation whole, and once more with a kill in its middle: python -m
tests.ablation.killed_ablation FOLDER

The folder has an experiment (see `tiny_experiment`) whose trainer has the callback
"kill_the_group". All runs are forked from one process, which has imported AllenNLP once.
"""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from allennlp.training import TrainerCallback

from spigot_allennlp.ablation.plan.plan import save_joined_plan
from spigot_allennlp.ablation.report.report import write_report
from spigot_allennlp.ablation.run.ablation import run_ablation
from spigot_allennlp.ablation.run.executors import LocalProcesses
from spigot_allennlp.ablation.run.run_record import PLANNED, RUNNING, TRAINED, RunRecord
from spigot_allennlp.compat.folder_lock import locked
from tests.ablation.tiny_experiment import planned


@TrainerCallback.register("kill_the_group")
class KillTheGroup(TrainerCallback):
    """Ends all processes of the ablation at once, as a machine does that goes down."""

    strikes = False

    def on_epoch(self, trainer: Any, *args: Any, **kwargs: Any) -> None:
        # In the second epoch of a run with seed 2, once both with seed 1 are recorded as done.
        if self.strikes and "seed-2" in self.serialization_dir and trainer._epochs_completed == 1:
            out = Path(self.serialization_dir).parents[2]
            while any(is_unfinished(run) for run in out.glob("*/seed-1")):
                time.sleep(0.01)
            os.killpg(os.getpgid(0), signal.SIGKILL)


def is_unfinished(run: Path) -> bool:
    """Whether the run in a folder is still waiting or trained."""
    record = RunRecord.load(run)
    return record is None or record.state in (PLANNED, RUNNING, TRAINED)


def ablate(folder: Path, out: str, strikes: bool = False) -> int:
    """The signal that ended it, or its exit status."""
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        KillTheGroup.strikes = strikes
        try:
            with locked(folder / out):
                plan = save_joined_plan(planned(folder), folder / out)
                run_ablation(plan, folder / out, LocalProcesses(jobs=2))
                os._exit(0 if write_report(plan, folder / out, 100) else 3)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    here = Path(sys.argv[1])
    assert ablate(here, "whole") == 0
    assert ablate(here, "killed", strikes=True) == -signal.SIGKILL
    assert ablate(here, "killed") == 0
