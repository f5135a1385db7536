"""
Simulates a layer of spiking neurons (see `Neurons` for the model), and counts its spikes.

On the CPU compiled kernels do so, which touch the weights of those inputs alone that spike;
elsewhere vectorised torch does, step by step, with the same results but for rounding. Under
autocast, too, spikes are computed in the type of the weights: potentials in half precision would
cross their thresholds elsewhere.
"""

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.devices import has_kernels, without_autocast
from spigot_allennlp.nn.spiking import torch_fallback
from spigot_allennlp.nn.spiking.connection import Connection, as_matrix
from spigot_allennlp.nn.spiking.neurons import Neurons
from spigot_allennlp.nn.tensor_checks import FLOATS, TRUTH_VALUES, Argument, Signature

_SHAPE = "batch_size", "steps", "num_inputs"
_WEIGHT = Argument("weight", FLOATS, ("num_rows", "width"))
_INPUT = Signature(Argument("spikes", TRUTH_VALUES, _SHAPE), _WEIGHT)
_DIFFERENTIABLE_INPUT = Signature(Argument("spikes", FLOATS | TRUTH_VALUES, _SHAPE), _WEIGHT)
_SPIKES = Signature(Argument("fired", TRUTH_VALUES, ("batch_size", "steps", "num_neurons")))


def simulate(
    spikes: BoolTensor, weight: Tensor, connection: Connection, neurons: Neurons
) -> BoolTensor:
    """
    Returns the spikes of a layer, given those of its inputs; never differentiable.

    # Parameters

    spikes : `BoolTensor`
        Shape `(batch_size, steps, num_inputs)`.
    weight : `Tensor`
        Shape `(num_rows, width)` of the `connection`.
    connection : `Connection`
    neurons : `Neurons`

    # Returns

    `BoolTensor`
        Shape `(batch_size, steps, num_neurons)`.
    """
    _INPUT.check(spikes, weight, **connection.sizes)
    if has_kernels(spikes.device):
        from spigot_allennlp.nn.spiking import cpu  # numba takes its time to be imported

        return cpu.simulate(spikes, weight, connection, neurons)
    with without_autocast(spikes.device):
        return torch_fallback.simulate(spikes, weight, connection, neurons)


def simulate_differentiably(
    spikes: Tensor, weight: Tensor, connection: Connection, neurons: Neurons, slope: float
) -> Tensor:
    """
    Does as `simulate`, on floats and with a gradient, unrolled in time: the derivative of a spike
    with respect to the potential is `1 / (1 + slope * |potential - threshold|) ** 2`. No gradient
    flows through the reset.

    # Returns

    `Tensor`
        Zeros and ones, shape `(batch_size, steps, num_neurons)`, in the type of `weight`.
    """
    _DIFFERENTIABLE_INPUT.check(spikes, weight, **connection.sizes)
    with without_autocast(spikes.device):
        return _unroll(spikes, weight, connection, neurons, slope)


def _unroll(
    spikes: Tensor, weight: Tensor, connection: Connection, neurons: Neurons, slope: float
) -> Tensor:
    # (batch_size, steps, num_neurons)
    arriving = spikes.to(weight.dtype) @ as_matrix(connection, weight)
    if arriving.size(1) == 0:
        return arriving
    state = torch_fallback.resting(arriving[:, 0])
    fired = torch.zeros_like(arriving[:, 0])
    trains = [fired]
    for step in range(1, arriving.size(1)):
        state = torch_fallback.integrate(state, arriving[:, step - 1], fired, neurons)
        fired = _surrogate_spike(state.potential - neurons.firing_threshold, slope)
        trains.append(fired)
        state = torch_fallback.reset(state, fired.detach() > 0, neurons)
    return torch.stack(trains, dim=1)


def _surrogate_spike(excess: Tensor, slope: float) -> Tensor:
    """Returns one where `excess` is positive, else zero, with the gradient of a soft sign."""
    soft = excess / (1 + slope * excess.abs())
    return (excess > 0).to(excess.dtype) + (soft - soft.detach())


def firing_counts(fired: BoolTensor, dtype: torch.dtype) -> Tensor:
    """
    Returns how often each neuron fired, shape `(batch_size, num_neurons)`, given spikes
    `(batch_size, steps, num_neurons)`. (What torch needs to add up truth values is a good part of
    what the simulation takes.)
    """
    _SPIKES.check(fired)
    if has_kernels(fired.device):
        from spigot_allennlp.nn.spiking import cpu

        return cpu.firing_counts(fired).to(dtype)
    return fired.sum(dim=1).to(dtype)
