"""The command line: `python -m benchmarks.attentive --help`."""

import argparse
import os
import warnings
from typing import List, Optional, Sequence

SCORED = {"last ten": 10, "all": 0}


def main(arguments: Optional[Sequence[str]] = None) -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.attentive")
    parser.add_argument("--lengths", nargs="+", type=int, default=[200, 400, 800, 1600])
    parser.add_argument("--speed-length", type=int, default=200, help="steps of a sequence")
    parser.add_argument("--budget", type=float, default=3.0, help="seconds for each encoder")
    parser.add_argument("--encoders", nargs="+", help="these alone")
    options = parser.parse_args(arguments)
    os.environ["OMP_NUM_THREADS"] = "1"
    warnings.simplefilter("ignore")
    from benchmarks.attentive.encoders import ENCODERS
    from benchmarks.attentive.peaks import growth, peaks
    from benchmarks.attentive.speed import speeds

    names: List[str] = options.encoders or list(ENCODERS)
    print("Training steps a second on 16 sequences, and the ratio to nn.LSTMCell:")
    for scored, number in SCORED.items():
        found = speeds(names, options.speed_length, number, options.budget)
        reference = found.get("nn.LSTMCell", next(iter(found.values())))
        for name, rate in found.items():
            print(f"{name:30} scored: {scored:9} {rate:8.1f} {rate / reference:6.2f}x")
    print("Peak memory in MB by length, and its growth a step, in kB:")
    measured = peaks(names, options.lengths)
    most = growth(measured["full"]) if "full" in measured else float("nan")
    for name, by_length in measured.items():
        cells = " ".join(f"{by_length[length] / 1e6:8.1f}" for length in options.lengths)
        more = growth(by_length)
        print(f"{name:30} {cells} {more / 1e3:8.2f} {more / most:6.2f} of full")


if __name__ == "__main__":
    main()
