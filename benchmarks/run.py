"""A whole run, row by row."""

import gc
import logging
import os
import platform
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, List

import numba
import numpy
import torch

from benchmarks import end_to_end, library
from benchmarks.attentive import attentive_steps
from benchmarks.comparison import Comparison
from benchmarks.first_call import first_calls
from benchmarks.library import OURS, PeerFailure
from benchmarks.measurement import clock
from benchmarks.operation import OPERATIONS
from benchmarks.report import row_of_cell
from benchmarks.results import Metric, Results, Settings
from benchmarks.scaling import scaling
from benchmarks.spiking_step import spiking_limit, spiking_steps
from benchmarks.training_step import training_step
from benchmarks.trial import Trials

logger = logging.getLogger(__name__)

#: The rows that are no operations.
METRICS: Dict[str, Callable[[Settings], List[Metric]]] = {
    "training_step": lambda settings: [training_step(clock(settings.threads))],
    "spiking_step": lambda settings: spiking_steps(clock(settings.threads), settings.budget),
    "spiking_limit": lambda settings: spiking_limit(clock(settings.threads), settings.budget),
    "attentive_step": lambda settings: attentive_steps(settings.budget),
    "training": end_to_end.training,
    "parsing": end_to_end.parsing,
    "parsing_memory": end_to_end.parsing_memory,
    "start_up": end_to_end.start_up,
    "first_call": lambda settings: first_calls(),
}
#: The peers without which such a row has nothing to compare with.
ONLY_PEERS: Dict[str, str] = {"spiking_step": "snntorch"}

SCALING = "scaling"
ROWS = [*OPERATIONS, *METRICS, SCALING]
#: Those of a quick run: without those that start many processes, which import for 15 s each, or
#: take minutes for another reason.
QUICK_ROWS = [
    row for row in ROWS if row not in ("parsing_memory", "start_up", "first_call", SCALING)
]


def run(settings: Settings) -> Results:
    """Measures all rows of the settings."""
    torch.set_num_threads(settings.threads)
    others = [peer for row, peer in ONLY_PEERS.items() if row in settings.rows]
    libraries = library.load_all(settings.without, others)
    # The garbage collector shall not look through what the imports left behind before every race.
    gc.freeze()
    if OURS not in libraries.installed:
        raise RuntimeError(f"{OURS} {libraries.failures[OURS]}")
    versions = {name: installed.version for name, installed in libraries.installed.items()}
    results = Results(settings, describe_machine(), versions, libraries.failures)
    trials = Trials(libraries.modules, settings.threads, settings.patience)
    comparison = Comparison(settings, libraries, trials)
    for row in settings.rows:
        logger.info("%s", row)
        try:
            if row in OPERATIONS:
                _compare(row, comparison, results)
            else:
                _measure(row, results)
        except PeerFailure as error:
            results.failed[row] = str(error)
        except Exception as error:  # the other rows shall not be lost
            results.failed[row] = f"{OURS} fails: {library.describe_exception(error)}"
    return results


def _measure(row: str, results: Results) -> None:
    peer = ONLY_PEERS.get(row)
    if peer in results.failures:
        results.missing[row] = f"its peer {peer} {results.failures[peer]}"
        return
    # What is missing has been noted, and the others can be compared.
    settings = replace(results.settings, without=tuple(results.failures))
    if row == SCALING:
        results.scaling += scaling(settings)
    else:
        results.metrics += METRICS[row](settings)


def _compare(operation: str, comparison: Comparison, results: Results) -> None:
    missing = comparison.missing(operation)
    if missing is not None:
        results.missing[operation] = missing
        return
    for cell in comparison.cells(operation):
        logger.info("%s", "  ".join(row_of_cell(cell)))
        results.cells.append(cell)
    results.scaled += comparison.scaled_cells(operation)


def describe_machine() -> Dict[str, Any]:
    """Returns where the benchmark runs, as far as it matters for its times."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load at the start": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numba": numba.__version__,
        "numpy": numpy.__version__,
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
