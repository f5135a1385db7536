"""Defines layers of spiking neurons, which `SpikingGradient` runs, and the spikes between them."""

import math
from dataclasses import dataclass
from typing import Optional, Sequence

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError
from torch import BoolTensor, Tensor

from spigot_allennlp.config_checks import check_least, check_positive
from spigot_allennlp.nn.spiking.connection import (
    Connection,
    ImageShape,
    all_to_all,
    convolution,
    pooling,
)
from spigot_allennlp.nn.spiking.neurons import Neurons
from spigot_allennlp.nn.spiking.simulation import firing_counts


@dataclass(frozen=True)
class SpikeTrains:
    """
    The spikes of a layer, and how often each of its neurons fired.

    # Parameters

    spikes : `Tensor`
        Shape `(batch_size, steps, num_neurons)`; truth values, or zeros and ones that may have a
        gradient.
    counts : `Tensor`
        The firing counts, shape `(batch_size, num_neurons)`, at least in single precision. May have
        a gradient.
    """

    spikes: Tensor
    counts: Tensor

    @classmethod
    def of(cls, spikes: Tensor) -> "SpikeTrains":
        """Counts `spikes`; the counts are differentiable if the spikes are."""
        if spikes.is_floating_point():
            dtype = torch.promote_types(spikes.dtype, torch.float)
            return cls(spikes, spikes.sum(dim=1, dtype=dtype))
        return cls(spikes, firing_counts(spikes, torch.float))

    @property
    def fired(self) -> BoolTensor:
        """Returns the spikes as truth values."""
        return self.spikes if self.spikes.dtype == torch.bool else self.spikes.detach() > 0.5

    def differentiable(self, mask: Optional[BoolTensor] = None) -> Tensor:
        """
        Returns the spikes as floats. If only the counts have a gradient, the gradient of a count is
        the mean over the steps of the gradients of its spikes, so that a sum over the steps is
        differentiated like the count. The steps are those of the `mask`, `(batch_size, steps)`, if
        there is one.
        """
        if self.spikes.is_floating_point():
            return self.spikes
        # zero, but with the gradient of a step's share of the counts
        zero = (self.counts - self.counts.detach()).unsqueeze(1)
        if mask is None:
            per_step = zero / self.spikes.size(1)
        else:
            # (batch_size, steps, 1)
            shares = mask.to(zero.dtype) / mask.sum(1, keepdim=True).clamp(min=1)
            per_step = zero * shares.unsqueeze(2)
        return self.spikes.to(self.counts.dtype) + per_step


class SpikingLayer(torch.nn.Module, Registrable):
    """
    A layer of neurons (see `Neurons` for how they behave) and the weights of their inputs.

    # Parameters

    connection : `Connection`
    neurons : `Neurons`
    output_shape : `Sequence[int]`
        The shape of one step of a sample: `[units]` or `[height, width, channels]`.
    weight_range : `float`, optional
        Weights are sampled uniformly between `-weight_range` and `weight_range`. By default all are
        one and stay fixed.
    divisor : `float`, optional (default = the threshold)
        HM2-BP divides the gradient of a count by this number.
    """

    weight: Tensor

    def __init__(
        self,
        connection: Connection,
        neurons: Neurons,
        output_shape: Sequence[int],
        weight_range: Optional[float] = None,
        divisor: Optional[float] = None,
    ) -> None:
        super().__init__()
        _check_neurons(neurons)
        self.connection = connection
        self.neurons = neurons
        self.output_shape = tuple(output_shape)
        self.divisor = neurons.threshold if divisor is None else divisor
        check_positive(weight_range=weight_range)
        weight = torch.ones(connection.num_rows, connection.width)
        if weight_range is None:
            self.register_buffer("weight", weight)
        else:
            self.weight = torch.nn.Parameter(weight.uniform_(-weight_range, weight_range))


@SpikingLayer.register("fully_connected")
class FullyConnected(SpikingLayer):
    """
    Connects each neuron to all inputs.

    Registered as a `SpikingLayer` with name "fully_connected".

    # Parameters

    input_shape : `Sequence[int]`
        Given by the network, not by the config.
    units : `int`
    threshold, membrane_time, synapse_time, refractory, inhibition
        See `Neurons`. The inhibition is for output layers, as a rule.
    weight_range : `float`, optional (default = `1.0`)
        See `SpikingLayer`.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        units: int,
        threshold: float,
        membrane_time: float = 64.0,
        synapse_time: float = 8.0,
        refractory: int = 2,
        inhibition: float = 0.0,
        weight_range: float = 1.0,
    ) -> None:
        check_least(1, units=units)
        neurons = Neurons(threshold, membrane_time, synapse_time, refractory, inhibition)
        super().__init__(all_to_all(math.prod(input_shape), units), neurons, [units], weight_range)


@SpikingLayer.register("convolution")
class Convolution(SpikingLayer):
    """
    Connects each neuron of a map to a window of the inputs; all share the same weights.

    Registered as a `SpikingLayer` with name "convolution".

    # Parameters

    input_shape : `Sequence[int]`
        Height, width and channels. Given by the network, not by the config.
    channels : `int`
        The number of maps.
    size : `int`
        Height and width of a window. Windows stay inside the inputs.
    threshold, membrane_time, synapse_time, refractory
        See `Neurons`.
    weight_range : `float`, optional (default = `0.5`)
        See `SpikingLayer`.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        channels: int,
        size: int,
        threshold: float,
        membrane_time: float = 64.0,
        synapse_time: float = 8.0,
        refractory: int = 2,
        weight_range: float = 0.5,
    ) -> None:
        check_least(1, channels=channels)
        shape = _image_shape("convolution", input_shape, size)
        neurons = Neurons(threshold, membrane_time, synapse_time, refractory)
        output_shape = shape.height - size + 1, shape.width - size + 1, channels
        connection = convolution(shape, channels, size)
        super().__init__(connection, neurons, output_shape, weight_range)


@SpikingLayer.register("pooling")
class Pooling(SpikingLayer):
    """
    Connects each neuron to a tile of the inputs, channel by channel. All weights are one and are
    not trained. As in the authors' code, HM2-BP divides by the area of a tile here, not by the
    threshold.

    Registered as a `SpikingLayer` with name "pooling".

    # Parameters

    input_shape : `Sequence[int]`
        Height, width and channels. Given by the network, not by the config.
    size : `int`
        Height and width of a tile. Tiles may be cut off at the lower and right borders.
    threshold, membrane_time, synapse_time, refractory
        See `Neurons`.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        size: int,
        threshold: float,
        membrane_time: float = 64.0,
        synapse_time: float = 8.0,
        refractory: int = 2,
    ) -> None:
        shape = _image_shape("pooling", input_shape, size)
        neurons = Neurons(threshold, membrane_time, synapse_time, refractory)
        output_shape = -(-shape.height // size), -(-shape.width // size), shape.channels
        super().__init__(pooling(shape, size), neurons, output_shape, divisor=size * size)


def _check_neurons(neurons: Neurons) -> None:
    """
    Checks the constants of neurons.

    # Raises

    `ConfigurationError` if the constants are invalid.
    """
    check_positive(threshold=neurons.threshold)
    check_least(0, refractory=neurons.refractory, inhibition=neurons.inhibition)
    if not 1 < neurons.synapse_time < neurons.membrane_time < math.inf:
        raise ConfigurationError(
            "1 < synapse_time < membrane_time < infinity (in steps) must hold but found "
            f"synapse_time {neurons.synapse_time} and membrane_time {neurons.membrane_time}."
        )
    if neurons.refractory > 4 * neurons.membrane_time:
        raise ConfigurationError(
            "refractory must be at most four times membrane_time, for which a spike counts, but "
            f"found refractory {neurons.refractory} and membrane_time {neurons.membrane_time}."
        )


def _image_shape(layer: str, input_shape: Sequence[int], size: int) -> ImageShape:
    """
    Returns the shape of the inputs of a layer with windows of `size`.

    # Raises

    `ConfigurationError` if the inputs are not an image, or if no window fits into them.
    """
    if len(input_shape) != 3:
        raise ConfigurationError(
            f"{layer} needs inputs of shape [height, width, channels] but found "
            f"{list(input_shape)}. Put it before the fully connected layers, and give the network "
            "such an input_shape."
        )
    shape = ImageShape(*input_shape)
    most = min(shape.height, shape.width)
    if not 1 <= size <= most:
        raise ConfigurationError(
            f"size of {layer} must be between 1 and {most}, the extent of its inputs,"
            f" but found {size}."
        )
    return shape
