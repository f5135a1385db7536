"""What the command line asks for, done: a run, printed and kept."""

import json
import logging
import sys
from argparse import Namespace
from pathlib import Path

from benchmarks.plot import plot
from benchmarks.report import Report
from benchmarks.run import ROWS, run
from benchmarks.settings import Settings
from benchmarks.table import as_text
from spigot_allennlp.compat.whole_files import write


def carry_out(options: Namespace) -> int:
    """Returns the exit status."""
    if options.list:
        print("\n".join(ROWS))
        return 0
    rows = options.only or ROWS
    unknown = sorted(set(rows) - set(ROWS))
    if unknown:
        print(f"No rows of these names: {unknown}. There are {ROWS}.", file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("benchmarks").setLevel(logging.INFO)
    logging.getLogger("allennlp").setLevel(logging.ERROR)
    report = run(
        Settings(
            rows=tuple(rows),
            batch_sizes=tuple(options.batch_sizes),
            lengths=tuple(options.lengths),
            threads=options.threads,
            budget=options.budget,
            patience=options.patience,
            seed=options.seed,
        )
    )
    print(as_text(report))
    if options.output is not None:
        keep(report, options.output)
    return 0


def keep(report: Report, folder: Path) -> None:
    """Writes the table, the numbers and the plots into `folder`, each file whole."""
    write(folder / "table.txt", as_text(report))
    numbers = json.dumps(report.as_json(), indent=1, allow_nan=False)
    write(folder / "results.json", numbers + "\n")
    plot(report.cells, folder)
    print(f"Kept in {folder}")
