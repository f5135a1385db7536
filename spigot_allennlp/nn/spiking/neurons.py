"""The constants of leaky integrate-and-fire (LIF) neurons, and of their postsynaptic potential."""

import math
from typing import NamedTuple


class Neurons(NamedTuple):
    """
    Leaky integrate-and-fire neurons with a first-order synapse, in discrete time, as simulated by
    the code of [Jin, Zhang & Li (2018)](https://arxiv.org/abs/1805.07866). Let `u` be a neuron's
    membrane potential and `a` its synaptic current. In each step from the second on:

    1. `u` and `a` lose their share `1 / membrane_time` and `1 / synapse_time`;
    2. `a` grows by the weights of all inputs that spiked one step before, and shrinks by
       `inhibition` for each other neuron of the layer that spiked;
    3. `u` grows by `a / synapse_time`, but is zero for `refractory` steps after a spike;
    4. the neuron spikes if `u` exceeds `firing_threshold`; `u` is then reset to zero.

    # Parameters

    threshold : `float`
    membrane_time : `float`, optional (default = `64.0`)
        In steps, like all times.
    synapse_time : `float`, optional (default = `8.0`)
        Shorter than `membrane_time`.
    refractory : `int`, optional (default = `2`)
    inhibition : `float`, optional (default = `0.0`)
        How strongly the neurons of the layer inhibit each other.
    """

    threshold: float
    membrane_time: float = 64.0
    synapse_time: float = 8.0
    refractory: int = 2
    inhibition: float = 0.0

    @property
    def firing_threshold(self) -> float:
        """
        The threshold minus a tolerance for rounding, so that a potential equal to it suffices.
        """
        return self.threshold - 1e-6


class PspDecays(NamedTuple):
    """
    The constants of the postsynaptic potential `eps` of `psp.py`.

    # Parameters

    membrane, synapse : `float`
        The remaining share of the exponential of the membrane, and of the synapse, after a step.
    factor : `float`
        `1 / (1 - c / m)`.
    refractory : `int`
        In steps; also the delay between a spike and its arrival.
    window : `int`
        The number of steps for which a sent spike counts towards the spikes of its receiver.
    """

    membrane: float
    synapse: float
    factor: float
    refractory: int
    window: int


def psp_decays(neurons: Neurons) -> PspDecays:
    """Returns the constants of the postsynaptic potential at `neurons`."""
    return PspDecays(
        membrane=math.exp(-1 / neurons.membrane_time),
        synapse=math.exp(-1 / neurons.synapse_time),
        factor=1 / (1 - neurons.synapse_time / neurons.membrane_time),
        refractory=neurons.refractory,
        window=int(4 * neurons.membrane_time),
    )
