"""
The effects of `effects.py` on the processor, as machine code, for one sample. `decays` are
those of `decays_of`, their numbers in the type of the effects.
"""

import numpy

from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.spiking.events import count_spikes, list_spikes
from spigot_allennlp.nn.spiking.simulation_kernels import scale


@entry
def write_effects(members, fired, decays, effects):
    """Writes the effects for each of `members`, both `(batch_size, steps, num_neurons)`."""
    starts = numpy.empty(fired.shape[1] + 1, numpy.int64)
    for member in members:
        sources = numpy.empty(count_spikes(fired[member]), numpy.int64)
        list_spikes(fired[member], starts, sources)
        effects[member] = 0
        fill(starts, sources, decays, effects[member])


@kernel
def fill(starts, sources, decays, effects):
    """
    One sweep from the last step to the first. The rows of `effects` whose spikes would arrive after
    the last step are left as they are: zero.
    """
    membrane, synapse, factor, refractory, window = decays
    steps, size = effects.shape
    # of the next spike of each neuron: its step, and the exponentials of the time until then
    coming = numpy.zeros(size, numpy.int64)
    slow, quick = numpy.zeros(size, effects.dtype), numpy.zeros(size, effects.dtype)
    rest = numpy.zeros(size, effects.dtype)
    state = coming, slow, quick, rest
    leaving = numpy.zeros((steps if window < steps else 1, size), effects.dtype)
    for arrival in range(steps - 1, refractory - 1, -1):
        scale(slow, membrane)
        scale(quick, synapse)
        scale(rest, synapse)
        last = arrival + window - refractory + 1
        if last < steps:
            for spike in range(starts[last], starts[last + 1]):
                leave(sources[spike], last, state, leaving)
        if arrival == 1:
            for neuron in range(size):
                wait(neuron, arrival, decays, state, leaving)
        else:
            before = arrival - refractory
            for spike in range(starts[before], starts[before + 1]):
                wait(sources[spike], arrival, decays, state, leaving)
        for spike in range(starts[arrival], starts[arrival + 1]):
            neuron = sources[spike]
            coming[neuron], slow[neuron], quick[neuron] = arrival, 1, 1
        combine(slow, quick, rest, factor, effects[arrival - refractory])


@kernel
def combine(slow, quick, rest, factor, row):
    for neuron in range(len(row)):
        row[neuron] = factor * (slow[neuron] - quick[neuron]) + rest[neuron]


@kernel
def leave(neuron, last, state, leaving):
    """From here on nothing counts towards the spike at step `last`: it came too early."""
    coming, slow, quick, rest = state
    if coming[neuron] == last and slow[neuron] > 0:
        slow[neuron], quick[neuron] = 0, 0
    else:
        rest[neuron] -= leaving[last, neuron]


@kernel
def wait(neuron, arrival, decays, state, leaving):
    """What arrives before this step finds the neuron not ready yet, and waits as current."""
    coming, slow, quick, rest = state
    if slow[neuron] > 0:
        _, synapse, factor, refractory, window = decays
        waiting = factor * (slow[neuron] - quick[neuron])
        rest[neuron] += waiting
        if len(leaving) > 1:
            left = arrival - coming[neuron] + window - refractory + 1
            leaving[coming[neuron], neuron] = waiting * synapse**left
        slow[neuron], quick[neuron] = 0, 0
