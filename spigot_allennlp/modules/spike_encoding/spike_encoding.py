"""How numbers become spikes."""

from typing import Optional

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError
from torch import BoolTensor, LongTensor, Tensor


class SpikeEncoding(torch.nn.Module, Registrable):
    """
    # Parameters

    num_steps : `int`
        Of time, the same for all samples.
    """

    def __init__(self, num_steps: int) -> None:
        super().__init__()
        if num_steps < 2:
            raise ConfigurationError(f"num_steps must be at least 2 but found {num_steps}.")
        self.num_steps = num_steps

    def forward(self, inputs: Tensor, samples: Optional[LongTensor] = None) -> BoolTensor:
        """
        # Parameters

        inputs : `Tensor`
            What the reader gives, `(batch_size, ...)`.
        samples : `LongTensor`, optional
            Shape `(batch_size,)`: the number of each sample in its data set.

        # Returns

        `BoolTensor`
            Shape `(batch_size, num_steps, num_inputs)`.
        """
        raise NotImplementedError


def intensities(inputs: Tensor) -> Tensor:
    """From 0 to 1, single precision: bytes are divided by 255, and floats left as they are."""
    return inputs.float() / 255 if inputs.dtype == torch.uint8 else inputs.float()
