"""
The backward pass of HM2-BP through a layer, on the processor, as machine code. Arguments as in
`simulation_kernels.py` and `effect_kernels.py`.
"""

import numpy

from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.spiking.effect_kernels import fill
from spigot_allennlp.nn.spiking.events import count_spikes, list_by_source, list_spikes


@entry
def gradients(
    members, spikes, fired, weight, shape, decays, constants, delta, factor, for_weight, for_counts
):
    """
    Adds the gradients of the samples up in `for_weight`, and writes those of the inputs' counts
    into `for_counts`, shape `(batch_size, num_inputs)`, if that is not empty. `constants` are the
    `own_rate` of `Options` by the threshold, its `silent_potential` and its `silent_ratio`; `delta`
    and `factor` have shape `(batch_size, num_neurons)`.
    """
    starts = numpy.empty(spikes.shape[1] + 1, numpy.int64)
    firsts = numpy.empty(spikes.shape[2] + 1, numpy.int64)
    effects = numpy.zeros((spikes.shape[1], fired.shape[2]), weight.dtype)
    potential = numpy.empty((len(shape[1]), weight.shape[1]), weight.dtype)
    silent_total = constants[2] * total_weight(weight, shape, fired.shape[2])
    for member in members:
        if not delta[member].any():
            continue
        sources = numpy.empty(count_spikes(fired[member]), numpy.int64)
        list_spikes(fired[member], starts, sources)
        fill(starts, sources, decays, effects)
        fire_counts = counts_of(sources, fired.shape[2], weight)
        sources = numpy.empty(count_spikes(spikes[member]), numpy.int64)
        times = numpy.empty_like(sources)
        list_spikes(spikes[member], starts, sources)
        list_by_source(starts, sources, spikes.shape[2], firsts, times)
        total = add_up(firsts, times, effects, fire_counts, weight, shape, constants[1], potential)
        scales = delta[member] * factor[member]
        correct(scales, total, silent_total, fire_counts, constants[0])
        spread(firsts, shape, scales, potential, for_weight)
        if len(for_counts):
            given = firsts, weight, shape, fire_counts, potential
            pass_back(given, delta[member], for_counts[member])


@kernel
def total_weight(weight, shape, size):
    """Of each neuron."""
    offsets, rows, places = shape
    width = weight.shape[1]
    total = numpy.zeros(size, weight.dtype)
    for pair in range(len(rows)):
        here = total[places[pair] * width : (places[pair] + 1) * width]
        row = weight[rows[pair]]
        for index in range(width):
            here[index] += row[index]
    return total


@kernel
def counts_of(sources, size, weight):
    """The firing counts, in the type of the weights."""
    counts = numpy.zeros(size, weight.dtype)
    for source in sources:
        counts[source] += 1
    return counts


@kernel
def add_up(firsts, times, effects, fire_counts, weight, shape, silent_potential, potential):
    """
    Fills `potential`, for each pair of an input that spikes and a place, with the S-PSPs at the
    neurons there; returns the sums of these, times their weights, over the inputs.
    """
    offsets, rows, places = shape
    width = weight.shape[1]
    total = numpy.zeros(len(fire_counts), weight.dtype)
    for source in range(len(offsets) - 1):
        if firsts[source] == firsts[source + 1]:
            continue
        for pair in range(offsets[source], offsets[source + 1]):
            first = places[pair] * width
            here = potential[pair]
            here[:] = 0
            for spike in range(firsts[source], firsts[source + 1]):
                add(effects[times[spike], first : first + width], here)
            guard(fire_counts[first : first + width], silent_potential, here)
            multiply_add(weight[rows[pair]], here, total[first : first + width])
    return total


@kernel
def add(values, total):
    for index in range(len(total)):
        total[index] += values[index]


@kernel
def multiply_add(factors, values, total):
    for index in range(len(total)):
        total[index] += factors[index] * values[index]


@kernel
def guard(fire_counts, silent_potential, potential):
    for index in range(len(potential)):
        value = potential[index]
        potential[index] = value if fire_counts[index] > 0 else silent_potential


@kernel
def correct(scales, total, silent_total, fire_counts, own_rate):
    """The correction for the neurons' own rates."""
    for index in range(len(scales)):
        if fire_counts[index] > 0:
            scales[index] *= 1 + own_rate * total[index] / fire_counts[index]
        else:
            scales[index] *= 1 + own_rate * silent_total[index]


@kernel
def spread(firsts, shape, scales, potential, for_weight):
    """Adds the S-PSPs, scaled neuron by neuron, to the gradient of their weights."""
    offsets, rows, places = shape
    width = for_weight.shape[1]
    for source in range(len(offsets) - 1):
        if firsts[source] < firsts[source + 1]:
            for pair in range(offsets[source], offsets[source + 1]):
                first = places[pair] * width
                here = scales[first : first + width]
                multiply_add(here, potential[pair], for_weight[rows[pair]])


@kernel
def pass_back(given, delta, for_counts):
    """The gradient of each input's count: deltas by weights by S-PSPs, divided by that count."""
    firsts, weight, shape, fire_counts, potential = given
    offsets, rows, places = shape
    width = weight.shape[1]
    for source in range(len(offsets) - 1):
        count = firsts[source + 1] - firsts[source]
        for pair in range(offsets[source], offsets[source + 1]):
            first = places[pair] * width
            row = weight[rows[pair]]
            total = row[0] * 0
            for index in range(width):
                share = delta[first + index] * row[index]
                if count > 0 and fire_counts[first + index] > 0:
                    share *= potential[pair, index] / weight.dtype.type(count)
                total += share
            for_counts[source] += total
