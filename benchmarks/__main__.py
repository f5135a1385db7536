"""The command line: `python -m benchmarks --help`."""

import argparse
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Optional, Sequence


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Runs what the command line asks for, prints the report, and exits."""
    options = parse(arguments)
    # Before anything is imported, or any process started, that would read them.
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    os.environ["PYTHONWARNINGS"] = "ignore"  # the peers' are many
    warnings.simplefilter("ignore")
    sys.exit(run_options(options))


def parse(arguments: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks", description="Ours against the peers.")
    parser.add_argument("--output", type=Path, help="a folder for table.txt, results.json, plots")
    parser.add_argument("--only", nargs="+", metavar="ROW", help="these rows; see --list")
    parser.add_argument("--list", action="store_true", help="print the rows, and end")
    parser.add_argument(
        "--quick", action="store_true", help="32x20 alone, few repetitions, no slow rows"
    )
    parser.add_argument(
        "--without",
        nargs="+",
        default=[],
        metavar="PEER",
        help="leave these libraries out; another that is missing is an error",
    )
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=[1, 32, 128])
    parser.add_argument("--lengths", nargs="+", type=int, default=[10, 20, 40, 80])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--budget", type=float, default=0.3, help="seconds for a library in a cell")
    parser.add_argument("--patience", type=float, default=20.0, help="seconds for a single call")
    parser.add_argument("--sentences", type=int, default=640, help="to train on, and to parse")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    options.less = {}
    if options.quick:
        options.batch_sizes, options.lengths, options.budget = [32], [20], 0.1
        options.sentences = 64
        options.less = {"parses": 1, "scales": (1000.0,)}
    return options


def run_options(options: argparse.Namespace) -> int:
    """
    Runs the benchmarks, prints and saves the report, and returns the exit status: 1 if ours fails
    or a peer is missing that was not left out, 2 for options that make no sense.
    """
    from benchmarks.library import ADAPTERS, OTHERS, OURS
    from benchmarks.report import as_text, save
    from benchmarks.results import Settings
    from benchmarks.run import QUICK_ROWS, ROWS, run

    if options.list:
        print("\n".join(ROWS))
        return 0
    rows = options.only or (QUICK_ROWS if options.quick else ROWS)
    unknown = sorted(set(rows) - set(ROWS))
    if unknown:
        print(f"No rows of these names: {unknown}. There are {ROWS}.", file=sys.stderr)
        return 2
    peers = [name for name in (*ADAPTERS, *OTHERS) if name != OURS]
    unknown = sorted(set(options.without) - set(peers))
    if unknown:
        print(f"No peers of these names: {unknown}. There are {peers}.", file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("benchmarks").setLevel(logging.INFO)
    for noisy in ("allennlp", "spigot_allennlp.compat"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    results = run(
        Settings(
            rows=tuple(rows),
            batch_sizes=tuple(options.batch_sizes),
            lengths=tuple(options.lengths),
            threads=options.threads,
            budget=options.budget,
            patience=options.patience,
            seed=options.seed,
            without=tuple(options.without),
            sentences=options.sentences,
            **options.less,
        )
    )
    print(as_text(results))
    if options.output is not None:
        save(results, options.output)
        print(f"Kept in {options.output}")
    reasons = results.reasons_to_fail()
    for reason in reasons:
        print(f"failed: {reason}", file=sys.stderr)
    return 1 if reasons else 0


if __name__ == "__main__":
    main()
