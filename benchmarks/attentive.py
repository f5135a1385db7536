"""
The cost of sparse attentive backtracking in memory and in time, beside its alternatives.

Run as `python -m benchmarks.attentive`; see `--help`. Training steps are timed in turns in one
process. The peak of memory is that of a fresh process for each encoder and length.
"""

import argparse
import os
import subprocess
import sys
import warnings
from functools import partial
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

import torch
from torch import Tensor

from benchmarks.goals import RATIO
from benchmarks.measurement import clock, peak_memory, race, reset_peak_memory
from benchmarks.results import Metric
from spigot_allennlp.modules.sparse_attentive_lstm import SparseAttentiveLstm

_INPUT_SIZE = 12
# At how many of the last steps of a sequence there is a gradient; 0: at all.
_SCORED = {"last ten": 10, "all": 0}


class Sizes(NamedTuple):
    """Says how large the encoders are, and on how many sequences they are measured at once."""

    batch_size: int = 16
    hidden_size: int = 64
    window: int = 10
    """The steps of a window of truncated backpropagation."""
    attend_every: int = 10
    """A memory for each of this many steps, where there are memories."""


SIZES = Sizes()
_OPTIONS = {name: f"--{name.replace('_', '-')}" for name in Sizes._fields}


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Prints the tables that the command line asks for."""
    parser = argparse.ArgumentParser("python -m benchmarks.attentive")
    parser.add_argument("--lengths", nargs="+", type=int, default=[200, 400, 800, 1600])
    parser.add_argument("--speed-length", type=int, default=200, help="steps of a sequence")
    parser.add_argument("--budget", type=float, default=3.0, help="seconds for each encoder")
    parser.add_argument("--encoders", nargs="+", help="these alone")
    for name, option in _OPTIONS.items():
        parser.add_argument(option, type=int, default=getattr(SIZES, name))
    parser.add_argument("--measure-peak", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    sizes = Sizes(*(getattr(options, name) for name in _OPTIONS))
    warnings.simplefilter("ignore")
    if options.measure_peak:
        encoder, length = options.measure_peak
        print(measure_peak(encoder, int(length), sizes))
        return
    names: List[str] = options.encoders or list(ENCODERS)
    reference = "nn.LSTMCell" if "nn.LSTMCell" in names else names[0]
    print(f"Training steps a second on {sizes.batch_size} sequences, and the ratio to {reference}:")
    for scored, number in _SCORED.items():
        rates = speeds(names, options.speed_length, number, options.budget, sizes)
        for name, rate in rates.items():
            ratio = rate / rates[reference]
            print(f"{name:30} scored: {scored:9} {rate:8.1f} {ratio:6.2f}x")
    print("Peak memory in MB by length, and its growth a step, in kB:")
    measured = peaks(names, options.lengths, sizes)
    of_full = growth(measured["full"]) if "full" in measured else float("nan")
    for name, by_length in measured.items():
        columns = " ".join(f"{by_length[length] / 1e6:8.1f}" for length in options.lengths)
        step = growth(by_length)
        print(f"{name:30} {columns} {step / 1e3:8.2f} {step / of_full:6.2f} of full")


# ---- The encoders, and a training step


class CellLoop(torch.nn.Module):
    """`torch.nn.LSTMCell`, step by step, with full backpropagation."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.cell = torch.nn.LSTMCell(_INPUT_SIZE, hidden_size)

    def forward(self, inputs: Tensor) -> Tensor:
        state, outputs = None, []
        for step in inputs.unbind(1):
            state = self.cell(step, state)
            outputs.append(state[0])
        return torch.stack(outputs, dim=1)


class WholeLstm(torch.nn.Module):
    """`torch.nn.LSTM`, all steps in one call."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(_INPUT_SIZE, hidden_size, batch_first=True)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.lstm(inputs)[0]


def _ours(sizes: Sizes, **settings: Any) -> torch.nn.Module:
    return SparseAttentiveLstm(_INPUT_SIZE, sizes.hidden_size, **settings)


ENCODERS: Dict[str, Callable[[Sizes], torch.nn.Module]] = {
    "sparse_attentive": lambda sizes: _ours(
        sizes, attend_every=sizes.attend_every, top_k=5, truncation=sizes.window
    ),
    "sparse_attentive, every step": lambda sizes: _ours(
        sizes, attend_every=1, top_k=5, truncation=sizes.window
    ),
    "truncated": lambda sizes: _ours(sizes, top_k=0, truncation=sizes.window),
    "full": lambda sizes: _ours(sizes, top_k=0, truncation=None),
    "self_attention": lambda sizes: _ours(sizes, attend_every=1, top_k=None, truncation=None),
    "nn.LSTMCell": lambda sizes: CellLoop(sizes.hidden_size),
    "nn.LSTM": lambda sizes: WholeLstm(sizes.hidden_size),
}


def _training_step(encoder: torch.nn.Module, inputs: Tensor, scored: int) -> None:
    """Runs forward, and backward from the last `scored` steps; from all for 0."""
    encoder.zero_grad()
    encoder(inputs)[:, -scored:].square().sum().backward()


def _random_inputs(length: int, batch_size: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch_size, length, _INPUT_SIZE, generator=generator)


# ---- Speed


def speeds(
    encoders: Sequence[str],
    length: int,
    scored: int = 0,
    budget: float = 3.0,
    sizes: Sizes = SIZES,
) -> Dict[str, float]:
    """
    Measures training steps a second of the processor's time, by encoder.

    # Parameters

    encoders : `Sequence[str]`
        Of `ENCODERS`.
    length : `int`
        The steps of a sequence.
    scored : `int`, optional (default = `0`)
        At how many of the last steps there is a gradient; at all for 0.
    budget : `float`, optional (default = `3.0`)
        Seconds for each encoder.
    sizes : `Sizes`, optional (default = `SIZES`)
        What all encoders have in common.
    """
    torch.set_num_threads(1)
    torch.manual_seed(1)
    inputs = _random_inputs(length, sizes.batch_size)
    calls: Dict[str, Callable[[], None]] = {}
    for name in encoders:
        encoder = ENCODERS[name](sizes)
        calls[name] = partial(_training_step, encoder, inputs, scored)
        calls[name]()
    timings = race(calls, budget, clock(threads=1))
    return {name: 1 / timing.seconds for name, timing in timings.items()}


def attentive_steps(budget: float, length: int = 200) -> List[Metric]:
    """
    Measures how many times as many training steps a second the attentive encoder takes as a loop
    over `torch.nn.LSTMCell`, with a gradient at the last ten steps and at all; on one thread.
    """
    encoder, loop = "sparse_attentive", "nn.LSTMCell"
    threads = torch.get_num_threads()
    metrics = []
    try:
        for scored, number in _SCORED.items():
            rates = speeds([encoder, loop], length, number, budget)
            detail = f"{rates[encoder]:.1f} steps/s, {loop} {rates[loop]:.1f}; {length} steps"
            ratio = rates[encoder] / rates[loop]
            metrics.append(Metric("attentive_step", f"scored: {scored}", ratio, RATIO, detail))
    finally:
        torch.set_num_threads(threads)
    return metrics


# ---- Memory

_SCORED_FOR_PEAKS = 10


def peaks(
    encoders: Sequence[str], lengths: Sequence[int], sizes: Sizes = SIZES
) -> Dict[str, Dict[int, int]]:
    """Measures the peak memory of a training step, by encoder and length, in bytes."""
    return {
        name: {length: _peak_in_fresh_process(name, length, sizes) for length in lengths}
        for name in encoders
    }


def growth(by_length: Dict[int, int]) -> float:
    """Returns the bytes for a further step of all instances, between the two longest sequences;
    NaN where there is but one length."""
    if len(by_length) < 2:
        return float("nan")
    (shorter, less), (longer, more) = sorted(by_length.items())[-2:]
    return (more - less) / (longer - shorter)


def measure_peak(name: str, length: int, sizes: Sizes = SIZES) -> int:
    """Returns by how many bytes a training step raises the peak of this process, after a step on a
    short sequence, which loads what is needed."""
    torch.manual_seed(1)
    encoder = ENCODERS[name](sizes)
    short = _random_inputs(2 * _SCORED_FOR_PEAKS, sizes.batch_size)
    _training_step(encoder, short, _SCORED_FOR_PEAKS)
    inputs = _random_inputs(length, sizes.batch_size)
    reset_peak_memory()
    before = peak_memory()
    _training_step(encoder, inputs, _SCORED_FOR_PEAKS)
    return peak_memory() - before


def _peak_in_fresh_process(name: str, length: int, sizes: Sizes) -> int:
    command = [sys.executable, "-m", "benchmarks.attentive", "--measure-peak", name, str(length)]
    for size, option in _OPTIONS.items():
        command += [option, str(getattr(sizes, size))]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


if __name__ == "__main__":
    main()
