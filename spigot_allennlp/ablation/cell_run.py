"""Trains and tests a cell, and records what became of it."""

import os
import resource
import sys
import time
import traceback
from contextlib import contextmanager
from typing import Iterator

from allennlp.common.checks import ConfigurationError

from spigot_allennlp.ablation import record
from spigot_allennlp.ablation.cell import LOG, RUN, Cell
from spigot_allennlp.ablation.cell_testing import can_be_loaded, test
from spigot_allennlp.ablation.cell_training import train
from spigot_allennlp.ablation.record import Record
from spigot_allennlp.compat.folder_lock import locked
from spigot_allennlp.compat.whole_files import remove_unfinished


def run(cell: Cell) -> None:
    """
    Trains the cell, from where an earlier attempt was interrupted, and tests it. What became of it
    is in its record; errors are recorded, not raised.
    """
    remove_unfinished(cell.folder)
    known = cell.record()
    _close_attempt(cell, known)
    known.attempts.append(record.new_attempt())
    known.message, known.versions = "", record.installed_versions()
    start = time.monotonic()
    with _recorded_errors(cell, known):
        # What is damaged of a trained cell, its training makes anew, mostly without an epoch.
        if known.state != record.TRAINED or not can_be_loaded(cell):
            known.state = record.RUNNING
            known.save(cell.folder)
            known.metrics = train(cell)
            known.state = record.TRAINED
            _note_use(known, start)
            known.save(cell.folder)
        start_testing = time.monotonic()
        known.test = test(cell)
        known.seconds_testing = time.monotonic() - start_testing
        known.state = record.DONE
    _note_use(known, start)
    known.save(cell.folder)


def run_in_process_of_its_own(cell: Cell, is_new: bool = True) -> None:
    """
    `run`, with everything that it prints in the cell's log.

    # Parameters

    cell : `Cell`
    is_new : `bool`, optional (default = `True`)
        Whether the process has still to import plugins and `cell.packages`; one that was forked has
        them.

    # Raises

    `ConfigurationError` if another process is at work on the cell, as one may be, on another node,
    whose ablation was killed a moment ago.
    """
    import torch
    from allennlp.common.plugins import import_plugins
    from allennlp.common.util import import_module_and_submodules

    cell.folder.mkdir(parents=True, exist_ok=True)
    log = os.open(cell.folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.dup2(log, 1)
    os.dup2(log, 2)
    torch.set_num_threads(cell.threads)
    if is_new:
        import_plugins()
        for package in cell.packages:
            import_module_and_submodules(package)
    with locked(cell.folder, patience=20.0):
        run(cell)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


@contextmanager
def _recorded_errors(cell: Cell, known: Record) -> Iterator[None]:
    """A config that is refused before its first checkpoint is no failure of the training."""
    try:
        yield
    except Exception as error:
        begun = list((cell.folder / RUN).glob("model_state_*"))
        is_refusal = isinstance(error, ConfigurationError) and not begun
        known.state = record.REFUSED if is_refusal else record.FAILED
        known.message = f"{type(error).__name__}: {error}" if not is_refusal else str(error)
        with open(cell.folder / LOG, "a", encoding="utf-8") as log:
            log.write(traceback.format_exc())


def _close_attempt(cell: Cell, known: Record) -> None:
    """Gives an attempt that was killed the time up to the last epoch that it completed."""
    if known.attempts and not known.attempts[-1]["seconds"]:
        started = known.attempts[-1]["started"]
        epochs = [file.stat().st_mtime for file in (cell.folder / RUN).glob("metrics_epoch_*.json")]
        known.attempts[-1]["seconds"] = max(0.0, max(epochs, default=started) - started)
        known.attempts[-1]["interrupted"] = True


def _note_use(known: Record, start: float) -> None:
    import torch

    known.attempts[-1]["seconds"] = time.monotonic() - start
    use = resource.getrusage(resource.RUSAGE_SELF)
    known.attempts[-1]["cpu_seconds"] = use.ru_utime + use.ru_stime
    unit = 1024**2 if sys.platform == "darwin" else 1024  # bytes there, kibibytes elsewhere
    known.peak_memory_mb = max(known.peak_memory_mb or 0.0, use.ru_maxrss / unit)
    if torch.cuda.is_initialized():
        gpu = torch.cuda.max_memory_allocated() / 1024**2
        known.peak_gpu_memory_mb = max(known.peak_gpu_memory_mb or 0.0, gpu)
