"""
The peak memory of a training step against the length of the sequence, each in a fresh process.

Run as `python -m benchmarks.attentive.peaks ENCODER LENGTH`, it is that process, and prints by how
many bytes the step has raised the peak.
"""

import subprocess
import sys
from typing import Dict, Sequence

SCORED = 10


def peaks(encoders: Sequence[str], lengths: Sequence[int]) -> Dict[str, Dict[int, int]]:
    """By encoder and length, in bytes."""
    return {
        name: {length: _in_fresh_process(name, length) for length in lengths} for name in encoders
    }


def growth(by_length: Dict[int, int]) -> float:
    """Bytes for a further step of all instances: between the two longest sequences."""
    (shorter, less), (longer, more) = sorted(by_length.items())[-2:]
    return (more - less) / (longer - shorter)


def measure(name: str, length: int) -> int:
    """In this process, after a step on a short sequence, which loads what is needed."""
    import torch

    from benchmarks import memory
    from benchmarks.attentive.encoders import ENCODERS, random_inputs, training_step

    torch.manual_seed(1)
    encoder = ENCODERS[name]()
    training_step(encoder, random_inputs(2 * SCORED), SCORED)
    inputs = random_inputs(length)
    memory.forget_peak()
    before = memory.peak()
    training_step(encoder, inputs, SCORED)
    return memory.peak() - before


def _in_fresh_process(name: str, length: int) -> int:
    command = [sys.executable, "-m", __name__, name, str(length)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


if __name__ == "__main__":
    print(measure(sys.argv[1], int(sys.argv[2])))
