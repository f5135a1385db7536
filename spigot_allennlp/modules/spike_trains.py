"""The spikes of a layer, and how often each of its neurons fired."""

from dataclasses import dataclass

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.spiking.counts import firing_counts


@dataclass(frozen=True)
class SpikeTrains:
    """
    # Parameters

    spikes : `Tensor`
        Shape `(batch_size, steps, num_neurons)`; truth values, or zeros and ones that may have a
        gradient.
    counts : `Tensor`
        Shape `(batch_size, num_neurons)`: how often each neuron fired. May have a gradient.
    """

    spikes: Tensor
    counts: Tensor

    @classmethod
    def of(cls, spikes: Tensor) -> "SpikeTrains":
        """With their counts; differentiable, if the spikes are."""
        if spikes.is_floating_point():
            return cls(spikes, spikes.sum(dim=1))
        return cls(spikes, firing_counts(spikes, torch.float))

    @property
    def fired(self) -> BoolTensor:
        """The spikes as truth values."""
        return self.spikes if self.spikes.dtype == torch.bool else self.spikes.detach() > 0.5

    def differentiable(self) -> Tensor:
        """
        The spikes as floats. Where only the counts have a gradient, that of a count is the mean
        over the steps of that of the spikes: so that a sum over the steps is differentiated as the
        count is.
        """
        if self.spikes.is_floating_point():
            return self.spikes
        silent = (self.counts - self.counts.detach()) / self.spikes.size(1)
        return self.spikes.to(self.counts.dtype) + silent.unsqueeze(1)
