"""
Spiking layers on the CPU, as machine code: the simulation, driven by incoming spikes.

Spikes are arrays of bytes, zero or one, `(batch_size, steps, ...)`. `members` are the indices of
the samples to work on. Results are written into the last argument.
"""

from typing import NamedTuple

import numpy
from numba.cpython.unsafe.numbers import trailing_zeros

from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.sampling import GAMMA, splitmix64
from spigot_allennlp.nn.semirings.numbers import BYTES as BYTES_OF_VECTOR
from spigot_allennlp.nn.semirings.numbers import real
from spigot_allennlp.nn.vectors import (
    load_row,
    store_above,
    store_row,
    where_above,
    with_whole_vectors,
)

BYTES = 8
LARGEST_BYTE = 255
ONE_BYTE = numpy.uint64(8)
INDEX = numpy.int32
# The number of vectors of neurons that are summed together; and the number of neurons that go
# through all steps together, four vectors in single precision.
VECTORS, BLOCK = 4, 64


class LifConstants(NamedTuple):
    """
    `Neurons` in the form for a step, all except `refractory` in the type of the weights.

    # Parameters

    threshold : `float`
        For firing, in the unit of the potential.
    potential_decay, current_decay : `float`
        The remaining share of potential and current after a step.
    current_share : `float`
        The share of the current that is added to the potential in a step.
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
    The neurons of a sample between two steps. All arrays have shape `(num_neurons,)`.

    # Parameters

    potential, current : `numpy.ndarray`
        In the type of the weights.
    refractory_steps : `numpy.ndarray`
        The number of steps for which the potential is still held at zero; int32.
    firing : `numpy.ndarray`
        One for the neurons that spiked in the last step, otherwise zero; int32.
    """

    potential: numpy.ndarray
    current: numpy.ndarray
    refractory_steps: numpy.ndarray
    firing: numpy.ndarray


class SpikesByStep(NamedTuple):
    """
    The spikes of a sample: those of step t come from `sources[starts[t]:starts[t + 1]]`.

    # Parameters

    starts : `numpy.ndarray`
        Shape `(steps + 1,)`.
    sources : `numpy.ndarray`
        Shape `(num_spikes,)`.
    """

    starts: numpy.ndarray
    sources: numpy.ndarray


class SpikesBySource(NamedTuple):
    """
    The spikes of a sample: those of source j are at the steps `steps[starts[j]:starts[j + 1]]`.

    # Parameters

    starts : `numpy.ndarray`
        Shape `(num_sources + 1,)`.
    steps : `numpy.ndarray`
        Shape `(num_spikes,)`.
    """

    starts: numpy.ndarray
    steps: numpy.ndarray


class Trains(NamedTuple):
    """
    The activity of neurons over time.

    # Parameters

    fired : `numpy.ndarray`
        Their spikes.
    potentials : `numpy.ndarray`
        In the type of the weights and the shape of `fired`: those that are compared with the
        threshold, and minus infinity where they are held at zero. Without steps if not requested.
    """

    fired: numpy.ndarray
    potentials: numpy.ndarray


@entry
def simulate(members, spikes, weight, connection, neurons, trains):
    """
    Writes ones into the spikes of `trains`, which hold zeros before, where the neurons spike, and
    writes their potentials. `neurons` is a `LifConstants`; `weight` has shape `(num_rows, width)`
    of the `connection`.
    """
    if is_all_to_all(connection):
        whole_weight = with_whole_vectors(weight)
        for member in members:
            train = Trains(trains.fired[member], trains.potentials[member])
            _simulate_all_to_all(spikes_by_step(spikes[member]), whole_weight, neurons, train)
        return
    for member in members:
        train = Trains(trains.fired[member], trains.potentials[member])
        _simulate_sample(spikes_by_step(spikes[member]), weight, connection, neurons, train)


@kernel
def is_all_to_all(connection):
    """Returns whether every input reaches the only place, with its own row of the weights."""
    rows, offsets = connection.rows, connection.offsets
    if connection.num_places != 1 or len(rows) != len(offsets) - 1:
        return False
    for pair in range(len(rows)):
        if rows[pair] != pair or offsets[pair] != pair:
            return False
    return True


@kernel
def _simulate_all_to_all(spikes, weight, neurons, train):
    """
    Like `_simulate_sample`, for neurons that all inputs reach, with weights in whole vectors.
    Neurons that do not inhibit each other are simulated a block at a time through all steps, so
    that the weights of the spiking inputs stay contiguous in the fastest cache.
    """
    fired, potentials = train.fired, train.potentials
    steps, size = fired.shape
    num_sources, width = weight.shape
    lanes = BYTES_OF_VECTOR // weight.itemsize
    active = active_sources(spikes, num_sources)
    active_spikes = _numbered(spikes, active, num_sources)
    whole_fired = fired if width == size else numpy.zeros((steps, width), numpy.uint8)
    whole_potentials = with_whole_vectors(potentials)
    whole = Trains(whole_fired, whole_potentials)
    block = BLOCK if neurons.inhibition == 0 else (width + BLOCK - 1) // BLOCK * BLOCK
    block_weight = numpy.zeros((len(active), block), weight.dtype)
    for first in range(0, width, block):
        last = min(first + block, width)
        for index in range(len(active)):
            for column in range(first, last, lanes):
                vector = load_row(weight, active[index], column, real(weight, 0))
                store_row(block_weight, index, column - first, vector)
        _simulate_block(active_spikes, block_weight, neurons, whole, first, min(last, size))
    if width > size:
        for step in range(1, steps):
            for neuron in range(size):
                fired[step, neuron] = whole_fired[step, neuron]
        potentials[:] = whole_potentials[:, :size]


@kernel
def active_sources(spikes, num_sources):
    """Returns the sources that spike. `spikes` is a `SpikesByStep`."""
    spikes_at_all, active = numpy.zeros(num_sources, numpy.bool_), numpy.empty(num_sources, INDEX)
    for source in spikes.sources:
        spikes_at_all[source] = True
    count = 0
    for source in range(num_sources):
        active[count] = source
        count += spikes_at_all[source]
    return active[:count]


@kernel
def _numbered(spikes, active, num_sources):
    """Returns the spikes with sources given as indices into `active`."""
    index_of, sources = numpy.empty(num_sources, INDEX), numpy.empty(len(spikes.sources), INDEX)
    for index in range(len(active)):
        index_of[active[index]] = index
    for spike in range(len(sources)):
        sources[spike] = index_of[spikes.sources[spike]]
    return SpikesByStep(spikes.starts, sources)


@kernel
def _simulate_block(spikes, weight, neurons, train, first_neuron, last_neuron):
    """
    Writes the spikes of the neurons from the first to the last, the latter excluded. Their weights
    are padded to a whole block, their spikes and potentials to whole vectors. The remaining
    refractory period is also counted in the type of the weights.
    """
    fired, potentials = train.fired, train.potentials
    keeps_potentials, held = len(potentials) > 0, real(weight, -numpy.inf)
    lanes = BYTES_OF_VECTOR // weight.itemsize
    potential, current, refractory_steps = (
        numpy.zeros((1, weight.shape[1]), weight.dtype),
        numpy.zeros((1, weight.shape[1]), weight.dtype),
        numpy.zeros((1, weight.shape[1]), weight.dtype),
    )
    zero, one, minus_one = real(weight, 0), real(weight, 1), real(weight, -1)
    threshold, refractory = real(weight, neurons.threshold), real(weight, neurons.refractory)
    potential_decay = real(weight, neurons.potential_decay)
    current_decay = real(weight, neurons.current_decay)
    share, inhibition = real(weight, neurons.current_share), real(weight, -neurons.inhibition)
    for step in range(1, len(fired)):
        start, stop = spikes.starts[step - 1], spikes.starts[step]
        total = 0
        if neurons.inhibition != 0:
            for neuron in range(first_neuron, last_neuron):
                total += fired[step - 1, neuron]
        for first in range(0, weight.shape[1], VECTORS * lanes):
            second, third, fourth = first + lanes, first + 2 * lanes, first + 3 * lanes
            a = current_decay * load_row(current, 0, first, zero)
            b = current_decay * load_row(current, 0, second, zero)
            c = current_decay * load_row(current, 0, third, zero)
            d = current_decay * load_row(current, 0, fourth, zero)
            for spike in range(start, stop):
                source = spikes.sources[spike]
                a = a + load_row(weight, source, first, zero)
                b = b + load_row(weight, source, second, zero)
                c = c + load_row(weight, source, third, zero)
                d = d + load_row(weight, source, fourth, zero)
            store_row(current, 0, first, a)
            store_row(current, 0, second, b)
            store_row(current, 0, third, c)
            store_row(current, 0, fourth, d)
        for first in range(0, last_neuron - first_neuron, lanes):
            value = load_row(current, 0, first, zero)
            remaining = load_row(refractory_steps, 0, first, zero)
            if total:
                before = where_above(remaining, refractory + minus_one, one, zero)
                value = value + inhibition * (real(weight, total) + minus_one * before)
                store_row(current, 0, first, value)
            value = potential_decay * load_row(potential, 0, first, zero) + share * value
            if keeps_potentials:
                kept = where_above(remaining, zero, held, value)
                store_row(potentials, step, first_neuron + first, kept)
            value = where_above(remaining, zero, zero, value)
            store_row(potential, 0, first, where_above(value, threshold, zero, value))
            remaining = where_above(value, threshold, refractory, remaining + minus_one)
            store_row(refractory_steps, 0, first, remaining)
            store_above(fired, step, first_neuron + first, value, threshold)


@kernel
def _simulate_sample(spikes, weight, connection, neurons, train):
    """Like `simulate`, for a single sample with input spikes as `SpikesByStep`."""
    fired, potentials = train.fired, train.potentials
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
        if len(potentials):
            _keep_potentials(state, neurons.current_share, potentials[step])
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
    """Adds the weights of an input that has spiked. (The compiler only vectorises views.)"""
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
def _keep_potentials(state, share, potentials):
    """Writes the values that `_integrate` will compare with the threshold into `potentials`."""
    for index in range(len(potentials)):
        value = state.potential[index] + state.current[index] * share
        potentials[index] = -numpy.inf if state.refractory_steps[index] > 0 else value


@kernel
def _integrate(state, neurons):
    """Advances the potentials, and resets those of neurons that spike. Returns whether any does."""
    potential, current = state.potential, state.current
    refractory_steps, firing = state.refractory_steps, state.firing
    threshold, share, refractory = neurons.threshold, neurons.current_share, neurons.refractory
    zero, none, one = current.dtype.type(0), numpy.int32(0), numpy.int32(1)
    total = none
    for index in range(len(potential)):
        value = potential[index] + current[index] * share
        remaining = refractory_steps[index]
        value = zero if remaining > none else value
        fires = value > threshold
        potential[index] = zero if fires else value
        remaining = remaining - one if remaining > none else none
        refractory_steps[index] = refractory if fires else remaining
        firing[index] = one if fires else none
        total += one if fires else none
    return total > none


@entry
def count_firings(members, fired, counts):
    """
    Adds the sums of `fired` over the steps to `counts`, `(batch_size, num_neurons)`. Sums of up to
    `LARGEST_BYTE` steps use bytes, to fit the most numbers into a vector.
    """
    for member in members:
        for first in range(0, fired.shape[1], LARGEST_BYTE):
            total = numpy.zeros(fired.shape[2], numpy.uint8)
            for step in range(first, min(first + LARGEST_BYTE, fired.shape[1])):
                row = fired[member, step]
                for neuron in range(len(row)):
                    total[neuron] += row[neuron]
            for neuron in range(len(total)):
                counts[member, neuron] += total[neuron]


@entry
def sample_spikes(members, bounds, seeds, spikes):
    """
    Writes ones into `spikes`, which hold zeros before, where the random number of a step and a
    source is below its bound, `(batch_size, frames, num_sources)`. Sources that never spike are
    skipped.
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
    Returns the `SpikesByStep` of a sample, `(steps, num_sources)`: first finds the nonzero words of
    eight bytes, without branches that depend on them, then the spikes in these.
    """
    steps, width = spikes.shape
    flat = spikes.reshape(-1)
    num_words = len(flat) // BYTES
    words = flat[: num_words * BYTES].view(numpy.uint64)
    nonzero, num_nonzero = numpy.empty(num_words + 1, numpy.int32), 0
    for word in range(num_words):
        nonzero[num_nonzero] = word
        num_nonzero += words[word] != 0
    nonzero[num_nonzero] = num_words  # the bytes that do not fill a word
    starts = numpy.empty(steps + 1, numpy.int64)
    sources = numpy.empty((num_nonzero + 1) * BYTES, numpy.int32)
    spike, step, start_of_next = 0, 0, width
    starts[0] = 0
    for word in nonzero[: num_nonzero + 1]:
        bits = words[word] if word < num_words else _last_word(flat)
        while bits:
            index = word * BYTES + (numpy.int64(trailing_zeros(bits)) >> 3)
            bits &= bits - numpy.uint64(1)
            while index >= start_of_next:
                step += 1
                starts[step] = spike
                start_of_next += width
            sources[spike] = index - start_of_next + width
            spike += 1
    for later in range(step + 1, steps + 1):
        starts[later] = spike
    return SpikesByStep(starts, sources[:spike])


@kernel
def _last_word(flat):
    """Returns the remaining bytes as a word, padded with zeros."""
    word = numpy.uint64(0)
    for index in range(len(flat) - 1, len(flat) // BYTES * BYTES - 1, -1):
        word = (word << ONE_BYTE) | numpy.uint64(flat[index])
    return word


@kernel
def by_source(spikes, num_sources):
    """Sorts `SpikesByStep` by their source."""
    starts = numpy.zeros(num_sources + 1, numpy.int64)
    steps = numpy.empty(len(spikes.sources), numpy.int32)
    for source in spikes.sources:
        starts[source + 1] += 1
    for source in range(num_sources):
        starts[source + 1] += starts[source]
    nexts = starts.copy()
    for step in range(len(spikes.starts) - 1):
        for spike in range(spikes.starts[step], spikes.starts[step + 1]):
            source = spikes.sources[spike]
            steps[nexts[source]] = step
            nexts[source] += 1
    return SpikesBySource(starts, steps)
