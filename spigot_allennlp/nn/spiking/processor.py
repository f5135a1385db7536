"""Spiking layers on the processor: tensors to and from the kernels."""

from typing import Any, Callable, Optional, Tuple

import numpy
import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.devices import share
from spigot_allennlp.nn.instances import at_least_single
from spigot_allennlp.nn.spiking import effect_kernels, gradient_kernels, simulation_kernels
from spigot_allennlp.nn.spiking.connection import Connection
from spigot_allennlp.nn.spiking.gradient_problem import SpikeGradientProblem
from spigot_allennlp.nn.spiking.neurons import Neurons, decays_of

# Spikes that can come in, in a batch, from which on a second thread gains more than it costs.
MANY = 200_000


def simulate(
    spikes: BoolTensor, weight: Tensor, connection: Connection, neurons: Neurons
) -> BoolTensor:
    """As `simulation.py` says."""
    fired = torch.zeros(*spikes.shape[:2], connection.num_neurons, dtype=torch.bool)
    exact = at_least_single(weight.detach()).contiguous().numpy()
    number = exact.dtype.type
    constants = (
        number(neurons.threshold - 1e-6),
        number(1 - 1 / neurons.membrane_time),
        number(1 - 1 / neurons.synapse_time),
        number(1 / neurons.synapse_time),
        numpy.int32(neurons.refractory),
        number(neurons.inhibition),
    )
    arrays = _bytes(spikes), exact, _shape(connection), constants, _bytes(fired)
    _share(spikes, lambda members: simulation_kernels.simulate(members, *arrays))
    return fired


def firing_counts(fired: BoolTensor) -> Tensor:
    """As `counts.py` says, in single precision."""
    counts = torch.zeros(len(fired), fired.size(2))
    arrays = _bytes(fired), counts.numpy()
    _share(fired, lambda members: simulation_kernels.add_steps(members, *arrays))
    return counts


def spike_effects(fired: BoolTensor, neurons: Neurons, dtype: torch.dtype) -> Tensor:
    """As `effects.py` says."""
    effects = torch.empty(fired.shape, dtype=torch.promote_types(dtype, torch.float))
    arrays = _bytes(fired), _decays(neurons, effects.numpy().dtype.type), effects.numpy()
    _share(fired, lambda members: effect_kernels.write_effects(members, *arrays))
    return effects.to(dtype)


def gradients(problem: SpikeGradientProblem) -> Tuple[Tensor, Optional[Tensor]]:
    """As `gradients.py` says."""
    spikes, fired, weight, delta, factor, connection, neurons, options, for_counts = problem
    exact = at_least_single(weight.detach()).contiguous()
    number = exact.numpy().dtype.type
    for_weight, counts = torch.zeros_like(exact), torch.zeros(0, 0, dtype=exact.dtype)
    if for_counts:
        counts = torch.zeros(len(spikes), spikes.size(2), dtype=exact.dtype)
    own_rate = number(options.own_rate / neurons.threshold)
    constants = own_rate, number(options.silent_potential), number(options.silent_ratio)
    arrays = [_bytes(spikes), _bytes(fired), exact.numpy(), _shape(connection)]
    arrays += [_decays(neurons, number), constants]
    arrays += [each.detach().to(exact.dtype).contiguous().numpy() for each in (delta, factor)]

    def work(members: numpy.ndarray) -> None:
        own = numpy.zeros(exact.shape, exact.numpy().dtype)
        gradient_kernels.gradients(members, *arrays, own, counts.numpy())
        parts.append(own)

    parts: list = []
    _share(spikes, work)
    for part in parts:
        for_weight += torch.from_numpy(part)
    return for_weight.to(weight.dtype), counts.to(weight.dtype) if for_counts else None


def _bytes(spikes: Tensor) -> numpy.ndarray:
    """The spikes themselves, not a copy, if they lie one after the other."""
    return spikes.detach().contiguous().numpy().view(numpy.uint8)


def _shape(connection: Connection) -> Tuple[numpy.ndarray, ...]:
    return connection.offsets, connection.rows, connection.places


def _decays(neurons: Neurons, number: Callable) -> Tuple[Any, ...]:
    membrane, synapse, factor, refractory, window = decays_of(neurons)
    return number(membrane), number(synapse), number(factor), refractory, window


def _share(spikes: Tensor, work: Callable[[numpy.ndarray], None]) -> None:
    """As many parts of the batch as there are threads."""
    members = numpy.arange(len(spikes))
    parts = numpy.array_split(members, min(torch.get_num_threads(), max(len(members), 1)))
    share(work, parts, spikes.numel() > MANY)
