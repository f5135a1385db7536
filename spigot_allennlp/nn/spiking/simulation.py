"""
Simulates a layer of spiking neurons (see `Neurons` for the model), and counts its spikes.

On the CPU, this uses compiled kernels, which only touch the weights of inputs that spike;
elsewhere, vectorised torch step by step, with the same results up to rounding. Even under autocast,
spikes are computed in the type of the weights: potentials in half precision would cross their
thresholds at other times.
"""

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.devices import has_kernels, without_autocast
from spigot_allennlp.nn.spiking import torch_fallback
from spigot_allennlp.nn.spiking.connection import Connection
from spigot_allennlp.nn.spiking.neurons import Neurons
from spigot_allennlp.nn.tensor_checks import FLOATS, TRUTH_VALUES, Argument, Signature
from spigot_allennlp.nn.transforms import uncompiled

_SHAPE = "batch_size", "steps", "num_inputs"
_WEIGHT = Argument("weight", FLOATS, ("num_rows", "width"))
_INPUT = Signature(Argument("spikes", TRUTH_VALUES, _SHAPE), _WEIGHT)
_SPIKES = Signature(Argument("fired", TRUTH_VALUES, ("batch_size", "steps", "num_neurons")))


@uncompiled
def simulate(
    spikes: BoolTensor, weight: Tensor, connection: Connection, neurons: Neurons
) -> BoolTensor:
    """
    Returns the spikes of a layer, given those of its inputs. Not differentiable.

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
        from spigot_allennlp.nn.spiking import cpu  # numba is slow to import

        return cpu.simulate(spikes, weight, connection, neurons)
    with without_autocast(spikes.device):
        return torch_fallback.simulate(spikes, weight, connection, neurons)


@uncompiled
def firing_counts(fired: BoolTensor, dtype: torch.dtype) -> Tensor:
    """
    Returns how often each neuron fired, shape `(batch_size, num_neurons)`, given spikes
    `(batch_size, steps, num_neurons)`. (In torch, summing truth values would take a good part of
    the simulation's time.)
    """
    _SPIKES.check(fired)
    if has_kernels(fired.device):
        from spigot_allennlp.nn.spiking import cpu

        return cpu.firing_counts(fired).to(dtype)
    return fired.sum(dim=1).to(dtype)
