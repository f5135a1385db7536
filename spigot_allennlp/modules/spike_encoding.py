"""Encodes numbers as spikes, by rate or by latency, and events, which already are spikes."""

from typing import Optional

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.config_checks import check_interval, check_least
from spigot_allennlp.nn.spiking.rate_coding import sample_spikes

# An odd number, so that samples with close numbers get distant seeds (Knuth's, for 64 bits).
FACTOR = 6364136223846793005


class SpikeEncoding(torch.nn.Module, Registrable):
    """
    Turns the numbers from a reader into spikes.

    # Parameters

    num_steps : `int`
        The number of time steps, the same for all samples.
    """

    def __init__(self, num_steps: int) -> None:
        super().__init__()
        check_least(2, num_steps=num_steps)
        self.num_steps = num_steps

    def forward(self, inputs: Tensor, samples: Optional[LongTensor] = None) -> BoolTensor:
        """
        Returns the spikes of a network's inputs.

        # Parameters

        inputs : `Tensor`
            The numbers from the reader, `(batch_size, ...)`.
        samples : `LongTensor`, optional
            Shape `(batch_size,)`: the number of each sample in its data set.

        # Returns

        `BoolTensor`
            Shape `(batch_size, num_steps, num_inputs)`.
        """
        raise NotImplementedError


@SpikeEncoding.register("rate")
class RateEncoding(SpikeEncoding):
    """
    Strong sources spike often: in every step a source spikes with probability `max_rate` times its
    intensity, a float from 0 to 1 (or a byte, uint8). Intensities may change over time: in inputs
    `(batch_size, frames, num_inputs)`, every frame lasts `num_steps // frames` steps. All samples
    from a reader must have the same number of frames, because frames that pad a sample count as its
    own.

    Registered as a `SpikeEncoding` with name "rate".

    # Parameters

    num_steps : `int`
    max_rate : `float`, optional (default = `1 / 5.5`)
        Spikes per step, from 0 to 1. The default is that of
        [Jin, Zhang & Li (2018)](https://arxiv.org/abs/1805.07866) for MNIST.
    seed : `int`, optional
        With a seed, a sample has the same spikes in every epoch; without a seed, it has new ones.
    """

    def __init__(
        self, num_steps: int, max_rate: float = 1 / 5.5, seed: Optional[int] = None
    ) -> None:
        super().__init__(num_steps)
        check_interval("(0, 1]", max_rate=max_rate)
        self._max_rate = max_rate
        self._seed = seed

    def forward(self, inputs: Tensor, samples: Optional[LongTensor] = None) -> BoolTensor:
        frames = intensities(inputs) if inputs.dim() == 3 else intensities(inputs).unsqueeze(1)
        if frames.size(1) == 0:
            raise ConfigurationError(
                "The samples have no frames; have the reader give each at least one."
            )
        if frames.size(1) > self.num_steps:
            raise ConfigurationError(
                f"A sample has {frames.size(1)} frames, more than there are steps, "
                f"{self.num_steps}. Raise num_steps, or have the reader give fewer frames."
            )
        seeds = self._seeds(samples, inputs)
        spikes = sample_spikes(frames * self._max_rate, self.num_steps // frames.size(1), seeds)
        missing = self.num_steps - spikes.size(1)
        return torch.nn.functional.pad(spikes, (0, 0, 0, missing)) if missing else spikes

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


@SpikeEncoding.register("latency")
class LatencyEncoding(SpikeEncoding):
    """
    Strong sources spike early: a source of intensity 1 spikes in the first step, a source of
    intensity `threshold` in the last, sources in between at linearly interpolated steps, and
    sources below `threshold` never. Intensities are floats from 0 to 1 (or bytes, uint8),
    `(batch_size, num_inputs)`.

    Registered as a `SpikeEncoding` with name "latency".

    # Parameters

    num_steps : `int`
    threshold : `float`, optional (default = `0.1`)
    """

    def __init__(self, num_steps: int, threshold: float = 0.1) -> None:
        super().__init__(num_steps)
        check_interval("[0, 1)", threshold=threshold)
        self._threshold = threshold

    def forward(self, inputs: Tensor, samples: Optional[LongTensor] = None) -> BoolTensor:
        del samples
        strength = intensities(inputs).flatten(1)
        delay = (1 - strength) / (1 - self._threshold)
        steps = (delay * (self.num_steps - 1)).round().long().clamp(max=self.num_steps - 1)
        present = (strength >= self._threshold) & (strength > 0)
        spikes = present.new_zeros(len(inputs), self.num_steps, steps.size(1))
        return spikes.scatter(1, steps.unsqueeze(1), present.unsqueeze(1))


def intensities(inputs: Tensor) -> Tensor:
    """
    Returns numbers from 0 to 1 in single precision: bytes divided by 255, floats and truth values
    as they are.

    # Raises

    `ConfigurationError` if the numbers are floats outside 0 to 1, or other integers, for which it
    is unclear whether a 1 is the largest or nearly the smallest intensity.
    """
    if inputs.dtype == torch.uint8:
        return inputs.float() / 255
    numbers = inputs.float()
    if numbers.numel() == 0 or inputs.dtype == torch.bool:
        return numbers
    least, largest = (bound.item() for bound in numbers.aminmax())
    if not inputs.is_floating_point() or not (least >= 0 and largest <= 1):
        raise ConfigurationError(
            "Intensities must be floats from 0 to 1, or bytes of type uint8, but found "
            f"{str(inputs.dtype).removeprefix('torch.')} from {least:g} to {largest:g}. Have the "
            "reader give bytes as uint8, or divide by the largest intensity there can be."
        )
    return numbers


@SpikeEncoding.register("events")
class EventEncoding(SpikeEncoding):
    """
    Sorts events into time steps. Several events of a source in one step become a single spike;
    events after the last step are dropped.

    Registered as a `SpikeEncoding` with name "events".

    # Parameters

    num_steps : `int`, optional (default = `540`)
    step_width : `int`, optional (default = `600`)
        In the time unit of the events, microseconds for N-MNIST.
    num_inputs : `int`, optional (default = `2312`)
        The number of sources: 34 x 34 x 2 for N-MNIST.
    """

    def __init__(self, num_steps: int = 540, step_width: int = 600, num_inputs: int = 2312) -> None:
        super().__init__(num_steps)
        check_least(1, step_width=step_width, num_inputs=num_inputs)
        self._step_width = step_width
        self._num_inputs = num_inputs

    def forward(self, inputs: Tensor, samples: Optional[LongTensor] = None) -> BoolTensor:
        """Takes `inputs` `(batch_size, num_events, 2)`: time and source, -1 for padding."""
        del samples
        times, sources = inputs.long().unbind(dim=2)
        if sources.numel() and int(sources.max()) >= self._num_inputs:
            raise ConfigurationError(
                f"An event comes from source {int(sources.max())}, but num_inputs is "
                f"{self._num_inputs}; sources count from 0."
            )
        early = times[(sources >= 0) & (times < 0)]
        if len(early):
            raise ConfigurationError(
                f"An event comes at time {int(early.min())}, but times count from 0. Have the "
                "reader subtract the time at which the recording begins."
            )
        steps = times.div(self._step_width, rounding_mode="floor")
        kept = (sources >= 0) & (steps < self.num_steps)
        spikes = kept.new_zeros(len(inputs), self.num_steps, self._num_inputs)
        sample = kept.nonzero()[:, 0]
        spikes[sample, steps[kept], sources[kept]] = True
        return spikes
