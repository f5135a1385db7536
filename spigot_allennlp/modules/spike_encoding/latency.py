"""The stronger, the sooner: one spike for each source."""

from typing import Optional

from allennlp.common.checks import ConfigurationError
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.modules.spike_encoding.spike_encoding import SpikeEncoding, intensities


@SpikeEncoding.register("latency")
class Latency(SpikeEncoding):
    """
    A source of intensity 1 spikes in the first step, one of `threshold` in the last, the others
    linearly between, and one below `threshold` never. Intensities are between 0 and 1 (or bytes),
    `(batch_size, num_inputs)`.

    Registered as a `SpikeEncoding` with name "latency".

    # Parameters

    num_steps : `int`
    threshold : `float`, optional (default = `0.1`)
    """

    def __init__(self, num_steps: int, threshold: float = 0.1) -> None:
        super().__init__(num_steps)
        if not 0 <= threshold < 1:
            raise ConfigurationError(f"threshold must be in [0, 1) but found {threshold}.")
        self._threshold = threshold

    def forward(self, inputs: Tensor, samples: Optional[LongTensor] = None) -> BoolTensor:
        del samples
        strength = intensities(inputs).flatten(1).clamp(max=1)
        share = (1 - strength) / (1 - self._threshold)
        steps = (share * (self.num_steps - 1)).round().long().clamp(max=self.num_steps - 1)
        present = (strength >= self._threshold) & (strength > 0)
        spikes = present.new_zeros(len(inputs), self.num_steps, steps.size(1))
        return spikes.scatter(1, steps.unsqueeze(1), present.unsqueeze(1))
