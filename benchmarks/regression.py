"""
Whether a change makes anything slower: a base commit against the working tree, in pairs.

Run as `python -m benchmarks.regression BASE`; see `--help`. Processes of the base and of the
working tree take turns, each with its own code, caches and configs; both of a pair run one after
the other, so that a drift of the machine hits both, and the ratio of their times stays. The exit
status is 1 if a cell is slower by more than the tolerance, beyond chance, or can no longer be
measured.
"""

import argparse
import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence

_ROOT = Path(__file__).parents[1]
_WORKER = Path(__file__).with_name("regression_cells.py")
# The interval of a ratio holds the median of all pairs there could be with this probability.
_CONFIDENCE = 0.95


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Runs what the command line asks for, prints a line for each cell, and exits."""
    options = parse(arguments)
    cells = ["--rows", *options.rows, "--sizes", *options.sizes, "--budget", str(options.budget)]
    try:
        with checkout(options.base) as base:
            pairs = measure_pairs({"base": base, "new": _ROOT}, cells, options.pairs)
    except subprocess.CalledProcessError as error:
        print(f"{' '.join(map(str, error.cmd))}:\n{error.stderr}", file=sys.stderr)
        sys.exit(2)
    comparisons = compare(pairs, options.tolerance)
    missing = set(options.rows) - {comparison.cell.split()[0] for comparison in comparisons}
    if missing:
        print(f"Neither has rows of these names: {sorted(missing)}.", file=sys.stderr)
        sys.exit(2)
    print("\n".join(as_lines(comparisons, options.tolerance)))
    sys.exit(1 if any(comparison.is_worse for comparison in comparisons) else 0)


def parse(arguments: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.regression",
        description="A base commit against the working tree: what has become slower?",
    )
    parser.add_argument("base", help="a commit, or a folder with a checkout")
    parser.add_argument(
        "--rows",
        nargs="+",
        default=[],
        metavar="ROW",
        help="these alone: operations (see python -m benchmarks --list), training_step, parsing",
    )
    parser.add_argument("--sizes", nargs="+", default=["1x20", "32x40"], help="of the operations")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--budget", type=float, default=0.1, help="seconds for an operation")
    parser.add_argument("--tolerance", type=float, default=0.05, help="0.05 is five per cent")
    return parser.parse_args(arguments)


# ---- Pairs of processes


class Measurement(NamedTuple):
    """The seconds of a process by cell, and why other cells have none."""

    seconds: Dict[str, float]
    failures: Dict[str, str]


class Pair(NamedTuple):
    """What a process of the base and one of the working tree measured, one after the other."""

    base: Measurement
    new: Measurement


@contextlib.contextmanager
def checkout(base: str) -> Iterator[Path]:
    """
    Yields a folder with the code of a commit, in a temporary worktree; or `base` itself if it is
    such a folder, which then keeps its compiled kernels for the next time.

    # Raises

    `subprocess.CalledProcessError` if there is no such commit.
    """
    if Path(base).is_dir():
        yield Path(base).resolve()
        return
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "base"
        _git("worktree", "add", "--detach", str(folder), f"{base}^{{commit}}")
        try:
            yield folder
        finally:
            _git("worktree", "remove", "--force", str(folder))


def _git(*arguments: str) -> None:
    command = ["git", "-C", str(_ROOT), *arguments]
    subprocess.run(command, check=True, capture_output=True, text=True)


def measure_pairs(folders: Dict[str, Path], cells: Sequence[str], pairs: int) -> List[Pair]:
    """
    Runs processes of both folders in turns; which of a pair is first changes, too.

    # Parameters

    folders : `Dict[str, Path]`
        The checkouts, `"base"` and `"new"`.
    cells : `Sequence[str]`
        The arguments of `regression_cells.py`.
    pairs : `int`

    # Raises

    `subprocess.CalledProcessError` if a process fails as a whole.
    """
    for name, folder in folders.items():  # compiles kernels, which is not measured
        print(f"{name}: {folder}", file=sys.stderr, flush=True)
        measure_in(folder, cells)
    measured = []
    for number in range(pairs):
        order = sorted(folders, reverse=number % 2 == 1)
        results = {name: measure_in(folders[name], cells) for name in order}
        measured.append(Pair(**results))
        print(f"pair {number + 1} of {pairs}", file=sys.stderr, flush=True)
    return measured


def measure_in(folder: Path, cells: Sequence[str]) -> Measurement:
    """Measures cells of the code in a folder, in a new process."""
    done = subprocess.run(
        # Without the folder of the script in front of the path, which has modules of any name.
        [sys.executable, "-P", str(_WORKER), *cells],
        env={**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"},
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return Measurement(**json.loads(done.stdout.splitlines()[-1]))


# ---- Ratios


class Comparison(NamedTuple):
    """
    A cell, base against working tree.

    # Parameters

    cell : `str`
    verdict : `str`
        `"same"`, `"faster"`, `"slower"`, or `"slower?"` where it may be chance; `"new"` if the base
        does not have the cell, `"gone"` if the working tree does not, `"fails"` if it cannot be
        measured there.
    base, new : `float`, optional (default = `None`)
        Median seconds.
    ratio, low, high : `float`, optional (default = `None`)
        The median over pairs of the new time over that of the base, and its interval.
    detail : `str`, optional (default = `""`)
        Why there is no ratio.
    """

    cell: str
    verdict: str
    base: Optional[float] = None
    new: Optional[float] = None
    ratio: Optional[float] = None
    low: Optional[float] = None
    high: Optional[float] = None
    detail: str = ""

    @property
    def is_worse(self) -> bool:
        """Whether the exit status is to say so."""
        return self.verdict in ("slower", "gone", "fails")


class Interval(NamedTuple):
    """A median, and the bounds of it."""

    median: float
    low: float
    high: float


def compare(pairs: Sequence[Pair], tolerance: float) -> List[Comparison]:
    """Compares all cells that the base or the working tree has, in their order."""
    names = [
        name for pair in pairs for side in pair for part in side for name in part
    ]  # dicts keep the order of the cells
    return [_compare(name, pairs, tolerance) for name in dict.fromkeys(names)]


def _compare(cell: str, pairs: Sequence[Pair], tolerance: float) -> Comparison:
    for side, verdict in (("new", "fails"), ("base", "new")):
        for pair in pairs:
            failure = getattr(pair, side).failures.get(cell)
            if failure is not None:
                return Comparison(cell, verdict, detail=f"{side}: {failure}")
    base, new = ([getattr(pair, side).seconds.get(cell) for pair in pairs] for side in Pair._fields)
    if None in new:
        return Comparison(cell, "gone")
    if None in base:
        return Comparison(cell, "new", new=statistics.median(new))
    interval = interval_of_median([after / before for before, after in zip(base, new, strict=True)])
    return Comparison(
        cell,
        verdict_on(interval, tolerance),
        statistics.median(base),
        statistics.median(new),
        *interval,
    )


def interval_of_median(values: Sequence[float]) -> Interval:
    """
    Returns the median of some values, and the narrowest pair of them between which the median of
    what they were sampled from is with a probability of at least 95 %, whatever its distribution:
    that outside of the `k` smallest and `k` largest is a matter of throwing coins. Of fewer than
    six values it is the smallest and the largest, and the probability less.
    """
    ordered = sorted(values)
    count = len(ordered)
    dropped, outside = 0, 2.0 ** (1 - count)
    while True:
        outside += 2 * math.comb(count, dropped + 1) / 2**count
        if outside > 1 - _CONFIDENCE or 2 * (dropped + 1) >= count:
            break
        dropped += 1
    return Interval(statistics.median(ordered), ordered[dropped], ordered[-1 - dropped])


def verdict_on(ratio: Interval, tolerance: float) -> str:
    """Returns the verdict on a ratio of times, see `Comparison`."""
    if ratio.low > 1 + tolerance:
        return "slower"
    if ratio.high < 1:
        return "faster"
    return "slower?" if ratio.median > 1 + tolerance else "same"


def as_lines(comparisons: Sequence[Comparison], tolerance: float) -> List[str]:
    """Returns a table of the cells, and what it shows."""
    width = max([len(comparison.cell) for comparison in comparisons], default=0)
    lines = [f"{'cell':{width}}  {'base ms':>9}  {'new ms':>9}  new / base"]
    for comparison in comparisons:
        times = [
            "-" if seconds is None else f"{1000 * seconds:.3g}"
            for seconds in (comparison.base, comparison.new)
        ]
        ratio = ""
        if comparison.ratio is not None:
            ratio = f"{comparison.ratio:.2f} ({comparison.low:.2f} to {comparison.high:.2f})"
        texts = f"{ratio:22}  {comparison.verdict:7}  {comparison.detail}"
        lines.append(f"{comparison.cell:{width}}  {times[0]:>9}  {times[1]:>9}  {texts}".rstrip())
    worse = sum(comparison.is_worse for comparison in comparisons)
    slower = f"slower by more than {tolerance:.0%}, gone, or fail"
    return [*lines, f"{worse} of {len(comparisons)} cells are {slower}"]


if __name__ == "__main__":
    main()
