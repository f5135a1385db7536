"""The inputs and outputs of the backward passes through a spiking layer."""

from typing import NamedTuple, Optional

from torch import BoolTensor, Tensor

from spigot_allennlp.nn.spiking.connection import Connection
from spigot_allennlp.nn.spiking.neurons import Neurons


class HM2BPOptions(NamedTuple):
    """
    The choices that the equations of HM2-BP leave open. The defaults are those in the code of [Jin,
    Zhang & Li (2018)](https://arxiv.org/abs/1805.07866).

    The rate correction `1 + a / (o * threshold)`, where `a` is the total PSP and `o` the firing
    count, holds for neurons that are driven to spike, `a > 0`. It is negative for a neuron with
    weights that sum to less than about minus two thresholds: its weights then move against the
    loss, further the more negative they are, and a neuron that should spike is silenced for good. A
    loss that keeps lowering firing counts of zero, as the softmax does, drives neurons there. With
    the bound, such a neuron gets the gradient without the correction.

    # Parameters

    rate_correction : `bool`, optional (default = `True`)
        Whether the gradient of a weight takes into account that the S-PSPs of a neuron grow with
        its firing count.
    subthreshold_potential : `float`, optional (default = `0.1`)
        Replaces the S-PSP of an input that spikes at a neuron that does not.
    subthreshold_ratio : `float`, optional (default = `0.5`)
        Replaces the quotient of an S-PSP and the firing count in the rate correction of a neuron
        that does not spike.
    bounds_rate_correction : `bool`, optional (default = `False`)
        Whether the rate correction is bounded below by one.
    """

    rate_correction: bool = True
    subthreshold_potential: float = 0.1
    subthreshold_ratio: float = 0.5
    bounds_rate_correction: bool = False


class SpikeGradientProblem(NamedTuple):
    """
    A layer with known spikes, and the incoming gradient of its firing counts.

    # Parameters

    spikes, fired : `BoolTensor`
        The spikes of inputs and neurons, shape `(batch_size, steps, num_inputs)` and `(batch_size,
        steps, num_neurons)`.
    weight : `Tensor`
        Shape `(num_rows, width)` of the `connection`.
    delta : `Tensor`
        Shape `(batch_size, num_neurons)`: the gradient of the neurons' counts, divided by the
        layer's `divisor` (`HM2BPLayer`), usually their threshold.
    inhibition_factor : `Tensor`
        Of the same shape: an additional factor of the gradient of the weights.
    connection : `Connection`
    neurons : `Neurons`
    options : `HM2BPOptions`
    needs_count_gradient : `bool`
        Whether the gradient of the inputs' counts is requested.
    """

    spikes: BoolTensor
    fired: BoolTensor
    weight: Tensor
    delta: Tensor
    inhibition_factor: Tensor
    connection: Connection
    neurons: Neurons
    options: HM2BPOptions
    needs_count_gradient: bool


class SpikeGradients(NamedTuple):
    """
    The gradients for a `SpikeGradientProblem`, in the type of its weights.

    # Parameters

    weight : `Tensor`
        Shape `(num_rows, width)`, summed over the batch.
    counts : `Tensor`, optional
        Of the inputs' firing counts, shape `(batch_size, num_inputs)`, if requested.
    """

    weight: Tensor
    counts: Optional[Tensor]


class SurrogateProblem(NamedTuple):
    """
    The inputs for a surrogate gradient (see `surrogate.py`).

    # Parameters

    spikes : `BoolTensor`
        The spikes of the inputs, shape `(batch_size, steps, num_inputs)`.
    fired : `BoolTensor`
        The spikes of the neurons, shape `(batch_size, steps, num_neurons)`.
    potentials : `Tensor`
        Of the neurons, before the reset, and minus infinity where they are held at zero, in the
        shape of `fired`.
    weight : `Tensor`
        Shape `(num_rows, width)` of the `connection`.
    gradient : `Tensor`
        The derivatives of the loss by the spikes of the neurons, in the shape of `fired`.
    connection : `Connection`
    neurons : `Neurons`
    slope : `float`
    """

    spikes: BoolTensor
    fired: BoolTensor
    potentials: Tensor
    weight: Tensor
    gradient: Tensor
    connection: Connection
    neurons: Neurons
    slope: float
