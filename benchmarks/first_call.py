"""
How long the first result takes in a fresh process: with kernels that were compiled before and are
loaded, and with none, when all are compiled.

Run as `python -m benchmarks.first_call`, it is that fresh process, and prints what it measured: the
processor's time, which is the time to wait where nothing else needs the processor, and the time by
the clock on the wall. The imports of torch and AllenNLP are not counted, that of numba is.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Dict, Iterator, List, NamedTuple, Sequence

from benchmarks.goals import SECONDS
from benchmarks.library import NotOffered
from benchmarks.operation import OPERATIONS
from benchmarks.ours import Ours
from benchmarks.problem import Size
from benchmarks.results import Metric

#: The operations in this order: what the first of a structure loads, the next finds loaded.
ROWS = (
    "projective_argmax",
    "projective_marginals",
    "projective_marginals_backward",
    "non_projective_argmax",
    "non_projective_marginals",
    "non_projective_marginals_backward",
    "chain_argmax",
    "chain_marginals",
    "simplex_projection",
    "projective_tree_projection",
)
_ANNOUNCEMENT = "Compiling kernels"


class Seconds(NamedTuple):
    """The processor's time, and the time by the clock on the wall."""

    processor: float
    wall: float


class FreshProcess(NamedTuple):
    """The seconds of the first call of each operation in a process, and whether the process
    announced that it compiles."""

    seconds: Dict[str, Seconds]
    announced: bool


def first_calls(operations: Sequence[str] = ROWS) -> List[Metric]:
    """Measures first calls with and without compiled kernels."""
    _in_fresh_process(operations, {})  # so that the kernels are in the cache
    warm = _in_fresh_process(operations, {})
    with tempfile.TemporaryDirectory() as empty:
        cold = _in_fresh_process(operations, {"NUMBA_CACHE_DIR": empty})
    announcement = "and says so" if cold.announced else "and does not say so"
    return [
        *_metrics("first_call", warm, "kernels loaded from the cache"),
        *_metrics("first_call_ever", cold, f"compiles its kernels, {announcement}"),
    ]


def _metrics(row: str, process: FreshProcess, detail: str) -> Iterator[Metric]:
    for name, seconds in process.seconds.items():
        how = f"{detail}; {seconds.wall:.2f} s on the wall"
        yield Metric(row, name, seconds.processor, SECONDS, how)


def _in_fresh_process(operations: Sequence[str], environment: Dict[str, str]) -> FreshProcess:
    done = subprocess.run(
        [sys.executable, "-m", __name__, *operations],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    printed = json.loads(done.stdout.splitlines()[-1])
    seconds = {name: Seconds(*values) for name, values in printed.items()}
    return FreshProcess(seconds, _ANNOUNCEMENT in done.stderr)


def main(operations: Sequence[str]) -> None:
    """Prints the seconds of the first call of each operation, in this order, as JSON."""
    measured: Dict[str, Seconds] = {}
    for name in operations:
        problem = OPERATIONS[name].problem(Size(32, 20), seed=1)
        processor, wall = time.process_time(), time.perf_counter()
        try:
            Ours().prepare(name, problem).run()
        except NotOffered:
            continue
        measured[name] = Seconds(time.process_time() - processor, time.perf_counter() - wall)
    print(json.dumps(measured))


if __name__ == "__main__":
    main(sys.argv[1:] or ROWS)
