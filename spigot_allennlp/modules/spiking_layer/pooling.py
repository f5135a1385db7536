"""Spiking neurons that add up the spikes of a tile of the inputs."""

from typing import Sequence

from spigot_allennlp.modules.spiking_layer.spiking_layer import SpikingLayer, image_shape
from spigot_allennlp.nn.spiking.connection import pooling
from spigot_allennlp.nn.spiking.neurons import Neurons


@SpikingLayer.register("pooling")
class Pooling(SpikingLayer):
    """
    All weights are one, and are not trained. HM2-BP divides by the area of a tile here, not by the
    threshold, as in the authors' code.

    Registered as a `SpikingLayer` with name "pooling".

    # Parameters

    input_shape : `Sequence[int]`
        Height, width and channels. Not given in a config: the layer before knows it.
    size : `int`
        Height and width of a tile. At the lower and right border tiles may be cut off.
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
        shape = image_shape("pooling", input_shape, size)
        neurons = Neurons(threshold, membrane_time, synapse_time, refractory)
        output_shape = -(-shape[0] // size), -(-shape[1] // size), shape[2]
        super().__init__(pooling(shape, size), neurons, output_shape, divisor=size * size)
