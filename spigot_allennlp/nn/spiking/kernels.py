"""
Spiking layers on the CPU, as machine code: the simulation, driven by incoming spikes.

Spikes are arrays of bytes, zero or one, `(batch_size, steps, ...)`. `members` are the indices of
the samples to work on. Results are written into the last argument.
"""

from functools import partial
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
    The neurons of a sample between two steps, in whole vectors and in the type of the weights. All
    arrays have shape `(1, num_neurons or more)`.

    # Parameters

    potential, current : `numpy.ndarray`
    refractory_steps : `numpy.ndarray`
        The number of steps for which the potential is still held at zero. It goes on below zero,
        and is the whole refractory period only for neurons that spiked in the last step.
    """

    potential: numpy.ndarray
    current: numpy.ndarray
    refractory_steps: numpy.ndarray


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
    reaches_all, whole_weight = is_all_to_all(connection), with_whole_vectors(weight)
    for member in members:
        train = Trains(trains.fired[member], trains.potentials[member])
        whole = _with_whole_vectors(train)
        inputs = spikes_by_step(spikes[member])
        if reaches_all:
            _simulate_all_to_all(inputs, whole_weight, neurons, whole)
        else:
            _simulate_by_place(inputs, whole_weight, connection, neurons, whole)
        size = train.fired.shape[1]
        if size < whole.fired.shape[1]:
            train.fired[:] = whole.fired[:, :size]
            train.potentials[:] = whole.potentials[:, :size]


@kernel
def _with_whole_vectors(train):
    """Returns the `Trains` of a sample with whole vectors as rows: itself, or without spikes."""
    fired, potentials = train.fired, train.potentials
    (steps, size), lanes = fired.shape, BYTES_OF_VECTOR // potentials.itemsize
    if size % lanes == 0:
        return train
    width = (size + lanes - 1) // lanes * lanes
    return Trains(
        numpy.zeros((steps, width), numpy.uint8),
        numpy.empty((len(potentials), width), potentials.dtype),
    )


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
    Simulates a sample of neurons that all inputs reach. Neurons that do not inhibit each other are
    simulated a block at a time through all steps, so that the weights of the spiking inputs stay
    contiguous in the fastest cache.
    """
    num_sources, width = weight.shape
    lanes = BYTES_OF_VECTOR // weight.itemsize
    active = active_sources(spikes, num_sources)
    active_spikes = _numbered(spikes, active, num_sources)
    block = BLOCK if neurons.inhibition == 0 else (width + BLOCK - 1) // BLOCK * BLOCK
    block_weight = numpy.zeros((len(active), block), weight.dtype)
    for first in range(0, width, block):
        last = min(first + block, width)
        for index in range(len(active)):
            for column in range(first, last, lanes):
                vector = load_row(weight, active[index], column, real(weight, 0))
                store_row(block_weight, index, column - first, vector)
        _simulate_block(active_spikes, block_weight, neurons, train, first, last)


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
    are padded to a whole block.
    """
    lanes, width = BYTES_OF_VECTOR // weight.itemsize, last_neuron - first_neuron
    state = _at_rest(weight, weight.shape[1])
    current, starts, sources = state.current, spikes.starts, spikes.sources
    zero, current_decay = real(weight, 0), real(weight, neurons.current_decay)
    for step in range(1, len(train.fired)):
        for first in range(0, weight.shape[1], VECTORS * lanes):
            second, third, fourth = first + lanes, first + 2 * lanes, first + 3 * lanes
            a = current_decay * load_row(current, 0, first, zero)
            b = current_decay * load_row(current, 0, second, zero)
            c = current_decay * load_row(current, 0, third, zero)
            d = current_decay * load_row(current, 0, fourth, zero)
            for spike in range(starts[step - 1], starts[step]):
                source = sources[spike]
                a = a + load_row(weight, source, first, zero)
                b = b + load_row(weight, source, second, zero)
                c = c + load_row(weight, source, third, zero)
                d = d + load_row(weight, source, fourth, zero)
            store_row(current, 0, first, a)
            store_row(current, 0, second, b)
            store_row(current, 0, third, c)
            store_row(current, 0, fourth, d)
        _integrate(step, first_neuron, width, neurons, state, train)


@kernel
def _simulate_by_place(spikes, weight, connection, neurons, train):
    """
    Simulates a sample of neurons in places. A row of weights ends with zeros, which are added to
    the currents of the next place.
    """
    lanes, size = BYTES_OF_VECTOR // weight.itemsize, train.fired.shape[1]
    state = _at_rest(weight, size + weight.shape[1])
    current, starts, sources = state.current, spikes.starts, spikes.sources
    offsets, rows, places = connection.offsets, connection.rows, connection.places
    width = connection.width
    zero, current_decay = real(weight, 0), real(weight, neurons.current_decay)
    for step in range(1, len(train.fired)):
        for column in range(0, size, lanes):
            store_row(current, 0, column, current_decay * load_row(current, 0, column, zero))
        for spike in range(starts[step - 1], starts[step]):
            source = sources[spike]
            for pair in range(offsets[source], offsets[source + 1]):
                row, first = rows[pair], places[pair] * width
                for column in range(0, weight.shape[1], lanes):
                    value = load_row(current, 0, first + column, zero)
                    value = value + load_row(weight, row, column, zero)
                    store_row(current, 0, first + column, value)
        _integrate(step, 0, size, neurons, state, train)


@kernel
def _at_rest(weight, size):
    """Returns the `LifArrays` of so many neurons before the first step."""
    return LifArrays(
        numpy.zeros((1, size), weight.dtype),
        numpy.zeros((1, size), weight.dtype),
        numpy.zeros((1, size), weight.dtype),
    )


@partial(kernel, forceinline=True)  # a call for each block and step would be a sixth of the time
def _integrate(step, first_neuron, size, neurons, state, train):
    """
    Lowers the currents by the inhibition among the neurons, advances the potentials, resets those
    of neurons that spike, and writes spikes and potentials of a step. The neurons are `size`, whole
    vectors, from `first_neuron` on in `train`, and from 0 on in `state`.
    """
    fired, potentials = train.fired, train.potentials
    current, potential = state.current, state.potential
    refractory_steps, lanes = state.refractory_steps, BYTES_OF_VECTOR // current.itemsize
    keeps_potentials, held = len(potentials) > 0, real(current, -numpy.inf)
    zero, one, minus_one = real(current, 0), real(current, 1), real(current, -1)
    threshold, refractory = real(current, neurons.threshold), real(current, neurons.refractory)
    potential_decay = real(current, neurons.potential_decay)
    share, inhibition = real(current, neurons.current_share), real(current, -neurons.inhibition)
    total = 0
    if neurons.inhibition != 0:
        for neuron in range(first_neuron, first_neuron + size):
            total += fired[step - 1, neuron]
    for column in range(0, size, lanes):
        value = load_row(current, 0, column, zero)
        remaining = load_row(refractory_steps, 0, column, zero)
        if total:
            before = where_above(remaining, refractory + minus_one, one, zero)
            value = value + inhibition * (real(current, total) + minus_one * before)
            store_row(current, 0, column, value)
        value = potential_decay * load_row(potential, 0, column, zero) + share * value
        if keeps_potentials:
            kept = where_above(remaining, zero, held, value)
            store_row(potentials, step, first_neuron + column, kept)
        value = where_above(remaining, zero, zero, value)
        store_row(potential, 0, column, where_above(value, threshold, zero, value))
        remaining = where_above(value, threshold, refractory, remaining + minus_one)
        store_row(refractory_steps, 0, column, remaining)
        store_above(fired, step, first_neuron + column, value, threshold)


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
