"""
HM2-BP through a layer on the CPU, as machine code: S-PSPs (see `psp.py`), and the gradients from
them (see `hm2_bp.py`). Spikes and `members` are as in `kernels.py`.
"""

from typing import NamedTuple

import numpy

from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.semirings.numbers import BYTES as BYTES_OF_VECTOR
from spigot_allennlp.nn.semirings.numbers import real
from spigot_allennlp.nn.spiking.connection import Connection
from spigot_allennlp.nn.spiking.kernels import (
    BLOCK,
    INDEX,
    SpikesBySource,
    SpikesByStep,
    by_source,
    is_all_to_all,
    spikes_by_step,
)
from spigot_allennlp.nn.spiking.neurons import PspDecays
from spigot_allennlp.nn.spiking.traces import are_ready, fill_s_psp_by_traces, powers
from spigot_allennlp.nn.vectors import (
    add_rows,
    load_row,
    store_row,
    where_above,
    with_whole_vectors,
)

# The number of neurons whose gradients are computed together, if inputs reach different places.
NEURONS_TOGETHER = 256


class GradientArrays(NamedTuple):
    """
    A `SpikeGradientProblem` as arrays, with all numbers except spikes in the type of the weights.

    # Parameters

    spikes, fired : `numpy.ndarray`
        The spikes of inputs and neurons, `(batch_size, steps, ...)`.
    weight : `numpy.ndarray`
        Shape `(num_rows, width)` of the `connection`.
    delta, inhibition_factor : `numpy.ndarray`
        Shape `(batch_size, num_neurons)`.
    connection : `Connection`
    decays : `PspDecays`
    rate_correction : `float`
        The inverse of the threshold; zero for no correction.
    least_correction : `float`
        The lower bound of the rate correction factor.
    subthreshold_potential, subthreshold_ratio : `float`
        See `HM2BPOptions`.
    """

    spikes: numpy.ndarray
    fired: numpy.ndarray
    weight: numpy.ndarray
    delta: numpy.ndarray
    inhibition_factor: numpy.ndarray
    connection: Connection
    decays: PspDecays
    rate_correction: numpy.floating
    least_correction: numpy.floating
    subthreshold_potential: numpy.floating
    subthreshold_ratio: numpy.floating


class MicroLevel(NamedTuple):
    """
    The data for the gradients of a sample.

    # Parameters

    inputs : `SpikesBySource`
    firing_counts : `numpy.ndarray`
        Of the neurons, shape `(num_neurons,)`.
    s_psp : `numpy.ndarray`
        Shape `(num_inputs, num_neurons)`: the S-PSPs of inputs that all reach all neurons.
        Undefined for inputs that do not spike.
    """

    inputs: SpikesBySource
    firing_counts: numpy.ndarray
    s_psp: numpy.ndarray


class PairsByPlace(NamedTuple):
    """
    The pairs of a `Connection`, sorted by place: those of place p are from `offsets[p]` to
    `offsets[p + 1]`, in the order of their inputs.

    # Parameters

    offsets : `numpy.ndarray`
        Shape `(num_places + 1,)`.
    sources, rows : `numpy.ndarray`
        Shape `(num_pairs,)`: for each pair, the input, and the row of the weights.
    """

    offsets: numpy.ndarray
    sources: numpy.ndarray
    rows: numpy.ndarray


class PlaceArrays(NamedTuple):
    """
    What the gradients of a sample are computed from and added to, some places at a time. Rows of
    neurons go on after the last one, so that each place can be read in whole vectors. Their other
    lanes have the neurons of the next place, or zeros; what comes of these is not used.

    # Parameters

    per_spike : `numpy.ndarray`
        The PSP per spike of the neurons of these places, shape `(steps, num_neurons or more)`.
    s_psp : `numpy.ndarray`
        The S-PSPs of the pairs of these places, shape `(num_pairs, width or more)`; undefined for
        inputs that do not spike.
    firing_counts, total_psp, delta, scales : `numpy.ndarray`
        Of all neurons, shape `(1, num_neurons or more)`. `scales` are the factors of the gradients
        of weights, at first without the correction for the neuron's own rate.
    weight, weight_gradient : `numpy.ndarray`
        Shape `(num_rows, width or more)`; the weights end with zeros.
    count_gradient : `numpy.ndarray`
        Shape `(num_inputs, lanes)`: the gradient of each input's count, as a vector whose lanes are
        still to be summed; without inputs if not requested.
    """

    per_spike: numpy.ndarray
    s_psp: numpy.ndarray
    firing_counts: numpy.ndarray
    total_psp: numpy.ndarray
    delta: numpy.ndarray
    scales: numpy.ndarray
    weight: numpy.ndarray
    weight_gradient: numpy.ndarray
    count_gradient: numpy.ndarray


class PspState(NamedTuple):
    """
    The state of the pass from the last step to the first that sums `eps` over the spikes of a
    neuron, for an input that arrives at the current step.

    # Parameters

    next_spike, next_step : `numpy.ndarray`
        The index of the neuron's next spike in the list of all spikes, and its step; shape
        `(num_neurons,)`.
    membrane, synapse : `numpy.ndarray`
        Shape `(1, num_neurons)`: the exponentials of the time until then, as long as an arrival
        counts towards that spike at once, otherwise zero.
    deferred : `numpy.ndarray`
        Shape `(1, num_neurons)`: the PSP of arrivals before the neuron is ready, which stay
        synaptic current until it is.
    deferred_at_expiry : `numpy.ndarray`
        Shape `(num_spikes,)`: for each spike, the remainder of its share of that current when an
        arrival leaves its window.
    synapse_powers : `numpy.ndarray`
        Shape `(steps + window + 1,)`: what is left of a synaptic current after each number of
        steps.
    """

    next_spike: numpy.ndarray
    next_step: numpy.ndarray
    membrane: numpy.ndarray
    synapse: numpy.ndarray
    deferred: numpy.ndarray
    deferred_at_expiry: numpy.ndarray
    synapse_powers: numpy.ndarray


@entry
def gradients(members, problem, weight_gradient, count_gradient):
    """
    Adds the gradients of the weights for some samples to `weight_gradient`, `(num_rows, width)`,
    and writes those of the inputs' counts into `count_gradient`, `(batch_size, num_inputs)`, which
    holds zeros before, if it has any samples. `problem` is a `GradientArrays`.
    """
    weight, connection = problem.weight, problem.connection
    total_weight = _total_weight(weight, connection, problem.fired.shape[2])
    silent_total = problem.subthreshold_ratio * total_weight
    if is_all_to_all(connection):
        _add_gradients_of_all(members, problem, silent_total, weight_gradient, count_gradient)
    else:
        _add_gradients_by_place(members, problem, silent_total, weight_gradient, count_gradient)


@kernel
def _add_gradients_of_all(members, problem, silent_total, weight_gradient, count_gradient):
    """Like `gradients`, for neurons that all inputs reach."""
    steps, num_neurons = problem.fired.shape[1:]
    num_inputs = len(problem.weight)
    per_spike = with_whole_vectors(numpy.zeros((steps, num_neurons), problem.weight.dtype))
    s_psp = numpy.empty((num_inputs, per_spike.shape[1]), problem.weight.dtype)
    for member in members:
        delta = problem.delta[member]
        if not delta.any():
            continue
        fired = spikes_by_step(problem.fired[member])
        inputs_by_step = spikes_by_step(problem.spikes[member])
        inputs = by_source(inputs_by_step, num_inputs)
        counts = _firing_counts(fired.sources, num_neurons, problem.weight)
        micro = MicroLevel(inputs, counts, s_psp)
        active = _active_sources(inputs)
        fired_by_source = by_source(fired, num_neurons)
        if _traces_are_faster(inputs, active, fired_by_source, problem):
            fill_s_psp_by_traces(inputs_by_step, active, fired_by_source, problem.decays, s_psp)
        else:
            _fill_psp_per_spike(fired, problem.decays, per_spike)
            _fill_s_psp_of_all(per_spike, active, inputs, s_psp)
        total_psp = _sum_psp_of_all(active, problem, micro)
        scales = delta * problem.inhibition_factor[member]
        _correct_rates(scales, total_psp, silent_total, counts, problem)
        for source in active:
            _multiply_add(scales, s_psp[source], weight_gradient[source])
        if len(count_gradient):
            _add_count_gradient_of_all(micro, problem, delta, count_gradient[member])


@kernel
def _add_gradients_by_place(members, problem, silent_total, weight_gradient, count_gradient):
    """Like `gradients`, some places at a time, so that what they need stays in a fast cache."""
    connection, width = problem.connection, problem.weight.shape[1]
    num_inputs, num_neurons = len(connection.offsets) - 1, problem.fired.shape[2]
    num_places, num_together = connection.num_places, max(NEURONS_TOGETHER // width, 1)
    pairs = _pairs_by_place(connection)
    arrays = _place_arrays(problem, pairs, num_together, len(count_gradient) > 0)
    for member in members:
        delta = problem.delta[member]
        if not delta.any():
            continue
        fired = spikes_by_step(problem.fired[member])
        inputs = by_source(spikes_by_step(problem.spikes[member]), num_inputs)
        counts = _firing_counts(fired.sources, num_neurons, problem.weight)
        arrays.firing_counts[0, :num_neurons] = counts
        arrays.delta[0, :num_neurons] = delta
        arrays.scales[0, :num_neurons] = delta * problem.inhibition_factor[member]
        arrays.count_gradient[:] = 0
        nexts = fired.starts[:-1].copy()
        for start in range(0, num_places, num_together):
            stop = min(start + num_together, num_places)
            first, last = start * width, stop * width
            fired_together = _next_spikes(fired, nexts, first, last)
            if len(fired_together.sources):
                _fill_psp_per_spike(fired_together, problem.decays, arrays.per_spike)
            _fill_s_psp_of_places(start, stop, inputs, pairs, problem, arrays)
            scales, total_psp = arrays.scales[0, first:last], arrays.total_psp[0, first:last]
            silent, spiking = silent_total[first:last], counts[first:last]
            _correct_rates(scales, total_psp, silent, spiking, problem)
            _add_weight_gradient_of_places(start, stop, inputs, pairs, problem, arrays)
            if len(count_gradient):
                _add_count_gradient_of_places(start, stop, inputs, pairs, problem, arrays)
        sums = arrays.count_gradient
        for source in range(len(sums)):
            for lane in range(min(width, sums.shape[1])):
                count_gradient[member, source] += sums[source, lane]
    weight_gradient += arrays.weight_gradient[:, :width]


@kernel
def _place_arrays(problem, pairs, num_together, needs_count_gradient):
    """Returns the `PlaceArrays` of a problem, for so many places at a time."""
    weight, num_inputs = with_whole_vectors(problem.weight), len(problem.connection.offsets) - 1
    steps, num_neurons = problem.fired.shape[1:]
    width, whole_width, lanes = (
        problem.weight.shape[1],
        weight.shape[1],
        BYTES_OF_VECTOR // weight.itemsize,
    )
    size, size_together = num_neurons + whole_width - width, num_together * width + whole_width
    num_pairs = 0
    for start in range(0, problem.connection.num_places, num_together):
        stop = min(start + num_together, problem.connection.num_places)
        num_pairs = max(num_pairs, pairs.offsets[stop] - pairs.offsets[start])
    return PlaceArrays(
        with_whole_vectors(numpy.zeros((steps, size_together), weight.dtype)),
        numpy.empty((num_pairs, whole_width), weight.dtype),
        numpy.zeros((1, size), weight.dtype),
        numpy.zeros((1, size), weight.dtype),
        numpy.zeros((1, size), weight.dtype),
        numpy.zeros((1, size), weight.dtype),
        weight,
        numpy.zeros(weight.shape, weight.dtype),
        numpy.zeros((num_inputs if needs_count_gradient else 0, lanes), weight.dtype),
    )


@kernel
def _pairs_by_place(connection):
    """Returns the `PairsByPlace` of a connection."""
    num_pairs = len(connection.rows)
    offsets = numpy.zeros(connection.num_places + 1, numpy.int64)
    for place in connection.places:
        offsets[place + 1] += 1
    for place in range(connection.num_places):
        offsets[place + 1] += offsets[place]
    sources, rows = numpy.empty(num_pairs, INDEX), numpy.empty(num_pairs, INDEX)
    nexts = offsets.copy()
    for source in range(len(connection.offsets) - 1):
        for pair in range(connection.offsets[source], connection.offsets[source + 1]):
            place = connection.places[pair]
            sources[nexts[place]], rows[nexts[place]] = source, connection.rows[pair]
            nexts[place] += 1
    return PairsByPlace(offsets, sources, rows)


@kernel
def _next_spikes(fired, nexts, first, last):
    """
    Returns the `SpikesByStep` of the neurons from the first to the last, the latter excluded,
    counted from the first. `nexts` are the indices of their first spikes in each step, and
    afterwards those of the neurons that follow.
    """
    steps = len(nexts)
    starts = numpy.zeros(steps + 1, numpy.int64)
    for step in range(steps):
        spike, stop = nexts[step], fired.starts[step + 1]
        while spike < stop and fired.sources[spike] < last:
            spike += 1
        starts[step + 1] = starts[step] + spike - nexts[step]
        nexts[step] = spike
    sources = numpy.empty(starts[steps], INDEX)
    for step in range(steps):
        before = nexts[step] - starts[step + 1]
        for spike in range(starts[step], starts[step + 1]):
            sources[spike] = fired.sources[before + spike] - first
    return SpikesByStep(starts, sources)


@kernel
def _fill_s_psp_of_places(start, stop, inputs, pairs, problem, arrays):
    """
    Fills the S-PSPs of the places from `start` to `stop`, the latter excluded, and the total PSPs
    of their neurons, the sums over their inputs of weight times S-PSP.
    """
    # An array has a name of its own where a loop uses it. As an attribute of a tuple, it would be
    # counted as referred to anew each time.
    starts, steps, offsets = inputs.starts, inputs.steps, pairs.offsets
    sources, rows, s_psp = pairs.sources, pairs.rows, arrays.s_psp
    weight, per_spike, total_psp = arrays.weight, arrays.per_spike, arrays.total_psp
    firing_counts, width = arrays.firing_counts, problem.weight.shape[1]
    zero, subthreshold = real(s_psp, 0), real(s_psp, problem.subthreshold_potential)
    for place in range(start, stop):
        first, num_spikes = place * width, firing_counts[0, place * width]
        for neuron in range(first + 1, first + width):
            num_spikes += firing_counts[0, neuron]
        for column in range(0, s_psp.shape[1], BYTES_OF_VECTOR // s_psp.itemsize):
            counts, total = load_row(firing_counts, 0, first + column, zero), zero
            filled = (place - start) * width + column
            for pair in range(offsets[place], offsets[place + 1]):
                source, value = sources[pair], subthreshold
                if starts[source] == starts[source + 1]:
                    continue
                if num_spikes > 0:
                    value = zero
                    for spike in range(starts[source], starts[source + 1]):
                        value = value + load_row(per_spike, steps[spike], filled, zero)
                    value = where_above(counts, zero, value, subthreshold)
                store_row(s_psp, pair - offsets[start], column, value)
                total = total + load_row(weight, rows[pair], column, zero) * value
            # beyond the place it writes zeros, over which the next place writes
            store_row(total_psp, 0, first + column, total)


@kernel
def _add_weight_gradient_of_places(start, stop, inputs, pairs, problem, arrays):
    """Adds the S-PSPs of some places, scaled neuron by neuron, to the gradient of their weights."""
    starts, offsets, sources, rows = inputs.starts, pairs.offsets, pairs.sources, pairs.rows
    gradient, s_psp, scales = arrays.weight_gradient, arrays.s_psp, arrays.scales
    width, zero = problem.weight.shape[1], real(s_psp, 0)
    for place in range(start, stop):
        for column in range(0, s_psp.shape[1], BYTES_OF_VECTOR // s_psp.itemsize):
            scale = load_row(scales, 0, place * width + column, zero)
            for pair in range(offsets[place], offsets[place + 1]):
                if starts[sources[pair]] < starts[sources[pair] + 1]:
                    term = scale * load_row(s_psp, pair - offsets[start], column, zero)
                    total = load_row(gradient, rows[pair], column, zero) + term
                    store_row(gradient, rows[pair], column, total)


@kernel
def _add_count_gradient_of_places(start, stop, inputs, pairs, problem, arrays):
    """
    Adds to the gradient of the count of each input that reaches some places the products of delta,
    weight and S-PSP, divided by the count.
    """
    starts, offsets, sources, rows = inputs.starts, pairs.offsets, pairs.sources, pairs.rows
    weight, delta, firing_counts = arrays.weight, arrays.delta, arrays.firing_counts
    gradient, s_psp, width = arrays.count_gradient, arrays.s_psp, problem.weight.shape[1]
    zero, one = real(s_psp, 0), real(s_psp, 1)
    for place in range(start, stop):
        for pair in range(offsets[place], offsets[place + 1]):
            source, row = sources[pair], rows[pair]
            count = starts[source + 1] - starts[source]
            share = real(s_psp, 1 / max(count, 1))
            total = load_row(gradient, source, 0, zero)
            for column in range(0, s_psp.shape[1], BYTES_OF_VECTOR // s_psp.itemsize):
                neuron = place * width + column
                term = load_row(delta, 0, neuron, zero) * load_row(weight, row, column, zero)
                if count > 0:
                    counts = load_row(firing_counts, 0, neuron, zero)
                    quotient = share * load_row(s_psp, pair - offsets[start], column, zero)
                    term = term * where_above(counts, zero, quotient, one)
                total = total + term
            store_row(gradient, source, 0, total)


@kernel
def _total_weight(weight, connection, num_neurons):
    """Returns the sum of the weights of each neuron."""
    width, places = weight.shape[1], connection.places
    total = numpy.zeros(num_neurons, weight.dtype)
    for pair in range(len(connection.rows)):
        totals = total[places[pair] * width : (places[pair] + 1) * width]
        row = weight[connection.rows[pair]]
        for index in range(width):
            totals[index] += row[index]
    return total


@kernel
def _firing_counts(sources, num_neurons, weight):
    """Returns how often each neuron fired, in the type of the weights."""
    counts = numpy.zeros(num_neurons, weight.dtype)
    for source in sources:
        counts[source] += 1
    return counts


@kernel
def _active_sources(inputs):
    """Returns the sources that spike. `inputs` is a `SpikesBySource`."""
    active, count = numpy.empty(len(inputs.starts) - 1, numpy.int64), 0
    for source in range(len(active)):
        active[count] = source
        count += inputs.starts[source] < inputs.starts[source + 1]
    return active[:count]


@kernel
def _traces_are_faster(inputs, active, fired, problem):
    """
    Returns whether, for these spikes at neurons that all inputs reach, S-PSPs have fewer terms as
    sums of traces than as sums of PSPs per spike, including the cost of computing either.
    """
    steps, num_neurons = problem.fired.shape[1:]
    by_spikes_of_inputs = num_neurons * (len(inputs.steps) + 2 * steps)
    by_spikes_of_neurons = len(active) * (2 * len(fired.steps) + 2 * steps)
    is_less = by_spikes_of_neurons < by_spikes_of_inputs
    return is_less and are_ready(fired, problem.decays.refractory)


@kernel
def _fill_s_psp_of_all(per_spike, active, inputs, s_psp):
    """
    Fills the S-PSPs at neurons that all inputs reach, where `per_spike` and S-PSPs are whole
    vectors: a few neurons at a time, so that their PSPs per spike stay in a fast cache.
    """
    starts, steps, width = inputs.starts, inputs.steps, s_psp.shape[1]
    for first in range(0, width, BLOCK):
        last = min(first + BLOCK, width)
        for source in active:
            s_psp[source, first:last] = 0
            source_steps = steps[starts[source] : starts[source + 1]]
            add_rows(per_spike, source_steps, first, last, s_psp, source)


@kernel
def _sum_psp_of_all(active, problem, micro):
    """
    Replaces the S-PSPs of neurons that do not spike, where all inputs reach all neurons. Returns
    the total PSP of each neuron, the sum over its inputs of weight times S-PSP.
    """
    total = numpy.zeros(len(micro.firing_counts), micro.s_psp.dtype)
    for source in active:
        values = micro.s_psp[source, : len(total)]
        _replace_below_threshold(micro.firing_counts, problem.subthreshold_potential, values)
        _multiply_add(problem.weight[source], values, total)
    return total


@kernel
def _multiply_add(factors, values, total):
    """Adds `factors` times `values`, elementwise, to `total`."""
    for index in range(len(total)):
        total[index] += factors[index] * values[index]


@kernel
def _replace_below_threshold(firing_counts, subthreshold_potential, s_psp):
    """Replaces S-PSPs at neurons that do not spike by `subthreshold_potential`."""
    for index in range(len(s_psp)):
        value = s_psp[index]
        s_psp[index] = value if firing_counts[index] > 0 else subthreshold_potential


@kernel
def _correct_rates(scales, total_psp, silent_total, firing_counts, problem):
    """Multiplies `scales` by the correction for the neuron's own rate."""
    rate_correction, least = problem.rate_correction, problem.least_correction
    for index in range(len(scales)):
        if firing_counts[index] > 0:
            correction = 1 + rate_correction * total_psp[index] / firing_counts[index]
        else:
            correction = 1 + rate_correction * silent_total[index]
        scales[index] *= max(correction, least)


@kernel
def _add_count_gradient_of_all(micro, problem, delta, count_gradient):
    """
    Adds to `count_gradient`, for each input, the sum of delta times weight times S-PSP, divided by
    the input's count.
    """
    weight, firing_counts, starts = problem.weight, micro.firing_counts, micro.inputs.starts
    for source in range(len(weight)):
        count = starts[source + 1] - starts[source]
        total = weight.dtype.type(0)
        for neuron in range(len(delta)):
            term = delta[neuron] * weight[source, neuron]
            if count > 0 and firing_counts[neuron] > 0:
                term *= micro.s_psp[source, neuron] / weight.dtype.type(count)
            total += term
        count_gradient[source] += total


@entry
def psp_per_spike(members, fired, decays, psp):
    """Writes the PSP per spike of `fired` into `psp`, both `(batch_size, steps, num_neurons)`."""
    whole = with_whole_vectors(numpy.zeros(psp.shape[1:], psp.dtype))
    for member in members:
        whole[:] = 0
        _fill_psp_per_spike(spikes_by_step(fired[member]), decays, whole)
        psp[member] = whole[:, : psp.shape[2]]


@kernel
def _fill_psp_per_spike(fired, decays, psp):
    """
    Writes the PSP per spike into `psp`, `(steps, num_neurons)`, in whole vectors, from the last
    step to the first. `fired` is a `SpikesByStep`. The rows of `psp` for spikes that would arrive
    after the last step stay zero.
    """
    (steps, size), like = psp.shape, real(psp, 0)
    starts, sources, refractory = fired.starts, fired.sources, decays.refractory
    state = PspState(
        numpy.zeros(size, numpy.int32),
        numpy.zeros(size, numpy.int32),
        numpy.zeros((1, size), psp.dtype),
        numpy.zeros((1, size), psp.dtype),
        numpy.zeros((1, size), psp.dtype),
        numpy.zeros(len(sources), psp.dtype),
        powers(decays.synapse, steps + decays.window + 1, psp),
    )
    membrane, synapse, deferred = state.membrane, state.synapse, state.deferred
    factor, minus_one = real(psp, decays.factor), real(psp, -1)
    membrane_decay, synapse_decay = real(psp, decays.membrane), real(psp, decays.synapse)
    for arrival in range(steps - 1, refractory - 1, -1):
        expiring = arrival + decays.window - refractory + 1
        if expiring < steps:
            for spike in range(starts[expiring], starts[expiring + 1]):
                _expire(sources[spike], spike, state)
        if arrival == 1:
            for neuron in range(size):
                _defer(neuron, arrival, decays, state)
        else:
            before = arrival - refractory
            for spike in range(starts[before], starts[before + 1]):
                _defer(sources[spike], arrival, decays, state)
        if arrival > 1:  # for a spike at step 1, when neurons become ready, `s` is zero
            for spike in range(starts[arrival], starts[arrival + 1]):
                neuron = sources[spike]
                state.next_spike[neuron], state.next_step[neuron] = spike, arrival
                membrane[0, neuron], synapse[0, neuron] = 1, 1
        for column in range(0, size, BYTES_OF_VECTOR // psp.itemsize):
            m, s = load_row(membrane, 0, column, like), load_row(synapse, 0, column, like)
            d = load_row(deferred, 0, column, like)
            store_row(psp, arrival - refractory, column, factor * (m + minus_one * s) + d)
            store_row(membrane, 0, column, membrane_decay * m)
            store_row(synapse, 0, column, synapse_decay * s)
            store_row(deferred, 0, column, synapse_decay * d)


@kernel
def _expire(neuron, spike, state):
    """Removes a spike of a neuron: arrivals from here on are too early for it."""
    if state.next_spike[neuron] == spike and state.membrane[0, neuron] > 0:
        state.membrane[0, neuron], state.synapse[0, neuron] = 0, 0
    else:
        state.deferred[0, neuron] -= state.deferred_at_expiry[spike]


@kernel
def _defer(neuron, arrival, decays, state):
    """
    Defers arrivals before this step, when the neuron becomes ready: they stay synaptic current.
    """
    if state.membrane[0, neuron] > 0:
        deferred = decays.factor * (state.membrane[0, neuron] - state.synapse[0, neuron])
        state.deferred[0, neuron] += deferred
        until_expiry = arrival - state.next_step[neuron] + decays.window - decays.refractory + 1
        power = state.synapse_powers[max(until_expiry, 0)]
        state.deferred_at_expiry[state.next_spike[neuron]] = deferred * power
        state.membrane[0, neuron], state.synapse[0, neuron] = 0, 0
