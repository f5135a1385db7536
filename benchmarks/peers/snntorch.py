"""
snnTorch ([Eshraghian et al., 2023](https://arxiv.org/abs/2109.12894)): neurons with a synapse each,
unrolled in time by autograd.
"""

from typing import List

import snntorch
import torch
from snntorch import surrogate
from torch import Tensor

VERSION = snntorch.__version__


class Perceptron(torch.nn.Module):
    """
    Fully connected layers of `sizes`, of the thresholds given. The decay of membrane and synapse is
    that of time constants in steps.
    """

    def __init__(
        self, sizes: List[int], thresholds: List[float], membrane_time: float, synapse_time: float
    ) -> None:
        super().__init__()
        pairs = zip(sizes[:-1], sizes[1:], strict=True)
        self.weights = torch.nn.ModuleList(torch.nn.Linear(*pair, bias=False) for pair in pairs)
        self.neurons = torch.nn.ModuleList(
            snntorch.Synaptic(
                alpha=1 - 1 / synapse_time,
                beta=1 - 1 / membrane_time,
                threshold=threshold * synapse_time,  # their current enters whole
                spike_grad=surrogate.fast_sigmoid(),
                reset_mechanism="zero",
            )
            for threshold in thresholds
        )

    def forward(self, spikes: Tensor) -> Tensor:
        """Firing counts, `(batch_size, classes)`, given spikes `(batch_size, steps, inputs)`."""
        states = [neurons.init_synaptic() for neurons in self.neurons]
        counts = torch.zeros(())
        for step in range(spikes.size(1)):
            fired = spikes[:, step]
            for layer, (weights, neurons) in enumerate(
                zip(self.weights, self.neurons, strict=True)
            ):
                fired, *states[layer] = neurons(weights(fired), *states[layer])
            counts = counts + fired
        return counts
