"""
How long somebody waits for the first result in a fresh process: with kernels that were compiled
before and are loaded, and with none, when all are compiled.

Run as `python -m benchmarks.first_call`, it is that fresh process, and prints what it measured: the
processor's time, which is what one waits where nobody else wants the processor, and what the clock
on the wall says. The imports of torch and AllenNLP are not counted, that of numba is.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Dict, Iterator, List, Sequence, Tuple

from benchmarks.figures import Figure
from benchmarks.goals import SECONDS
from benchmarks.operation import OPERATIONS
from benchmarks.ours import Ours
from benchmarks.peers.library import NotOffered
from benchmarks.problem import Size

# In this order: what the first of a structure loads, the next one finds.
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
ANNOUNCEMENT = "Compiling kernels"

# By operation, seconds of the processor and of the clock on the wall.
Measured = Dict[str, Tuple[float, float]]


def first_calls(operations: Sequence[str] = ROWS) -> List[Figure]:
    """A first process sees to it that the kernels are in the cache of the second."""
    _in_fresh_process(operations, {})
    warm, _ = _in_fresh_process(operations, {})
    with tempfile.TemporaryDirectory() as empty:
        cold, announced = _in_fresh_process(operations, {"NUMBA_CACHE_DIR": empty})
    said = "and says so" if announced else "and does not say so"
    return [
        *_figures("first_call", warm, "kernels loaded from the cache"),
        *_figures("first_call_ever", cold, f"compiles its kernels, {said}"),
    ]


def _figures(row: str, measured: Measured, detail: str) -> Iterator[Figure]:
    for name, (seconds, on_the_wall) in measured.items():
        yield Figure(row, name, seconds, SECONDS, f"{detail}; {on_the_wall:.2f} s on the wall")


def _in_fresh_process(
    operations: Sequence[str], environment: Dict[str, str]
) -> Tuple[Measured, bool]:
    """What it measured, and whether compilation was announced."""
    done = subprocess.run(
        [sys.executable, "-m", __name__, *operations],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1]), ANNOUNCEMENT in done.stderr


def main(operations: Sequence[str]) -> None:
    """Prints the seconds of the first call of each, in this order, as JSON."""
    measured: Measured = {}
    for name in operations:
        problem = OPERATIONS[name].problem(Size(32, 20), seed=1)
        start = time.process_time(), time.perf_counter()
        try:
            Ours().prepare(name, problem).run()
        except NotOffered:
            continue
        measured[name] = time.process_time() - start[0], time.perf_counter() - start[1]
    print(json.dumps(measured))


if __name__ == "__main__":
    main(sys.argv[1:] or ROWS)
