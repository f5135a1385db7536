"""
Spiking layers on the CPU: tensors to and from the kernels. Each function does the same as its
namesake in `simulation.py`, `psp.py`, `hm2_bp.py` or `rate_coding.py`; two are for `surrogate.py`.
"""

from typing import Callable, Dict, Tuple

import numpy
import torch
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.nn.devices import call_in_threads
from spigot_allennlp.nn.instances import at_least_single
from spigot_allennlp.nn.spiking import hm2_bp_kernels, kernels, surrogate_kernels
from spigot_allennlp.nn.spiking.connection import Connection
from spigot_allennlp.nn.spiking.gradient_problem import (
    SpikeGradientProblem,
    SpikeGradients,
    SurrogateProblem,
)
from spigot_allennlp.nn.spiking.neurons import Neurons, PspDecays, psp_decays

# The number of entries in the spikes of a batch from which on a second thread gains more than it
# costs.
MANY_ENTRIES = 200_000


def simulate(
    spikes: BoolTensor, weight: Tensor, connection: Connection, neurons: Neurons
) -> BoolTensor:
    return _simulate(spikes, weight, connection, neurons, False)[0]


def simulate_with_potentials(
    spikes: BoolTensor, weight: Tensor, connection: Connection, neurons: Neurons
) -> Tuple[BoolTensor, Tensor]:
    """Also returns the potentials of `kernels.Trains`; those of the first step are undefined."""
    return _simulate(spikes, weight, connection, neurons, True)


def _simulate(
    spikes: BoolTensor,
    weight: Tensor,
    connection: Connection,
    neurons: Neurons,
    keeps_potentials: bool,
) -> Tuple[BoolTensor, Tensor]:
    exact_weight = at_least_single(weight.detach()).contiguous()
    fired = torch.zeros(*spikes.shape[:2], connection.num_neurons, dtype=torch.bool)
    kept = fired if keeps_potentials else fired[:, :0]
    potentials = torch.empty(kept.shape, dtype=exact_weight.dtype)
    weight_array = exact_weight.numpy()
    trains = kernels.Trains(_as_bytes(fired), potentials.numpy())
    constants = _lif_constants(weight_array.dtype.type, neurons)
    arrays = _as_bytes(spikes), weight_array, connection, constants, trains
    _call_for_batch(spikes, lambda members: kernels.simulate(members, *arrays))
    return fired, potentials


def _lif_constants(float_type: Callable, neurons: Neurons) -> kernels.LifConstants:
    """Returns the constants of the neurons as numbers of a `float_type`."""
    return kernels.LifConstants(
        threshold=float_type(neurons.firing_threshold),
        potential_decay=float_type(1 - 1 / neurons.membrane_time),
        current_decay=float_type(1 - 1 / neurons.synapse_time),
        current_share=float_type(1 / neurons.synapse_time),
        refractory=numpy.int32(neurons.refractory),
        inhibition=float_type(neurons.inhibition),
    )


def firing_counts(fired: BoolTensor) -> Tensor:
    """Returns the counts in single precision."""
    counts = torch.zeros(len(fired), fired.size(2))
    arrays = _as_bytes(fired), counts.numpy()
    _call_for_batch(fired, lambda members: kernels.count_firings(members, *arrays))
    return counts


def psp_per_spike(fired: BoolTensor, neurons: Neurons, dtype: torch.dtype) -> Tensor:
    psp = torch.empty(fired.shape, dtype=torch.promote_types(dtype, torch.float))
    psp_array = psp.numpy()
    decays = _psp_decays_as(psp_array.dtype.type, neurons)
    arrays = _as_bytes(fired), decays, psp_array
    _call_for_batch(fired, lambda members: hm2_bp_kernels.psp_per_spike(members, *arrays))
    return psp.to(dtype)


def gradients(problem: SpikeGradientProblem) -> SpikeGradients:
    spikes, weight = problem.spikes, problem.weight
    contiguous_weight = at_least_single(weight.detach()).contiguous()
    weight_array = contiguous_weight.numpy()
    float_type = weight_array.dtype.type
    delta, factor = (
        tensor.detach().to(contiguous_weight.dtype).contiguous().numpy()
        for tensor in (problem.delta, problem.inhibition_factor)
    )
    options, threshold = problem.options, problem.neurons.threshold
    arrays = hm2_bp_kernels.GradientArrays(
        spikes=_as_bytes(spikes),
        fired=_as_bytes(problem.fired),
        weight=weight_array,
        delta=delta,
        inhibition_factor=factor,
        connection=problem.connection,
        decays=_psp_decays_as(float_type, problem.neurons),
        rate_correction=float_type(options.rate_correction / threshold),
        least_correction=float_type(
            1 if options.bounds_rate_correction else numpy.finfo(float_type).min
        ),
        subthreshold_potential=float_type(options.subthreshold_potential),
        subthreshold_ratio=float_type(options.subthreshold_ratio),
    )
    shape = (len(spikes), spikes.size(2)) if problem.needs_count_gradient else (0, 0)
    count_gradient = torch.zeros(shape, dtype=contiguous_weight.dtype)
    total = _sum_over_batch(
        spikes,
        contiguous_weight,
        lambda members, gradient: hm2_bp_kernels.gradients(
            members, arrays, gradient, count_gradient.numpy()
        ),
    )
    return SpikeGradients(
        total.to(weight.dtype),
        count_gradient.to(weight.dtype) if problem.needs_count_gradient else None,
    )


def surrogate_gradients(problem: SurrogateProblem, for_arriving: bool) -> Tuple[Tensor, Tensor]:
    """
    Returns the gradient of the weights and, if requested, that of the input arriving at each neuron
    in each step, `(batch_size, steps, num_neurons)`.
    """
    weight, spikes = problem.weight, problem.spikes
    exact_weight = at_least_single(weight.detach())
    float_type = exact_weight.numpy().dtype.type
    arrays = surrogate_kernels.SurrogateArrays(
        spikes=_as_bytes(spikes),
        fired=_as_bytes(problem.fired),
        potentials=problem.potentials.numpy(),
        gradient=problem.gradient.detach().to(exact_weight.dtype).contiguous().numpy(),
        connection=problem.connection,
        neurons=_lif_constants(float_type, problem.neurons),
        slope=float_type(problem.slope),
    )
    shape = problem.fired.shape if for_arriving else (0, 0, 0)
    arriving = torch.empty(shape, dtype=exact_weight.dtype)
    total = _sum_over_batch(
        spikes,
        exact_weight,
        lambda members, gradient: surrogate_kernels.gradients(
            members, arrays, gradient, arriving.numpy()
        ),
    )
    return total.to(weight.dtype), arriving


def sample_spikes(bounds: LongTensor, steps_per_frame: int, seeds: LongTensor) -> BoolTensor:
    """Samples spikes. `bounds` are probabilities times `2**32`."""
    size, frames, num_sources = bounds.shape
    spikes = torch.zeros(size, frames * steps_per_frame, num_sources, dtype=torch.bool)
    if spikes.numel() == 0:
        return spikes
    unsigned = seeds.contiguous().numpy().view(numpy.uint64)
    arrays = bounds.contiguous().numpy(), unsigned, _as_bytes(spikes)
    _call_for_batch(spikes, lambda members: kernels.sample_spikes(members, *arrays))
    return spikes


def _as_bytes(spikes: Tensor) -> numpy.ndarray:
    """Returns the spikes, without a copy if they are contiguous in memory."""
    return spikes.detach().contiguous().numpy().view(numpy.uint8)


def _psp_decays_as(float_type: Callable, neurons: Neurons) -> PspDecays:
    """Returns the decays of the PSP as numbers of a `float_type`."""
    decays = psp_decays(neurons)
    return PspDecays(
        membrane=float_type(decays.membrane),
        synapse=float_type(decays.synapse),
        factor=float_type(decays.factor),
        refractory=decays.refractory,
        window=decays.window,
    )


def _call_for_batch(spikes: Tensor, function: Callable[[numpy.ndarray], None]) -> None:
    """
    Calls `function` with the indices of all samples of a batch. If the batch is large, each
    available thread gets a part of them.
    """
    members = numpy.arange(len(spikes))
    if spikes.numel() <= MANY_ENTRIES:
        if len(members):
            function(members)
        return
    parts = numpy.array_split(members, min(torch.get_num_threads(), len(members)))
    call_in_threads(function, parts, True)


def _sum_over_batch(
    spikes: BoolTensor, weight: Tensor, add_gradient: Callable[[numpy.ndarray, numpy.ndarray], None]
) -> Tensor:
    """
    Returns the gradient of the weights. `add_gradient` adds that of some samples, given their
    indices and an array in the shape of `weight`.
    """
    # One for each part of the batch, by its first sample.
    weight_gradients: Dict[int, Tensor] = {}

    def differentiate(members: numpy.ndarray) -> None:
        gradient = torch.zeros_like(weight, memory_format=torch.contiguous_format)
        add_gradient(members, gradient.numpy())
        weight_gradients[members[0]] = gradient

    _call_for_batch(spikes, differentiate)
    # the sum is the same, whichever thread ends first
    return sum(
        (weight_gradients[first] for first in sorted(weight_gradients)), torch.zeros_like(weight)
    )
