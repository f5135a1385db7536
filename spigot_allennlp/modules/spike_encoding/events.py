"""Events that are spikes already, brought into steps of time."""

from typing import Optional

from allennlp.common.checks import ConfigurationError
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.modules.spike_encoding.spike_encoding import SpikeEncoding


@SpikeEncoding.register("events")
class Events(SpikeEncoding):
    """
    Of several events of a source in a step one is left; what comes after the last step is cut off.

    Registered as a `SpikeEncoding` with name "events".

    # Parameters

    num_steps : `int`, optional (default = `540`)
    step_width : `int`, optional (default = `600`)
        In the units of the events, microseconds for N-MNIST.
    num_inputs : `int`, optional (default = `2312`)
        Of sources: 34 x 34 x 2 for N-MNIST.
    """

    def __init__(self, num_steps: int = 540, step_width: int = 600, num_inputs: int = 2312) -> None:
        super().__init__(num_steps)
        if step_width < 1:
            raise ConfigurationError(f"step_width must be at least 1 but found {step_width}.")
        self._step_width = step_width
        self._num_inputs = num_inputs

    def forward(self, inputs: Tensor, samples: Optional[LongTensor] = None) -> BoolTensor:
        """`inputs` have shape `(batch_size, num_events, 2)`: time and source, -1 for padding."""
        del samples
        times, sources = inputs.long().unbind(dim=2)
        if sources.numel() and int(sources.max()) >= self._num_inputs:
            raise ConfigurationError(
                f"An event comes from source {int(sources.max())}, but num_inputs is "
                f"{self._num_inputs}; sources count from 0."
            )
        steps = times.div(self._step_width, rounding_mode="floor")
        kept = (sources >= 0) & (steps < self.num_steps)
        spikes = kept.new_zeros(len(inputs), self.num_steps, self._num_inputs)
        sample = kept.nonzero()[:, 0]
        spikes[sample, steps[kept], sources[kept]] = True
        return spikes
