"""All that the backward pass of HM2-BP through a layer has to know, in one hand."""

from typing import NamedTuple

from torch import BoolTensor, Tensor

from spigot_allennlp.nn.spiking.connection import Connection
from spigot_allennlp.nn.spiking.neurons import Neurons
from spigot_allennlp.nn.spiking.options import Options


class SpikeGradientProblem(NamedTuple):
    """
    # Parameters

    spikes, fired : `BoolTensor`
        Of inputs and neurons, shape `(batch_size, steps, num_inputs)` and `(batch_size, steps,
        num_neurons)`.
    weight : `Tensor`
        Shape `(num_rows, width)` of the `connection`.
    delta : `Tensor`
        Shape `(batch_size, num_neurons)`: the gradient of the neurons' counts, divided by their
        threshold.
    factor : `Tensor`
        Of the same shape: by what the gradient of the weights is multiplied besides.
    connection : `Connection`
    neurons : `Neurons`
    options : `Options`
    for_counts : `bool`
        Whether the gradient of the inputs' counts is asked for.
    """

    spikes: BoolTensor
    fired: BoolTensor
    weight: Tensor
    delta: Tensor
    factor: Tensor
    connection: Connection
    neurons: Neurons
    options: Options
    for_counts: bool
