"""A layer of spiking neurons each of which sees all inputs."""

import math
from typing import Sequence

from spigot_allennlp.modules.spiking_layer.spiking_layer import SpikingLayer
from spigot_allennlp.nn.spiking.connection import all_to_all
from spigot_allennlp.nn.spiking.neurons import Neurons


@SpikingLayer.register("fully_connected")
class FullyConnected(SpikingLayer):
    """
    Registered as a `SpikingLayer` with name "fully_connected".

    # Parameters

    input_shape : `Sequence[int]`
        Not given in a config: the layer before knows it.
    units : `int`
    threshold, membrane_time, synapse_time, refractory, inhibition
        See `Neurons`. The inhibition is for output layers, as a rule.
    weight_range : `float`, optional (default = `1.0`)
        Weights are drawn between minus this and this.
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
        neurons = Neurons(threshold, membrane_time, synapse_time, refractory, inhibition)
        super().__init__(all_to_all(math.prod(input_shape), units), neurons, [units], weight_range)
