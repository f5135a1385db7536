"""A whole run, row by row."""

import gc
import logging
from typing import Callable, Dict, List

import torch

from benchmarks import libraries
from benchmarks.cells import Bench
from benchmarks.figures import Figure
from benchmarks.first_call import first_calls
from benchmarks.judgement import OURS
from benchmarks.machine import describe_machine
from benchmarks.operation import OPERATIONS
from benchmarks.report import Report
from benchmarks.scales import scaled
from benchmarks.settings import Settings
from benchmarks.spiking_step import spiking_steps
from benchmarks.table import cell_row
from benchmarks.timing import clock
from benchmarks.training_step import training_step
from benchmarks.trial import Trials

logger = logging.getLogger(__name__)

# Rows that are no operations.
FIGURES: Dict[str, Callable[[Settings], List[Figure]]] = {
    "training_step": lambda settings: [training_step(clock(settings.threads))],
    "spiking_step": lambda settings: spiking_steps(clock(settings.threads), settings.budget),
    "first_call": lambda settings: first_calls(),
}

ROWS = [*OPERATIONS, *FIGURES]


def run(settings: Settings) -> Report:
    torch.set_num_threads(settings.threads)
    found = libraries.find()
    # What the imports left behind is not to be looked through for garbage before every race.
    gc.freeze()
    if OURS not in found.libraries:
        raise RuntimeError(f"{OURS} {found.failures[OURS]}")
    versions = {name: library.version for name, library in found.libraries.items()}
    report = Report(settings, describe_machine(), versions, found.failures)
    trials = Trials(found.modules, settings.threads, settings.patience)
    bench = Bench(settings, found, trials)
    for row in settings.rows:
        if row in FIGURES:
            logger.info("%s", row)
            _figures(row, report)
        else:
            _operation(row, bench, report)
    return report


def _figures(row: str, report: Report) -> None:
    try:
        report.figures += FIGURES[row](report.settings)
    except Exception as error:  # the other rows shall not be lost
        report.missing[row] = f"ours fails: {libraries.describe(error)}"


def _operation(name: str, bench: Bench, report: Report) -> None:
    missing = bench.missing(name)
    if missing is not None:
        report.missing[name] = missing
        return
    for cell in bench.cells(name):
        logger.info("%s", "  ".join(cell_row(cell)))
        report.cells.append(cell)
    report.scaled += scaled(bench, name)
