"""
Random numbers that are determined by a seed, on every device.

The generator is SplitMix64 ([Steele et al., 2014](https://doi.org/10.1145/2714064.2660195)), with a
64-bit counter as state, which grows by `GAMMA`. This module is for tensors; `splitmix64` in
`sampling.py` is the same for kernels.
"""

import torch
from torch import LongTensor

GAMMA = 0x9E3779B97F4A7C15
FIRST_FACTOR, SECOND_FACTOR = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
FIRST_SHIFT, SECOND_SHIFT, THIRD_SHIFT = 30, 27, 31


def random_bits(states: LongTensor) -> LongTensor:
    """Returns the 64 random bits of each state, in the shape of `states`."""
    # signed integers wrap around like unsigned ones
    bits = (states ^ _shift_right(states, FIRST_SHIFT)) * (FIRST_FACTOR - 2**64)
    bits = (bits ^ _shift_right(bits, SECOND_SHIFT)) * (SECOND_FACTOR - 2**64)
    return bits ^ _shift_right(bits, THIRD_SHIFT)


def _shift_right(bits: LongTensor, shift: int) -> LongTensor:
    """Shifts `bits` and fills with zeros; `>>` alone would extend the sign."""
    return (bits >> shift) & (2 ** (64 - shift) - 1)


def advance(seeds: LongTensor, steps: LongTensor) -> LongTensor:
    """Returns the states of generators that start at `seeds` after this many `steps`."""
    return seeds + steps * (GAMMA - 2**64)


def seeds(count: int) -> LongTensor:
    """Returns `count` seeds from torch's generator, shape `(count,)`, on the CPU."""
    return torch.randint(-(2**63), 2**63 - 1, (count,), device="cpu")
