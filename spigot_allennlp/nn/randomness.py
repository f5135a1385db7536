"""
Random numbers for kernels, from a seed that torch's generator has drawn.

The generator is SplitMix64 ([Steele et al., 2014](https://doi.org/10.1145/2714064.2660195)): its
state is a 64-bit number, here in an array of one, so that a kernel can move it on.
"""

import numpy
import torch
from torch import Tensor

from spigot_allennlp.nn.compilation import kernel

GAMMA = numpy.uint64(0x9E3779B97F4A7C15)
FIRST_FACTOR, SECOND_FACTOR = numpy.uint64(0xBF58476D1CE4E5B9), numpy.uint64(0x94D049BB133111EB)
FIRST_SHIFT, SECOND_SHIFT, THIRD_SHIFT = numpy.uint64(30), numpy.uint64(27), numpy.uint64(31)
TO_52_BITS = numpy.uint64(12)


def seeds(number: int) -> Tensor:
    """So many seeds, as integers of 64 bits."""
    return torch.randint(-(2**63), 2**63 - 1, (number,))


@kernel
def uniform(seed):
    """
    A number from 0 (inclusive) to 1 (exclusive), of 52 bits: so many that a product with it is
    less than the other factor also after rounding.
    """
    seed[0] += GAMMA
    return (uniform_bits(seed[0]) >> TO_52_BITS) * 2.0**-52


@kernel
def uniform_bits(state):
    """What the generator makes of a state: 64 bits."""
    bits = (state ^ (state >> FIRST_SHIFT)) * FIRST_FACTOR
    bits = (bits ^ (bits >> SECOND_SHIFT)) * SECOND_FACTOR
    return bits ^ (bits >> THIRD_SHIFT)


@kernel
def add_up(weights):
    """Makes of `weights` what `pick` wants, in their place."""
    for index in range(1, len(weights)):
        weights[index] += weights[index - 1]


@kernel
def pick(weights, seed):
    """
    An index, in proportion to what the cumulative `weights` grow by there; -1 if they stay zero.
    The last of them must not be so small (below 1e-307) that it has fewer bits than others.
    """
    last = len(weights) - 1
    if not weights[last] > 0:
        return -1
    mark = uniform(seed) * weights[last]
    low, high = 0, last
    while low < high:
        middle = (low + high) // 2
        if weights[middle] > mark:
            high = middle
        else:
            low = middle + 1
    return low
