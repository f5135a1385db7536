"""
Spiking layers on the CPU: tensors to and from the kernels. Each function does as that of the same
name in `simulation.py`, `psp.py`, `hm2_bp.py` and `rate_coding.py`.
"""

from typing import Callable

import numpy
import torch
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.nn.devices import share
from spigot_allennlp.nn.instances import at_least_single
from spigot_allennlp.nn.spiking import hm2_bp_kernels, kernels
from spigot_allennlp.nn.spiking.connection import Connection
from spigot_allennlp.nn.spiking.gradient_problem import SpikeGradientProblem, SpikeGradients
from spigot_allennlp.nn.spiking.neurons import Neurons, PspDecays, psp_decays

# Places for a spike, in a batch, from which on a second thread gains more than it costs.
MANY = 200_000


def simulate(
    spikes: BoolTensor, weight: Tensor, connection: Connection, neurons: Neurons
) -> BoolTensor:
    fired = torch.zeros(*spikes.shape[:2], connection.num_neurons, dtype=torch.bool)
    exact = at_least_single(weight.detach()).contiguous().numpy()
    number = exact.dtype.type
    constants = kernels.LifConstants(
        threshold=number(neurons.firing_threshold),
        potential_decay=number(1 - 1 / neurons.membrane_time),
        current_decay=number(1 - 1 / neurons.synapse_time),
        current_share=number(1 / neurons.synapse_time),
        refractory=numpy.int32(neurons.refractory),
        inhibition=number(neurons.inhibition),
    )
    arrays = _as_bytes(spikes), exact, connection, constants, _as_bytes(fired)
    _share_batch(spikes, lambda members: kernels.simulate(members, *arrays))
    return fired


def firing_counts(fired: BoolTensor) -> Tensor:
    """Returns them in single precision."""
    counts = torch.zeros(len(fired), fired.size(2))
    arrays = _as_bytes(fired), counts.numpy()
    _share_batch(fired, lambda members: kernels.count_firings(members, *arrays))
    return counts


def psp_per_spike(fired: BoolTensor, neurons: Neurons, dtype: torch.dtype) -> Tensor:
    psp = torch.empty(fired.shape, dtype=torch.promote_types(dtype, torch.float))
    arrays = _as_bytes(fired), _decays_as(psp.numpy().dtype.type, neurons), psp.numpy()
    _share_batch(fired, lambda members: hm2_bp_kernels.psp_per_spike(members, *arrays))
    return psp.to(dtype)


def gradients(problem: SpikeGradientProblem) -> SpikeGradients:
    spikes, weight = problem.spikes, problem.weight
    exact = at_least_single(weight.detach()).contiguous()
    array, number = exact.numpy(), exact.numpy().dtype.type
    delta, factor = (
        tensor.detach().to(exact.dtype).contiguous().numpy()
        for tensor in (problem.delta, problem.inhibition_factor)
    )
    options, threshold = problem.options, problem.neurons.threshold
    arrays = hm2_bp_kernels.GradientArrays(
        spikes=_as_bytes(spikes),
        fired=_as_bytes(problem.fired),
        weight=array,
        delta=delta,
        inhibition_factor=factor,
        connection=problem.connection,
        decays=_decays_as(number, problem.neurons),
        rate_correction=number(options.rate_correction / threshold),
        subthreshold_potential=number(options.subthreshold_potential),
        subthreshold_ratio=number(options.subthreshold_ratio),
    )
    shape = (len(spikes), spikes.size(2)) if problem.needs_count_gradient else (0, 0)
    counts = torch.zeros(shape, dtype=exact.dtype)
    of_weight: list = []

    def add_up(members: numpy.ndarray) -> None:
        gradient = numpy.zeros_like(array)
        hm2_bp_kernels.gradients(members, arrays, gradient, counts.numpy())
        of_weight.append(gradient)

    _share_batch(spikes, add_up)
    total = torch.zeros_like(exact)
    for gradient in of_weight:
        total += torch.from_numpy(gradient)
    needed = counts.to(weight.dtype) if problem.needs_count_gradient else None
    return SpikeGradients(total.to(weight.dtype), needed)


def sample_spikes(bounds: LongTensor, steps_per_frame: int, seeds: LongTensor) -> BoolTensor:
    """`bounds` are probabilities times `2**32`."""
    size, frames, num_sources = bounds.shape
    spikes = torch.zeros(size, frames * steps_per_frame, num_sources, dtype=torch.bool)
    if spikes.numel() == 0:
        return spikes
    unsigned = seeds.contiguous().numpy().view(numpy.uint64)
    arrays = bounds.contiguous().numpy(), unsigned, _as_bytes(spikes)
    _share_batch(spikes, lambda members: kernels.sample_spikes(members, *arrays))
    return spikes


def _as_bytes(spikes: Tensor) -> numpy.ndarray:
    """Returns the spikes themselves, not a copy, if they are contiguous in memory."""
    return spikes.detach().contiguous().numpy().view(numpy.uint8)


def _decays_as(number: Callable, neurons: Neurons) -> PspDecays:
    """Returns the decays of the PSP in the type `number`."""
    decays = psp_decays(neurons)
    return decays._replace(
        membrane=number(decays.membrane),
        synapse=number(decays.synapse),
        factor=number(decays.factor),
    )


def _share_batch(spikes: Tensor, work: Callable[[numpy.ndarray], None]) -> None:
    """Calls `work` with the members of as many parts of the batch as there are threads."""
    members = numpy.arange(len(spikes))
    parts = numpy.array_split(members, min(torch.get_num_threads(), max(len(members), 1)))
    share(work, parts, spikes.numel() > MANY)
