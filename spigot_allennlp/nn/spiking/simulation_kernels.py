"""
Spiking layers on the processor, as machine code, driven by the spikes that come in.

Spikes are arrays of bytes, `(batch_size, steps, ...)`, zero or one; `shape` is the `offsets`,
`rows` and `places` of a `Connection`; `neurons` are a threshold, what is left of potential and
current after a step, the share of the current that enters the potential, the refractory period and
the inhibition, the numbers in the type of the weights.
"""

import numpy

from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.spiking.events import count_spikes, list_spikes


@entry
def simulate(members, spikes, weight, shape, neurons, fired):
    """Writes ones into `fired` where the neurons spike, sample by sample of `members`."""
    starts = numpy.empty(spikes.shape[1] + 1, numpy.int64)
    for member in members:
        sources = numpy.empty(count_spikes(spikes[member]), numpy.int64)
        list_spikes(spikes[member], starts, sources)
        run(starts, sources, weight, shape, neurons, fired[member])


@entry
def add_steps(members, fired, counts):
    """Adds the steps up in `counts`, `(batch_size, num_neurons)`."""
    for member in members:
        total = numpy.zeros(fired.shape[2], numpy.int32)
        for step in range(fired.shape[1]):
            row = fired[member, step]
            for neuron in range(len(row)):
                total[neuron] += row[neuron]
        counts[member] = total


@kernel
def run(starts, sources, weight, shape, neurons, fired):
    """All neurons, for one sample."""
    size = fired.shape[1]
    potential = numpy.zeros(size, weight.dtype)
    current = numpy.zeros(size, weight.dtype)
    waiting = numpy.zeros(size, numpy.int32)
    spiking = numpy.zeros(size, numpy.int32)
    for step in range(1, len(fired)):
        scale(potential, neurons[1])
        scale(current, neurons[2])
        for spike in range(starts[step - 1], starts[step]):
            receive(sources[spike], weight, shape, current)
        if neurons[5] != 0:
            inhibit(spiking, neurons[5], current)
        if integrate(potential, current, waiting, neurons, spiking):
            for neuron in range(size):
                fired[step, neuron] = spiking[neuron]


@kernel
def scale(values, factor):
    for index in range(len(values)):
        values[index] *= factor


@kernel
def receive(source, weight, shape, current):
    """Adds the weights of an input that has spiked. (Views are what the compiler vectorises.)"""
    offsets, rows, places = shape
    width = weight.shape[1]
    for pair in range(offsets[source], offsets[source + 1]):
        here = current[places[pair] * width : (places[pair] + 1) * width]
        row = weight[rows[pair]]
        for index in range(width):
            here[index] += row[index]


@kernel
def inhibit(spiking, strength, current):
    """Each neuron that has spiked inhibits all others."""
    total = spiking.sum()
    if total:
        for index in range(len(current)):
            current[index] -= strength * (total - spiking[index])


@kernel
def integrate(potential, current, waiting, neurons, spiking):
    """Moves the potentials on; whether any neuron spikes, which `spiking` tells of each."""
    threshold, _, _, share, refractory, _ = neurons
    zero = current.dtype.type(0)
    total = 0
    for index in range(len(potential)):
        value = potential[index] + current[index] * share
        value = zero if waiting[index] > 0 else value
        spikes = numpy.int32(value > threshold)
        potential[index] = zero if spikes else value
        rest = max(waiting[index] - 1, 0)
        waiting[index] = refractory if spikes else rest
        spiking[index] = spikes
        total += spikes
    return total > 0
