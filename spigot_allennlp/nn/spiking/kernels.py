"""
Spiking layers on the CPU, as machine code: the simulation, driven by the spikes that come in.

Spikes are arrays of bytes, zero or one, `(batch_size, steps, ...)`. `members` are the indices of
the samples to work on, and results are written into the last argument.
"""

from typing import NamedTuple

import numpy

from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.sampling import GAMMA, splitmix64

BYTES = 8
LAST_BYTE, ONE_BYTE = numpy.uint64(255), numpy.uint64(8)


class LifConstants(NamedTuple):
    """
    `Neurons` as a step needs them; all but `refractory` in the type of the weights.

    # Parameters

    threshold : `float`
        Of firing, in the unit of the potential.
    potential_decay, current_decay : `float`
        What is left of potential and current after a step.
    current_share : `float`
        The share of the current that enters the potential in a step.
    refractory : `numpy.int32`
        In steps.
    inhibition : `float`
    """

    threshold: numpy.floating
    potential_decay: numpy.floating
    current_decay: numpy.floating
    current_share: numpy.floating
    refractory: numpy.int32
    inhibition: numpy.floating


class LifArrays(NamedTuple):
    """
    The neurons of a sample between two steps; all arrays have shape `(num_neurons,)`.

    # Parameters

    potential, current : `numpy.ndarray`
        In the type of the weights.
    refractory_steps : `numpy.ndarray`
        For so many steps the potential is still held at zero; int32.
    firing : `numpy.ndarray`
        One for the neurons that spiked in the last step, else zero; int32.
    """

    potential: numpy.ndarray
    current: numpy.ndarray
    refractory_steps: numpy.ndarray
    firing: numpy.ndarray


class SpikesByStep(NamedTuple):
    """
    The spikes of a sample: those of step t are of the sources `sources[starts[t]:starts[t + 1]]`.

    # Parameters

    starts : `numpy.ndarray`
        Shape `(steps + 1,)`.
    sources : `numpy.ndarray`
        Shape `(num_spikes,)`.
    """

    starts: numpy.ndarray
    sources: numpy.ndarray


@entry
def simulate(members, spikes, weight, connection, neurons, fired):
    """
    Writes ones into `fired`, all zeros before, where the neurons spike. `neurons` are
    `LifConstants`; `weight` has shape `(num_rows, width)` of the `connection`.
    """
    for member in members:
        _simulate_sample(spikes_by_step(spikes[member]), weight, connection, neurons, fired[member])


@kernel
def _simulate_sample(spikes, weight, connection, neurons, fired):
    """Does as `simulate` for a single sample, whose input spikes are `SpikesByStep`."""
    size = fired.shape[1]
    state = LifArrays(
        numpy.zeros(size, weight.dtype),
        numpy.zeros(size, weight.dtype),
        numpy.zeros(size, numpy.int32),
        numpy.zeros(size, numpy.int32),
    )
    for step in range(1, len(fired)):
        scale(state.potential, neurons.potential_decay)
        scale(state.current, neurons.current_decay)
        for spike in range(spikes.starts[step - 1], spikes.starts[step]):
            _receive(spikes.sources[spike], weight, connection, state.current)
        if neurons.inhibition != 0:
            _inhibit(state.firing, neurons.inhibition, state.current)
        if _integrate(state, neurons):
            for neuron in range(size):
                fired[step, neuron] = state.firing[neuron]


@kernel
def scale(values, factor):
    """Multiplies `values` by `factor`, in place."""
    for index in range(len(values)):
        values[index] *= factor


@kernel
def _receive(source, weight, connection, current):
    """Adds the weights of an input that has spiked. (Views are what the compiler vectorises.)"""
    offsets, places, width = connection.offsets, connection.places, weight.shape[1]
    for pair in range(offsets[source], offsets[source + 1]):
        currents = current[places[pair] * width : (places[pair] + 1) * width]
        row = weight[connection.rows[pair]]
        for index in range(width):
            currents[index] += row[index]


@kernel
def _inhibit(firing, strength, current):
    """Lowers the current of each neuron by `strength` for each other neuron that has spiked."""
    total = firing.sum()
    if total:
        for index in range(len(current)):
            current[index] -= strength * (total - firing[index])


@kernel
def _integrate(state, neurons):
    """Moves the potentials on, and resets those of neurons that spike; returns whether any does."""
    potential, current = state.potential, state.current
    refractory_steps, firing = state.refractory_steps, state.firing
    zero = current.dtype.type(0)
    total = 0
    for index in range(len(potential)):
        value = potential[index] + current[index] * neurons.current_share
        value = zero if refractory_steps[index] > 0 else value
        fires = numpy.int32(value > neurons.threshold)
        potential[index] = zero if fires else value
        remaining = max(refractory_steps[index] - 1, 0)
        refractory_steps[index] = neurons.refractory if fires else remaining
        firing[index] = fires
        total += fires
    return total > 0


@entry
def count_firings(members, fired, counts):
    """Writes the sums of `fired` over the steps into `counts`, `(batch_size, num_neurons)`."""
    for member in members:
        total = numpy.zeros(fired.shape[2], numpy.int32)
        for step in range(fired.shape[1]):
            row = fired[member, step]
            for neuron in range(len(row)):
                total[neuron] += row[neuron]
        counts[member] = total


@entry
def sample_spikes(members, bounds, seeds, spikes):
    """
    Writes ones into `spikes`, all zeros before, where the random number of a step and a source is
    below its bound, `(batch_size, frames, num_sources)`; sources that never spike are passed over.
    """
    frames, num_sources = bounds.shape[1:]
    steps_per_frame = spikes.shape[1] // frames
    active = numpy.empty(num_sources, numpy.int64)
    for member in members:
        for frame in range(frames):
            num_active = 0
            for source in range(num_sources):
                if bounds[member, frame, source] > 0:
                    active[num_active] = source
                    num_active += 1
            for step in range(frame * steps_per_frame, (frame + 1) * steps_per_frame):
                for source in active[:num_active]:
                    counter = numpy.uint64(step * num_sources + source + 1)
                    bits = splitmix64(seeds[member] + counter * GAMMA)
                    high = numpy.int64(bits >> numpy.uint64(32))
                    spikes[member, step, source] = high < bounds[member, frame, source]


@kernel
def spikes_by_step(spikes):
    """
    Returns the `SpikesByStep` of a sample, `(steps, num_sources)`; it passes over eight bytes at a
    time that are zero.
    """
    steps, width = spikes.shape
    starts = numpy.empty(steps + 1, numpy.int64)
    sources = numpy.empty(_count_spikes(spikes), numpy.int64)
    flat = spikes.reshape(-1)
    num_words = len(flat) // BYTES
    words = flat[: num_words * BYTES].view(numpy.uint64)
    spike, step = 0, 0
    starts[0] = 0
    # the last round is for the bytes that do not fill a word
    for word in range(num_words + 1):
        if word < num_words and words[word] == 0:
            continue
        for index in range(word * BYTES, min((word + 1) * BYTES, len(flat))):
            if flat[index]:
                while index >= (step + 1) * width:
                    step += 1
                    starts[step] = spike
                sources[spike] = index - step * width
                spike += 1
    for later in range(step + 1, steps + 1):
        starts[later] = spike
    return SpikesByStep(starts, sources)


@kernel
def _count_spikes(spikes):
    """Returns the sum of zeros and ones: of up to 255 words of eight bytes at a time."""
    flat = spikes.reshape(-1)
    num_words = len(flat) // BYTES
    words = flat[: num_words * BYTES].view(numpy.uint64)
    total = 0
    for start in range(0, num_words, 255):
        columns = numpy.uint64(0)
        for word in words[start : start + 255]:
            columns += word
        for _ in range(BYTES):
            total += numpy.int64(columns & LAST_BYTE)
            columns >>= ONE_BYTE
    for index in range(num_words * BYTES, len(flat)):
        total += flat[index]
    return total
