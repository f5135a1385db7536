"""The command line: `python -m benchmarks --help`."""

import argparse
import os
import sys
import warnings
from pathlib import Path
from typing import Optional, Sequence


def parse(arguments: Optional[Sequence[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description="Ours against the peers.")
    parser.add_argument("--output", type=Path, help="a folder for table.txt, results.json, plots")
    parser.add_argument("--only", nargs="+", metavar="ROW", help="these rows; see --list")
    parser.add_argument("--list", action="store_true", help="print the rows, and end")
    parser.add_argument("--quick", action="store_true", help="32x20 alone, and fewer repetitions")
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=[1, 32, 128])
    parser.add_argument("--lengths", nargs="+", type=int, default=[10, 20, 40, 80])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--budget", type=float, default=0.3, help="seconds for a library in a cell")
    parser.add_argument("--patience", type=float, default=20.0, help="seconds for a single call")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    if options.quick:
        options.batch_sizes, options.lengths, options.budget = [32], [20], 0.1
    return options


def main(arguments: Optional[Sequence[str]] = None) -> None:
    options = parse(arguments)
    # Before anything is imported, or any process started, that would read them.
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    os.environ["PYTHONWARNINGS"] = "ignore"  # the peers' are many
    warnings.simplefilter("ignore")
    from benchmarks.command import carry_out

    sys.exit(carry_out(options))


if __name__ == "__main__":
    main()
