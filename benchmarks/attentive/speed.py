"""How many training steps a second, in turns in one process."""

from typing import Dict, Sequence

import torch

from benchmarks.attentive.encoders import ENCODERS, random_inputs, training_step
from benchmarks.timing import clock, race


def speeds(
    encoders: Sequence[str], length: int, scored: int = 0, budget: float = 3.0
) -> Dict[str, float]:
    """
    By encoder, steps a second of the processor's time, of which `budget` is each encoder's.
    `scored`: at how many of the last steps there is a gradient; at all for 0.
    """
    torch.set_num_threads(1)
    torch.manual_seed(1)
    inputs = random_inputs(length)
    calls = {}
    for name in encoders:
        encoder = ENCODERS[name]()
        calls[name] = lambda encoder=encoder: training_step(encoder, inputs, scored)
        calls[name]()
    timings = race(calls, budget, clock(threads=1))
    return {name: 1 / timing.seconds for name, timing in timings.items()}
