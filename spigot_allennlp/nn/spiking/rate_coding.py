"""
Rate coding of numbers: in each step, a source spikes with its probability.

Whether it spikes depends only on the seed of the sample, the step and the source. So the same seed
gives the same spikes on every device, whatever else is in the batch. Random numbers come from
SplitMix64 ([Steele et al., 2014](https://doi.org/10.1145/2714064.2660195)), which has a counter as
state.
"""

from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.nn.devices import has_kernels
from spigot_allennlp.nn.spiking import torch_fallback
from spigot_allennlp.nn.tensor_checks import FLOATS, INTEGERS, Argument, Signature
from spigot_allennlp.nn.transforms import uncompiled

_SAMPLES = Signature(
    Argument("probabilities", FLOATS, ("batch_size", "frames", "num_sources")),
    Argument("seeds", INTEGERS, ("batch_size",)),
)

# The number of bits in which probabilities are compared.
BITS = 32


@uncompiled
def sample_spikes(probabilities: Tensor, steps_per_frame: int, seeds: LongTensor) -> BoolTensor:
    """
    Samples the spikes of sources with a probability for each frame.

    # Parameters

    probabilities : `Tensor`
        The probability of a spike in a step, shape `(batch_size, frames, num_sources)`, from 0 to
        1.
    steps_per_frame : `int`
    seeds : `LongTensor`
        Shape `(batch_size,)`.

    # Returns

    `BoolTensor`
        Shape `(batch_size, frames * steps_per_frame, num_sources)`.
    """
    _SAMPLES.check(probabilities, seeds)
    bounds = (probabilities.double().clamp(0, 1) * 2**BITS).long()
    if has_kernels(bounds.device):
        from spigot_allennlp.nn.spiking import cpu  # numba is slow to import

        return cpu.sample_spikes(bounds, steps_per_frame, seeds)
    return torch_fallback.sample_spikes(bounds, steps_per_frame, seeds)
