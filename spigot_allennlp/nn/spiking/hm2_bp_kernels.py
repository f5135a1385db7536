"""
HM2-BP through a layer on the CPU, as machine code: S-PSPs (see `psp.py`), and the gradients from
them (see `hm2_bp.py`). Spikes and `members` are as in `kernels.py`.
"""

from typing import NamedTuple

import numpy

from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.spiking.connection import Connection
from spigot_allennlp.nn.spiking.kernels import (
    BLOCK,
    SpikesBySource,
    by_source,
    is_all_to_all,
    spikes_by_step,
)
from spigot_allennlp.nn.spiking.neurons import PspDecays
from spigot_allennlp.nn.spiking.traces import are_ready, fill_s_psp_by_traces, powers
from spigot_allennlp.nn.vectors import add_rows, with_whole_vectors


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
        Shape `(num_pairs, width)`: for each pair of an input and a place of the connection, the
        S-PSPs at the neurons there. Undefined for inputs that do not spike.
    """

    inputs: SpikesBySource
    firing_counts: numpy.ndarray
    s_psp: numpy.ndarray


class PspState(NamedTuple):
    """
    The state of the pass from the last step to the first that sums `eps` over the spikes of a
    neuron, for an input that arrives at the current step. Arrays have shape `(num_neurons,)` unless
    stated otherwise.

    # Parameters

    next_spike, next_step : `numpy.ndarray`
        The index of the neuron's next spike in the list of all spikes, and its step.
    membrane, synapse : `numpy.ndarray`
        The exponentials of the time until then, as long as an arrival counts towards that spike at
        once, otherwise zero.
    deferred : `numpy.ndarray`
        The PSP of arrivals before the neuron is ready, which stay synaptic current until it is.
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
    steps, num_neurons = problem.fired.shape[1:]
    reaches_all = is_all_to_all(connection)
    per_spike = numpy.zeros((steps, num_neurons), weight.dtype)
    s_psp = numpy.empty((len(connection.rows), weight.shape[1]), weight.dtype)
    if reaches_all:
        per_spike, s_psp = with_whole_vectors(per_spike), with_whole_vectors(s_psp)
    silent_total = problem.subthreshold_ratio * _total_weight(weight, connection, num_neurons)
    for member in members:
        delta = problem.delta[member]
        if not delta.any():
            continue
        fired = spikes_by_step(problem.fired[member])
        inputs_by_step = spikes_by_step(problem.spikes[member])
        inputs = by_source(inputs_by_step, len(connection.offsets) - 1)
        micro = MicroLevel(inputs, _firing_counts(fired.sources, num_neurons, weight), s_psp)
        if reaches_all:
            active = _active_sources(inputs)
            fired_by_source = by_source(fired, num_neurons)
            if _traces_are_faster(inputs, active, fired_by_source, problem):
                fill_s_psp_by_traces(inputs_by_step, active, fired_by_source, problem.decays, s_psp)
            else:
                _fill_psp_per_spike(fired, problem.decays, per_spike)
                _fill_s_psp_of_all(per_spike, active, inputs, s_psp)
            total_psp = _sum_psp_of_all(active, problem, micro)
        else:
            _fill_psp_per_spike(fired, problem.decays, per_spike)
            total_psp = _fill_s_psp(per_spike, problem, micro)
        scales = delta * problem.inhibition_factor[member]
        _correct_rates(scales, total_psp, silent_total, micro.firing_counts, problem)
        _add_weight_gradient(micro, connection, scales, weight_gradient)
        if len(count_gradient):
            _add_count_gradient(micro, problem, delta, count_gradient[member])


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
def _fill_s_psp(per_spike, problem, micro):
    """
    Fills the S-PSPs of `micro`. Returns the total PSP of each neuron, the sum over its inputs of
    weight times S-PSP.
    """
    connection, starts = problem.connection, micro.inputs.starts
    offsets, places, width = connection.offsets, connection.places, problem.weight.shape[1]
    total = numpy.zeros(len(micro.firing_counts), problem.weight.dtype)
    for source in range(len(offsets) - 1):
        if starts[source] == starts[source + 1]:
            continue
        for pair in range(offsets[source], offsets[source + 1]):
            first = places[pair] * width
            values = micro.s_psp[pair]
            values[:] = 0
            for spike in range(starts[source], starts[source + 1]):
                _add(per_spike[micro.inputs.steps[spike], first : first + width], values)
            counts = micro.firing_counts[first : first + width]
            _replace_below_threshold(counts, problem.subthreshold_potential, values)
            row = problem.weight[connection.rows[pair]]
            _multiply_add(row, values, total[first : first + width])
    return total


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
    """Like the sums over spikes in `_fill_s_psp`, for neurons that all inputs reach."""
    total = numpy.zeros(len(micro.firing_counts), micro.s_psp.dtype)
    for source in active:
        values = micro.s_psp[source, : len(total)]
        _replace_below_threshold(micro.firing_counts, problem.subthreshold_potential, values)
        _multiply_add(problem.weight[source], values, total)
    return total


@kernel
def _add(values, total):
    """Adds `values` to `total`."""
    for index in range(len(total)):
        total[index] += values[index]


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
def _add_weight_gradient(micro, connection, scales, weight_gradient):
    """Adds the S-PSPs, scaled neuron by neuron, to the gradient of their weights."""
    starts, width = micro.inputs.starts, weight_gradient.shape[1]
    for source in range(len(connection.offsets) - 1):
        if starts[source] < starts[source + 1]:
            for pair in range(connection.offsets[source], connection.offsets[source + 1]):
                first = connection.places[pair] * width
                gradient = weight_gradient[connection.rows[pair]]
                s_psp = micro.s_psp[pair, :width]
                _multiply_add(scales[first : first + width], s_psp, gradient)


@kernel
def _add_count_gradient(micro, problem, delta, count_gradient):
    """
    Adds to `count_gradient`, for each input, the sum of delta times weight times S-PSP, divided by
    the input's count.
    """
    weight, connection, s_psp = problem.weight, problem.connection, micro.s_psp
    firing_counts, starts, width = micro.firing_counts, micro.inputs.starts, weight.shape[1]
    for source in range(len(connection.offsets) - 1):
        count = starts[source + 1] - starts[source]
        for pair in range(connection.offsets[source], connection.offsets[source + 1]):
            first = connection.places[pair] * width
            row = weight[connection.rows[pair]]
            total = row[0] * 0
            for index in range(width):
                term = delta[first + index] * row[index]
                if count > 0 and firing_counts[first + index] > 0:
                    term *= s_psp[pair, index] / weight.dtype.type(count)
                total += term
            count_gradient[source] += total


@entry
def psp_per_spike(members, fired, decays, psp):
    """Writes the PSP per spike of `fired` into `psp`, both `(batch_size, steps, num_neurons)`."""
    for member in members:
        psp[member] = 0
        _fill_psp_per_spike(spikes_by_step(fired[member]), decays, psp[member])


@kernel
def _fill_psp_per_spike(fired, decays, psp):
    """
    Writes the PSP per spike into `psp`, `(steps, num_neurons)`, from the last step to the first.
    `fired` is a `SpikesByStep`. The rows of `psp` for spikes that would arrive after the last step
    stay zero.
    """
    steps, size = psp.shape
    starts, sources, refractory = fired.starts, fired.sources, decays.refractory
    state = PspState(
        numpy.zeros(size, numpy.int32),
        numpy.zeros(size, numpy.int32),
        numpy.zeros(size, psp.dtype),
        numpy.zeros(size, psp.dtype),
        numpy.zeros(size, psp.dtype),
        numpy.zeros(len(sources), psp.dtype),
        powers(decays.synapse, steps + decays.window + 1, psp),
    )
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
                state.membrane[neuron], state.synapse[neuron] = 1, 1
        row = psp[arrival - refractory]
        _write_psp_and_decay(state.membrane, state.synapse, state.deferred, decays, row)


@kernel
def _write_psp_and_decay(membrane, synapse, deferred, decays, row):
    """
    Writes the PSP per spike of a step into `row`, from the fields of a `PspState`, and goes back
    one step.
    """
    factor, membrane_decay, synapse_decay = decays.factor, decays.membrane, decays.synapse
    for neuron in range(len(row)):
        row[neuron] = factor * (membrane[neuron] - synapse[neuron]) + deferred[neuron]
        membrane[neuron] *= membrane_decay
        synapse[neuron] *= synapse_decay
        deferred[neuron] *= synapse_decay


@kernel
def _expire(neuron, spike, state):
    """Removes a spike of a neuron: arrivals from here on are too early for it."""
    if state.next_spike[neuron] == spike and state.membrane[neuron] > 0:
        state.membrane[neuron], state.synapse[neuron] = 0, 0
    else:
        state.deferred[neuron] -= state.deferred_at_expiry[spike]


@kernel
def _defer(neuron, arrival, decays, state):
    """
    Defers arrivals before this step, when the neuron becomes ready: they stay synaptic current.
    """
    if state.membrane[neuron] > 0:
        deferred = decays.factor * (state.membrane[neuron] - state.synapse[neuron])
        state.deferred[neuron] += deferred
        until_expiry = arrival - state.next_step[neuron] + decays.window - decays.refractory + 1
        power = state.synapse_powers[max(until_expiry, 0)]
        state.deferred_at_expiry[state.next_spike[neuron]] = deferred * power
        state.membrane[neuron], state.synapse[neuron] = 0, 0
