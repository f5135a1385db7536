"""Spiking layers that autograd can differentiate: unrolled in time, with a surrogate derivative."""

import torch
from torch import Tensor

from spigot_allennlp.nn.spiking.connection import Connection, as_matrix
from spigot_allennlp.nn.spiking.neurons import Neurons
from spigot_allennlp.nn.tensor_checks import FLOATS, TRUTH_VALUES, Argument, Signature

_INPUT = Signature(
    Argument("spikes", FLOATS | TRUTH_VALUES, ("batch_size", "steps", "num_inputs")),
    Argument("weight", FLOATS, ("num_rows", "width")),
)


def simulate_differentiably(
    spikes: Tensor, weight: Tensor, connection: Connection, neurons: Neurons, slope: float
) -> Tensor:
    """
    As `simulate`, on floats and with a gradient: that of a spike with respect to the potential is
    `1 / (1 + slope * |potential - threshold|) ** 2`. None flows through the reset.

    # Returns

    `Tensor`
        Zeros and ones, shape `(batch_size, steps, num_neurons)`, in the type of `weight`.
    """
    _INPUT.check(spikes, weight, **connection.sizes)
    # (batch_size, steps, num_neurons)
    arriving = spikes.to(weight.dtype) @ as_matrix(connection, weight)
    if arriving.size(1) == 0:
        return arriving
    potential, current = torch.zeros_like(arriving[:, 0]), torch.zeros_like(arriving[:, 0])
    waiting = torch.zeros_like(potential, dtype=torch.long)
    before = torch.zeros_like(potential)
    trains = [before]
    for step in range(1, arriving.size(1)):
        potential = potential * (1 - 1 / neurons.membrane_time)
        current = current * (1 - 1 / neurons.synapse_time) + arriving[:, step - 1]
        if neurons.inhibition != 0:
            current = current - neurons.inhibition * (before.sum(1, keepdim=True) - before)
        potential = (potential + current / neurons.synapse_time).masked_fill(waiting > 0, 0)
        before = _spike(potential - (neurons.threshold - 1e-6), slope)
        fired = before.detach() > 0
        trains.append(before)
        potential = potential.masked_fill(fired, 0)
        waiting = (waiting - 1).clamp(min=0).masked_fill(fired, neurons.refractory)
    return torch.stack(trains, dim=1)


def _spike(excess: Tensor, slope: float) -> Tensor:
    """One where `excess` is positive, and zero elsewhere; its gradient is that of a soft sign."""
    soft = excess / (1 + slope * excess.abs())
    return (excess > 0).to(excess.dtype) + (soft - soft.detach())
