"""
What spikes a layer makes of the spikes that come in (see `Neurons` for the model).

On the processor by compiled kernels that touch the weights of those inputs alone that spike,
elsewhere by vectorised torch, step by step, with the same results but for rounding.
"""

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.devices import has_kernels
from spigot_allennlp.nn.spiking.connection import Connection, as_matrix
from spigot_allennlp.nn.spiking.neurons import Neurons
from spigot_allennlp.nn.tensor_checks import FLOATS, TRUTH_VALUES, Argument, Signature

_INPUT = Signature(
    Argument("spikes", TRUTH_VALUES, ("batch_size", "steps", "num_inputs")),
    Argument("weight", FLOATS, ("num_rows", "width")),
)


def simulate(
    spikes: BoolTensor, weight: Tensor, connection: Connection, neurons: Neurons
) -> BoolTensor:
    """
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
        from spigot_allennlp.nn.spiking import processor  # numba takes its time to be imported

        return processor.simulate(spikes, weight, connection, neurons)
    return simulate_by_steps(spikes, weight, connection, neurons)


@torch.no_grad()
def simulate_by_steps(
    spikes: BoolTensor, weight: Tensor, connection: Connection, neurons: Neurons
) -> BoolTensor:
    """As `simulate`, in vectorised torch."""
    _INPUT.check(spikes, weight, **connection.sizes)
    # (batch_size, steps, num_neurons)
    arriving = spikes.to(weight.dtype) @ as_matrix(connection, weight)
    fired = torch.zeros(arriving.shape, dtype=torch.bool, device=spikes.device)
    if arriving.size(1) == 0:
        return fired
    potential, current = torch.zeros_like(arriving[:, 0]), torch.zeros_like(arriving[:, 0])
    waiting = torch.zeros_like(potential, dtype=torch.long)
    for step in range(1, arriving.size(1)):
        potential = potential * (1 - 1 / neurons.membrane_time)
        current = current * (1 - 1 / neurons.synapse_time) + arriving[:, step - 1]
        if neurons.inhibition != 0:
            before = fired[:, step - 1].to(current.dtype)
            current = current - neurons.inhibition * (before.sum(1, keepdim=True) - before)
        potential = (potential + current / neurons.synapse_time).masked_fill(waiting > 0, 0)
        here = potential > neurons.threshold - 1e-6
        fired[:, step] = here
        potential = potential.masked_fill(here, 0)
        waiting = (waiting - 1).clamp(min=0).masked_fill(here, neurons.refractory)
    return fired
