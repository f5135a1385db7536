"""
The equations of Jin, Zhang & Li (2018) step by step, in double precision and in loops: the truth
that spiking layers are tested against. Arrays are of one sample, `(steps, ...)`.
"""

import math

import numpy


def simulate(spikes, weight, neurons):
    """Returns the spikes of the neurons; `weight` is `(num_inputs, num_neurons)`."""
    steps, size = len(spikes), weight.shape[1]
    fired = numpy.zeros((steps, size), dtype=bool)
    potential, current, refractory_steps = (
        numpy.zeros(size),
        numpy.zeros(size),
        numpy.zeros(size, int),
    )
    for t in range(1, steps):
        for i in range(size):
            potential[i] -= potential[i] / neurons.membrane_time
            current[i] -= current[i] / neurons.synapse_time
            for j in range(spikes.shape[1]):
                current[i] += weight[j, i] * spikes[t - 1, j]
            for other in range(size):
                if other != i:
                    current[i] -= neurons.inhibition * fired[t - 1, other]
            potential[i] += current[i] / neurons.synapse_time
            if refractory_steps[i] > 0:
                potential[i] = 0
                refractory_steps[i] -= 1
            if potential[i] > neurons.threshold - 1e-6:
                fired[t, i] = True
                potential[i] = 0
                refractory_steps[i] = neurons.refractory
    return fired


def response(s, t, neurons):
    """Returns `eps(s, t)`."""
    m, c = neurons.membrane_time, neurons.synapse_time
    rise = math.exp(-min(s, t) / m) - math.exp(-min(s, t) / c)
    return rise * math.exp(-max(t - s, 0) / c) / (1 - c / m)


def spike_train_psp(sent, fired, neurons):
    """Returns the S-PSP of an input at a neuron, given the spikes of both, `(steps,)`."""
    total, ready = 0.0, 1
    for out in numpy.flatnonzero(fired):
        for came in numpy.flatnonzero(sent):
            in_window = out - 4 * neurons.membrane_time <= came < out
            arrival = came + neurons.refractory
            if in_window and arrival <= out:
                total += response(out - ready, out - arrival, neurons)
        ready = out + neurons.refractory
    return total


def spike_train_psps(spikes, fired, neurons):
    """Returns the S-PSPs of all pairs, `(num_inputs, num_neurons)`."""
    pairs = [
        [spike_train_psp(spikes[:, j], fired[:, i], neurons) for i in range(fired.shape[1])]
        for j in range(spikes.shape[1])
    ]
    return numpy.array(pairs)


def gradients(spikes, fired, weight, connected, delta, factor, neurons, options):
    """
    Returns the gradients of a matrix of weights, of which those not `connected` are none, and of
    the inputs' counts.
    """
    e = spike_train_psps(spikes, fired, neurons)
    sent, count = spikes.sum(0), fired.sum(0)
    of_weight, of_counts = numpy.zeros(weight.shape), numpy.zeros(len(weight))
    for i in range(weight.shape[1]):
        inputs = numpy.flatnonzero(connected[:, i])
        correction = 0.0
        for j in inputs:
            if count[i] == 0 and sent[j] > 0:
                e[j, i] = options.subthreshold_potential
            ratio = e[j, i] / count[i] if count[i] else options.subthreshold_ratio
            correction += options.rate_correction * weight[j, i] * ratio / neurons.threshold
        if options.bounds_rate_correction:
            correction = max(correction, 0)
        for j in inputs:
            of_weight[j, i] = delta[i] * factor[i] * e[j, i] * (1 + correction)
            ratio = e[j, i] / sent[j] if sent[j] and count[i] else 1
            of_counts[j] += delta[i] * weight[j, i] * ratio
    return of_weight, of_counts


def inhibition_factor(fired, wanted, neurons):
    """Returns by what the gradient of each neuron's weights is multiplied."""
    count, e = fired.sum(0), spike_train_psps(fired, fired, neurons)
    factors = []
    for i in range(len(count)):
        total = 0.0
        for other in range(len(count)):
            if other != i:
                silent = count[i] == 0 or count[other] == 0
                there = 1 if silent else e[i, other] / count[i]
                back = 1 if silent else e[other, i] / count[other]
                shares = [(count[n] > 0 or wanted[n]) / neurons.threshold for n in (i, other)]
                total += there * shares[1] * back * shares[0]
        factors.append(1 / (1 - min(neurons.inhibition**2 * total, 0.9)))
    return numpy.array(factors)
