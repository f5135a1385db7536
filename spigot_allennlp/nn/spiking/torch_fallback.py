"""
Spiking layers in vectorised torch, step by step, for devices without kernels. Each function does
the same as its namesake in `simulation.py`, `psp.py`, `hm2_bp.py` or `rate_coding.py`.

A step of the LIF neurons (see `Neurons`) is `integrate`, a comparison of the potential with the
threshold, and `reset`. The differentiable simulation uses the same parts.
"""

from typing import NamedTuple

import torch
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.nn.instances import at_least_single
from spigot_allennlp.nn.randomness import advance, random_bits
from spigot_allennlp.nn.spiking.connection import Connection, as_matrix
from spigot_allennlp.nn.spiking.gradient_problem import SpikeGradientProblem, SpikeGradients
from spigot_allennlp.nn.spiking.neurons import Neurons, PspDecays, psp_decays


@torch.no_grad()
def simulate(
    spikes: BoolTensor, weight: Tensor, connection: Connection, neurons: Neurons
) -> BoolTensor:
    # (batch_size, steps, num_neurons)
    arriving = spikes.to(weight.dtype) @ as_matrix(connection, weight)
    fired = torch.zeros(arriving.shape, dtype=torch.bool, device=spikes.device)
    if arriving.size(1) == 0:
        return fired
    state, firing = resting(arriving[:, 0]), fired[:, 0]
    for step, arriving_at_step in enumerate(arriving.unbind(1)[:-1], start=1):
        state = integrate(state, arriving_at_step, firing, neurons)
        firing = state.potential > neurons.firing_threshold
        fired[:, step] = firing
        state = reset(state, firing, neurons)
    return fired


class LifState(NamedTuple):
    """
    LIF neurons between two steps. All tensors have shape `(batch_size, num_neurons)`.

    # Parameters

    potential : `Tensor`
        Of the membrane, in the unit of the threshold.
    current : `Tensor`
        Of the synapse, in the unit of the weights.
    refractory_steps : `LongTensor`
        The number of steps for which the potential is still held at zero.
    """

    potential: Tensor
    current: Tensor
    refractory_steps: LongTensor


def resting(like: Tensor) -> LifState:
    """Returns the state of neurons before any input, in the shape of `like`."""
    zero = torch.zeros_like(like)
    return LifState(zero, zero, torch.zeros_like(like, dtype=torch.long))


def integrate(state: LifState, arriving: Tensor, fired: Tensor, neurons: Neurons) -> LifState:
    """
    Advances the potentials by a step.

    # Parameters

    state : `LifState`
    arriving : `Tensor`
        Shape `(batch_size, num_neurons)`: the sum of the weights of all inputs that spiked in the
        previous step.
    fired : `Tensor`
        Of the same shape, truth values or zeros and ones: the neurons that spiked in that step.
    neurons : `Neurons`
    """
    current = state.current * (1 - 1 / neurons.synapse_time) + arriving
    if neurons.inhibition != 0:
        before = fired.to(current.dtype)
        current = current - neurons.inhibition * (before.sum(1, keepdim=True) - before)
    potential = state.potential * (1 - 1 / neurons.membrane_time) + current / neurons.synapse_time
    potential = potential.masked_fill(state.refractory_steps > 0, 0)
    return LifState(potential, current, state.refractory_steps)


def reset(state: LifState, fired: BoolTensor, neurons: Neurons) -> LifState:
    """Sets the potential of the neurons that `fired` in this step to zero."""
    refractory_steps = (state.refractory_steps - 1).clamp(min=0)
    return LifState(
        state.potential.masked_fill(fired, 0),
        state.current,
        refractory_steps.masked_fill(fired, neurons.refractory),
    )


def psp_per_spike(fired: BoolTensor, neurons: Neurons, dtype: torch.dtype) -> Tensor:
    decays = psp_decays(neurons)
    steps, refractory = fired.size(1), decays.refractory
    psp = torch.zeros(fired.shape, dtype=dtype, device=fired.device)
    if steps == 0:
        return psp
    state = _PspState(psp, decays)
    for arrival in range(steps - 1, refractory - 1, -1):
        state.decay()
        expiring = arrival + decays.window - refractory + 1
        if expiring < steps:
            state.expire(fired[:, expiring], expiring)
        # at step 1, all neurons are ready; later, those with a refractory period that ends here
        all_ready = torch.ones_like(fired[:, 0])
        state.defer(all_ready if arrival == 1 else fired[:, arrival - refractory], arrival)
        if arrival > 1:  # for a spike at step 1, when neurons become ready, `s` is zero
            state.restart(fired[:, arrival], arrival)
        psp[:, arrival - refractory] = state.psp()
    return psp


class _PspState:
    """
    The state of the pass from the last step to the first that sums `eps` over the spikes of a
    neuron, for an input that arrives at the current step. Tensors have shape
    `(batch_size, num_neurons)`.

    `next_spike` is the step of each neuron's next spike; `membrane` and `synapse` are the
    exponentials of the time until then, as long as an arrival counts towards that spike at once;
    `deferred` is the PSP of arrivals before the neuron is ready, which stay synaptic current until
    it is. `deferred_at_expiry`, `(batch_size, steps, num_neurons)`, holds for each spike the
    remainder of its share of that current when an arrival leaves its window.
    """

    def __init__(self, like: Tensor, decays: PspDecays) -> None:
        self._decays = decays
        self._membrane, self._synapse, self._deferred = (
            torch.zeros_like(like[:, 0]) for _ in range(3)
        )
        self._next_spike = torch.zeros_like(self._membrane, dtype=torch.long)
        self._deferred_at_expiry = torch.zeros_like(like)

    def decay(self) -> None:
        """Goes back one step."""
        self._membrane = self._membrane * self._decays.membrane
        self._synapse = self._synapse * self._decays.synapse
        self._deferred = self._deferred * self._decays.synapse

    def expire(self, spiking: BoolTensor, step: int) -> None:
        """Removes the spikes at `step`: arrivals from here on are too early for them."""
        at_once = spiking & (self._next_spike == step) & (self._membrane > 0)
        expired = self._deferred_at_expiry[:, step]
        self._deferred = self._deferred - torch.where(spiking & ~at_once, expired, 0)
        self._clear(at_once)

    def defer(self, ready: BoolTensor, arrival: int) -> None:
        """
        Defers arrivals before this step, when neurons become `ready`: they stay synaptic current.
        """
        ready = ready & (self._membrane > 0)
        deferred = torch.where(ready, self._decays.factor * (self._membrane - self._synapse), 0)
        self._deferred = self._deferred + deferred
        decays = self._decays
        until_expiry = arrival - self._next_spike + decays.window - decays.refractory + 1
        at_expiry = deferred * decays.synapse ** until_expiry.clamp(min=0).to(deferred.dtype)
        index = self._next_spike.unsqueeze(1)
        before = self._deferred_at_expiry.gather(1, index).squeeze(1)
        self._deferred_at_expiry.scatter_(
            1, index, torch.where(ready, at_expiry, before).unsqueeze(1)
        )
        self._clear(ready)

    def restart(self, spiking: BoolTensor, step: int) -> None:
        """Starts the exponentials of the neurons that spike at `step`."""
        self._membrane = self._membrane.masked_fill(spiking, 1)
        self._synapse = self._synapse.masked_fill(spiking, 1)
        self._next_spike = self._next_spike.masked_fill(spiking, step)

    def psp(self) -> Tensor:
        """Returns the sum for an input that arrives at the current step."""
        return self._decays.factor * (self._membrane - self._synapse) + self._deferred

    def _clear(self, neurons: BoolTensor) -> None:
        """Ends the exponentials of some neurons."""
        self._membrane = self._membrane.masked_fill(neurons, 0)
        self._synapse = self._synapse.masked_fill(neurons, 0)


def gradients(problem: SpikeGradientProblem) -> SpikeGradients:
    """
    Computes the gradients of the matrix of all weights. Autograd turns these into those of the
    weights: the sum for a shared weight.
    """
    spikes, fired, options = problem.spikes, problem.fired, problem.options
    exact_weight = at_least_single(problem.weight.detach())
    dtype = exact_weight.dtype
    delta, factor = problem.delta.to(dtype), problem.inhibition_factor.to(dtype)
    per_spike = psp_per_spike(fired, problem.neurons, dtype)
    leaf = exact_weight.detach().requires_grad_()
    with torch.enable_grad():
        matrix = as_matrix(problem.connection, leaf)
    weight = matrix.detach()
    trains, counts = spikes.to(dtype), fired.sum(1).to(dtype)
    silent, active = counts == 0, spikes.any(1).to(dtype)
    # the total PSP by the count, (batch_size, num_neurons)
    total = (trains @ weight * per_spike).sum(1) / counts.clamp(min=1)
    total = torch.where(silent, options.subthreshold_ratio * weight.sum(0), total)
    correction = 1 + options.rate_correction * total / problem.neurons.threshold
    if options.bounds_rate_correction:
        correction = correction.clamp(min=1)
    scale = delta * factor * correction
    # (batch_size, steps, num_neurons), (num_inputs, num_neurons)
    scaled = per_spike * scale.masked_fill(silent, 0).unsqueeze(1)
    gradient = trains.flatten(0, 1).t() @ scaled.flatten(0, 1)
    below_threshold = active.t() @ scale.masked_fill(~silent, 0)
    gradient = gradient + options.subthreshold_potential * below_threshold
    (weight_gradient,) = torch.autograd.grad(matrix, leaf, gradient)
    weight_gradient = weight_gradient.to(problem.weight.dtype)
    if not problem.needs_count_gradient:
        return SpikeGradients(weight_gradient, None)
    # if both ends spike, the mean of the PSP per spike, otherwise one: (batch_size, num_inputs)
    mean = per_spike * delta.masked_fill(silent, 0).unsqueeze(1) @ weight.t() * trains
    mean = mean.sum(1) / spikes.sum(1).clamp(min=1)
    # if an input spikes, the neurons that do not; otherwise all
    from_silent = delta.masked_fill(~silent, 0) @ weight.t()
    count_gradient = mean + torch.where(active > 0, from_silent, delta @ weight.t())
    return SpikeGradients(weight_gradient, count_gradient.to(problem.weight.dtype))


def sample_spikes(bounds: LongTensor, steps_per_frame: int, seeds: LongTensor) -> BoolTensor:
    """Samples spikes. `bounds` are probabilities times `2**32`."""
    frames, num_sources = bounds.shape[1:]
    size = frames * steps_per_frame * num_sources
    steps = torch.arange(1, size + 1, device=bounds.device)
    bits = random_bits(advance(seeds.unsqueeze(1), steps))
    numbers = ((bits >> 32) & (2**32 - 1)).reshape(len(bounds), -1, num_sources)
    return numbers < bounds.repeat_interleave(steps_per_frame, dim=1)
