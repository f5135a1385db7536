"""Joins spiking layers to a network, on its own and as AllenNLP's encoders of sequences."""

import math
from typing import List, Optional

import torch
from allennlp.common import FromParams, Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.modules import Seq2SeqEncoder, Seq2VecEncoder
from torch import BoolTensor, Tensor

from spigot_allennlp.modules.spiking_gradient import SpikingGradient
from spigot_allennlp.modules.spiking_layer import SpikeTrains, SpikingLayer


class SpikingNetwork(torch.nn.Module, FromParams):
    """
    Runs spiking layers in sequence; the gradient goes through all of them.

    # Parameters

    input_shape : `List[int]`
        The shape of one step of a sample: `[num_inputs]` or `[height, width, channels]`.
    layers : `List[Lazy[SpikingLayer]]`
        From first to last; the last is the output layer.
    gradient : `SpikingGradient`
    """

    def __init__(
        self, input_shape: List[int], layers: List[Lazy[SpikingLayer]], gradient: SpikingGradient
    ) -> None:
        super().__init__()
        if not layers:
            raise ConfigurationError("layers is empty; a network needs at least its output layer.")
        if not input_shape or min(input_shape) < 1:
            raise ConfigurationError(
                f"input_shape is {list(input_shape)}, but must be the shape of one step of a "
                "sample, as [784] or [28, 28, 1]."
            )
        self.input_dim = math.prod(input_shape)
        self.layers = torch.nn.ModuleList()
        shape = tuple(input_shape)
        for layer in layers:
            self.layers.append(layer.construct(input_shape=shape))
            shape = self.layers[-1].output_shape
        self.output_dim = math.prod(shape)
        self.gradient = gradient

    def forward(self, trains: SpikeTrains, mask: Optional[BoolTensor] = None) -> List[SpikeTrains]:
        """
        Returns the spike trains of all layers, given those of the inputs,
        `(batch_size, steps, input_dim)`. If samples differ in their number of steps, the `mask`,
        `(batch_size, steps)`, is true on their steps. In the padding after these no neuron of any
        layer spikes, so neither counts nor gradients depend on it.
        """
        if trains.spikes.size(2) != self.input_dim:
            raise ConfigurationError(
                f"The network has {self.input_dim} inputs (its input_shape), but was given "
                f"{trains.spikes.size(2)}."
            )
        layer_trains = []
        for number, layer in enumerate(self.layers, start=1):
            trains = self.gradient(trains, layer, number == len(self.layers), mask)
            layer_trains.append(trains)
        return layer_trains


class SpikingEncoder(torch.nn.Module):
    """
    The common part of the encoders below; among their bases it comes before AllenNLP's class. Each
    step of the sequence is a time step; an input spikes where it is greater than 0.5. Its gradient
    is that of its spike (straight-through) or, under HM2-BP, that of its count. At masked steps
    neither inputs nor neurons of any layer spike, so a sequence's result and gradient do not depend
    on its padding.

    # Parameters

    network : `SpikingNetwork`
    """

    def __init__(self, network: SpikingNetwork) -> None:
        super().__init__()
        self.network = network
        # whatever follows an encoder may lower its counts without limit
        network.gradient.guard_silent_neurons()

    def get_input_dim(self) -> int:
        return self.network.input_dim

    def get_output_dim(self) -> int:
        return self.network.output_dim

    def output_trains(self, tokens: Tensor, mask: Optional[BoolTensor]) -> SpikeTrains:
        """Returns the spike trains of the output neurons; there are no spikes at masked steps."""
        if mask is not None:
            tokens = tokens.masked_fill(~mask.unsqueeze(-1), 0)
        spikes = (tokens > 0.5).to(tokens.dtype)
        # zeros and ones, with the gradient of the tokens
        return self.network(SpikeTrains.of(spikes + (tokens - tokens.detach())), mask)[-1]


@Seq2SeqEncoder.register("spiking_encoder")
class SpikingSeq2SeqEncoder(SpikingEncoder, Seq2SeqEncoder):
    """
    Returns the spikes of the output neurons, zeros and ones. Under HM2-BP, which only handles
    counts, the gradient of a count is the mean of the gradients of its spikes. For inputs and
    parameters see `SpikingEncoder`.

    Registered as a `Seq2SeqEncoder` with name "spiking_encoder".
    """

    def is_bidirectional(self) -> bool:
        return False

    def forward(self, inputs: Tensor, mask: Optional[BoolTensor] = None) -> Tensor:
        """
        Returns spikes `(batch_size, steps, output_dim)`, given `(batch_size, steps, input_dim)`.
        There are no spikes at masked steps.
        """
        return self.output_trains(inputs, mask).differentiable(mask)


@Seq2VecEncoder.register("spiking_encoder")
class SpikingSeq2VecEncoder(SpikingEncoder, Seq2VecEncoder):
    """
    Returns how often each output neuron fired. For inputs and parameters see `SpikingEncoder`.

    Registered as a `Seq2VecEncoder` with name "spiking_encoder".
    """

    def forward(self, tokens: Tensor, mask: Optional[BoolTensor] = None) -> Tensor:
        """
        Returns counts `(batch_size, output_dim)`, given `(batch_size, steps, input_dim)`. Only
        spikes at unmasked steps count.
        """
        return self.output_trains(tokens, mask).counts
