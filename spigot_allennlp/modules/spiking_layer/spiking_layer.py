"""A layer of spiking neurons: what it is, not how it is differentiated."""

from typing import Optional, Sequence, Tuple

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError
from torch import Tensor

from spigot_allennlp.nn.spiking.connection import Connection
from spigot_allennlp.nn.spiking.neurons import Neurons


class SpikingLayer(torch.nn.Module, Registrable):
    """
    Neurons (see `Neurons` for how they behave) and the weights of their inputs. A `SpikingGradient`
    runs it.

    # Parameters

    connection : `Connection`
    neurons : `Neurons`
    output_shape : `Sequence[int]`
        Of one step of a sample: `[units]`, or `[height, width, channels]`.
    weight_range : `float`, optional
        Weights are drawn between minus this and this. If there is none, all are one, and stay so.
    divisor : `float`, optional (default = the threshold)
        By what HM2-BP divides the gradient of a count.
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
        check_neurons(neurons)
        self.connection = connection
        self.neurons = neurons
        self.output_shape = tuple(output_shape)
        self.divisor = neurons.threshold if divisor is None else divisor
        weight = torch.ones(connection.num_rows, connection.width)
        if weight_range is None:
            self.register_buffer("weight", weight)
        else:
            self.weight = torch.nn.Parameter(weight.uniform_(-weight_range, weight_range))


def check_neurons(neurons: Neurons) -> None:
    """
    # Raises

    `ConfigurationError` if no neuron can be like this.
    """
    if not neurons.threshold > 0:
        raise ConfigurationError(f"threshold must be positive but found {neurons.threshold}.")
    if not 1 < neurons.synapse_time < neurons.membrane_time:
        raise ConfigurationError(
            "1 < synapse_time < membrane_time (in steps) must hold but found synapse_time "
            f"{neurons.synapse_time} and membrane_time {neurons.membrane_time}."
        )
    if neurons.refractory < 0:
        raise ConfigurationError(f"refractory must not be negative but found {neurons.refractory}.")


def image_shape(layer: str, input_shape: Sequence[int], size: int) -> Tuple[int, int, int]:
    """
    Height, width and channels of the inputs of a layer with windows of `size`.

    # Raises

    `ConfigurationError` if there are no such, or no window fits in.
    """
    if len(input_shape) != 3:
        raise ConfigurationError(
            f"{layer} needs inputs of shape [height, width, channels] but found "
            f"{list(input_shape)}. Put it before the fully connected layers, and give the network "
            "such an input_shape."
        )
    height, width, channels = input_shape
    if not 1 <= size <= min(height, width):
        raise ConfigurationError(
            f"size of {layer} must be between 1 and {min(height, width)}, the extent of its inputs,"
            f" but found {size}."
        )
    return height, width, channels
