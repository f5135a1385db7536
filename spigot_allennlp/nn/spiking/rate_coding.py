"""
Numbers as rates: in each step a source spikes with a probability of its own.

Whether it does follows from a seed for the sample, the step and the source alone, so that the same
seed gives the same spikes, on every device and whatever else is in the batch. The random number is
that of SplitMix64 ([Steele et al., 2014](https://doi.org/10.1145/2714064.2660195)), whose state is
a counter.
"""

import torch
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.nn.devices import has_kernels
from spigot_allennlp.nn.randomness import advance, random_bits
from spigot_allennlp.nn.tensor_checks import FLOATS, INTEGERS, Argument, Signature

_SAMPLES = Signature(
    Argument("probabilities", FLOATS, ("batch_size", "frames", "num_sources")),
    Argument("seeds", INTEGERS, ("batch_size",)),
)
_BOUNDS = Signature(
    Argument("bounds", INTEGERS, ("batch_size", "frames", "num_sources")),
    Argument("seeds", INTEGERS, ("batch_size",)),
)

# Probabilities are compared in so many bits.
BITS = 32


def draw_spikes(probabilities: Tensor, steps_per_frame: int, seeds: LongTensor) -> BoolTensor:
    """
    # Parameters

    probabilities : `Tensor`
        Shape `(batch_size, frames, num_sources)`, from 0 to 1.
    steps_per_frame : `int`
    seeds : `LongTensor`
        Shape `(batch_size,)`.

    # Returns

    `BoolTensor`
        Shape `(batch_size, frames * steps_per_frame, num_sources)`.
    """
    _SAMPLES.check(probabilities, seeds)
    bounds = (probabilities.double().clamp(0, 1) * 2**BITS).long()
    if not has_kernels(bounds.device):
        return draw_by_tensors(bounds, steps_per_frame, seeds)
    from spigot_allennlp.nn.spiking import (
        rate_coding_processor,  # numba takes its time to be imported
    )

    return rate_coding_processor.draw(bounds, steps_per_frame, seeds)


def draw_by_tensors(bounds: LongTensor, steps_per_frame: int, seeds: LongTensor) -> BoolTensor:
    """As `draw_spikes`, in vectorised torch; `bounds` are probabilities times `2**BITS`."""
    _BOUNDS.check(bounds, seeds)
    frames, num_sources = bounds.shape[1:]
    size = frames * steps_per_frame * num_sources
    steps = torch.arange(1, size + 1, device=bounds.device)
    bits = random_bits(advance(seeds.unsqueeze(1), steps))
    numbers = ((bits >> BITS) & (2**BITS - 1)).reshape(len(bounds), -1, num_sources)
    return numbers < bounds.repeat_interleave(steps_per_frame, dim=1)
