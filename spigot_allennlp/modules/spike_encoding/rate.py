"""The stronger, the more often: spikes with a probability in proportion to the intensity."""

from typing import Optional

import torch
from allennlp.common.checks import ConfigurationError
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.modules.spike_encoding.spike_encoding import SpikeEncoding, intensities
from spigot_allennlp.nn.spiking.rate_coding import draw_spikes

# An odd number, lest samples whose numbers are near have seeds that are (Knuth's for 64 bits).
FACTOR = 6364136223846793005


@SpikeEncoding.register("rate")
class Rate(SpikeEncoding):
    """
    In every step a source spikes with probability `max_rate` times its intensity, which is between
    0 and 1 (or a byte). Intensities may change: of inputs `(batch_size, frames, num_inputs)` each
    frame lasts equally long, `num_steps // frames` steps.

    Registered as a `SpikeEncoding` with name "rate".

    # Parameters

    num_steps : `int`
    max_rate : `float`, optional (default = `1 / 5.5`)
        Spikes in a step, from 0 to 1. The default is that of
        [Jin, Zhang & Li (2018)](https://arxiv.org/abs/1805.07866) for MNIST.
    seed : `int`, optional
        If given, a sample has the same spikes whenever it comes. If not, it has new ones.
    """

    def __init__(
        self, num_steps: int, max_rate: float = 1 / 5.5, seed: Optional[int] = None
    ) -> None:
        super().__init__(num_steps)
        if not 0 < max_rate <= 1:
            raise ConfigurationError(f"max_rate must be in (0, 1] but found {max_rate}.")
        self._max_rate = max_rate
        self._seed = seed

    def forward(self, inputs: Tensor, samples: Optional[LongTensor] = None) -> BoolTensor:
        frames = intensities(inputs) if inputs.dim() == 3 else intensities(inputs).unsqueeze(1)
        if frames.size(1) > self.num_steps:
            raise ConfigurationError(
                f"A sample has {frames.size(1)} frames, more than there are steps, "
                f"{self.num_steps}. Raise num_steps, or have the reader give fewer frames."
            )
        seeds = self._seeds(samples, inputs)
        spikes = draw_spikes(frames * self._max_rate, self.num_steps // frames.size(1), seeds)
        rest = self.num_steps - spikes.size(1)
        return torch.nn.functional.pad(spikes, (0, 0, 0, rest)) if rest else spikes

    def _seeds(self, samples: Optional[LongTensor], inputs: Tensor) -> LongTensor:
        if self._seed is None:
            return torch.randint(-(2**63), 2**63 - 1, (len(inputs),), device=inputs.device)
        if samples is None:
            raise ConfigurationError(
                "The rate encoding has a seed, but the samples no numbers, by which it would tell "
                "them apart. Let the reader give each a number (`sample` in its metadata), or "
                "leave the seed out."
            )
        return samples * FACTOR + self._seed
