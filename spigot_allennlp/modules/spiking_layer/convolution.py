"""Maps of spiking neurons that see a window of the inputs each, all by the same weights."""

from typing import Sequence

from spigot_allennlp.modules.spiking_layer.spiking_layer import SpikingLayer, image_shape
from spigot_allennlp.nn.spiking.connection import convolution
from spigot_allennlp.nn.spiking.neurons import Neurons


@SpikingLayer.register("convolution")
class Convolution(SpikingLayer):
    """
    Registered as a `SpikingLayer` with name "convolution".

    # Parameters

    input_shape : `Sequence[int]`
        Height, width and channels. Not given in a config: the layer before knows it.
    channels : `int`
        The number of maps.
    size : `int`
        Height and width of a window. Windows stay inside the inputs.
    threshold, membrane_time, synapse_time, refractory
        See `Neurons`.
    weight_range : `float`, optional (default = `0.5`)
        Weights are drawn between minus this and this.
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
        shape = image_shape("convolution", input_shape, size)
        neurons = Neurons(threshold, membrane_time, synapse_time, refractory)
        output_shape = shape[0] - size + 1, shape[1] - size + 1, channels
        connection = convolution(shape, channels, size)
        super().__init__(connection, neurons, output_shape, weight_range)
