"""
Backpropagation through time in a spiking layer on the CPU, as machine code (see `surrogate.py`).
Spikes and `members` are as in `kernels.py`.
"""

from typing import NamedTuple

import numpy

from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.spiking.connection import Connection
from spigot_allennlp.nn.spiking.kernels import (
    BLOCK,
    LifConstants,
    by_source,
    is_all_to_all,
    spikes_by_step,
)
from spigot_allennlp.nn.vectors import add_rows, with_whole_vectors


class SurrogateArrays(NamedTuple):
    """
    A `SurrogateProblem` as arrays, with all numbers except spikes in the type of the weights.

    # Parameters

    spikes, fired : `numpy.ndarray`
        The spikes of inputs and neurons, `(batch_size, steps, ...)`.
    potentials : `numpy.ndarray`
        Those of `Trains`, in the shape of `fired`.
    gradient : `numpy.ndarray`
        That of the neurons' spikes, in the shape of `fired`.
    connection : `Connection`
    neurons : `LifConstants`
    slope : `float`
    """

    spikes: numpy.ndarray
    fired: numpy.ndarray
    potentials: numpy.ndarray
    gradient: numpy.ndarray
    connection: Connection
    neurons: LifConstants
    slope: numpy.floating


@entry
def gradients(members, problem, weight_gradient, arriving_gradient):
    """
    Adds the gradients of the weights for some samples to `weight_gradient`, `(num_rows, width)`,
    and writes those of the input arriving at each neuron, the sum of the weights of the spiking
    inputs, into `arriving_gradient`, `(batch_size, steps, num_neurons)`, if it has any samples.
    `problem` is a `SurrogateArrays`.
    """
    connection = problem.connection
    steps, num_neurons = problem.fired.shape[1:]
    reaches_all = is_all_to_all(connection)
    total, arriving = weight_gradient, numpy.zeros((steps, num_neurons), weight_gradient.dtype)
    if reaches_all:
        total, arriving = with_whole_vectors(total), with_whole_vectors(arriving)
    for member in members:
        _fill_arriving_gradient(
            problem.fired[member],
            problem.potentials[member],
            problem.gradient[member],
            problem,
            arriving[:, :num_neurons],
        )
        inputs = by_source(spikes_by_step(problem.spikes[member]), len(connection.offsets) - 1)
        if reaches_all:
            _add_weight_gradient_of_all(inputs, arriving, total)
        else:
            _add_weight_gradient(inputs, arriving, connection, total)
        if len(arriving_gradient):
            arriving_gradient[member] = arriving[:, :num_neurons]
    if total.shape[1] > weight_gradient.shape[1]:
        weight_gradient[:] = total[:, : weight_gradient.shape[1]]


@kernel
def _fill_arriving_gradient(fired, potentials, gradient, problem, arriving):
    """
    Writes the gradient of the input arriving at the neurons of a sample in each step, from the last
    step to the first. Input arriving in the last step has no effect any more.
    """
    steps, size = fired.shape
    neurons, slope = problem.neurons, problem.slope
    of_potential = numpy.zeros(size, arriving.dtype)
    of_current = numpy.zeros(size, arriving.dtype)
    of_spike = numpy.zeros(size, arriving.dtype)
    if steps:
        arriving[steps - 1] = 0
    for step in range(steps - 1, 0, -1):
        _inhibit(gradient[step], of_current, neurons.inhibition, of_spike)
        _go_back(of_spike, fired[step], potentials[step], slope, neurons, of_potential, of_current)
        arriving[step - 1] = of_current


@kernel
def _inhibit(gradient, of_current, inhibition, of_spike):
    """
    Writes the gradient of the spikes of a step: the incoming gradient, minus the effect of their
    inhibition on the currents of the other neurons in the next step.
    """
    if inhibition == 0:
        of_spike[:] = gradient
        return
    total = of_current.sum()
    for index in range(len(of_spike)):
        of_spike[index] = gradient[index] - inhibition * (total - of_current[index])


@kernel
def _go_back(of_spike, fired, potentials, slope, neurons, of_potential, of_current):
    """
    Moves the gradients of potentials and currents from the next step back to this one, in place.
    """
    zero, one = of_current.dtype.type(0), of_current.dtype.type(1)
    threshold, share = neurons.threshold, neurons.current_share
    potential_decay, current_decay = neurons.potential_decay, neurons.current_decay
    for index in range(len(of_current)):
        potential = potentials[index]
        root = one + slope * abs(potential - threshold)
        of_potential[index] *= zero if fired[index] else potential_decay
        value = of_spike[index] / (root * root) + of_potential[index]
        of_potential[index] = zero if potential == -numpy.inf else value  # it was held at zero
    for index in range(len(of_current)):
        of_current[index] = current_decay * of_current[index] + share * of_potential[index]


@kernel
def _add_weight_gradient_of_all(inputs, arriving, weight_gradient):
    """
    Adds the gradient of the weights at neurons that all inputs reach, with all rows as whole
    vectors: a few neurons at a time, so that the arriving gradients stay in a fast cache.
    """
    starts, steps, width = inputs.starts, inputs.steps, arriving.shape[1]
    for first in range(0, width, BLOCK):
        last = min(first + BLOCK, width)
        for source in range(len(starts) - 1):
            source_steps = steps[starts[source] : starts[source + 1]]
            if len(source_steps):
                add_rows(arriving, source_steps, first, last, weight_gradient, source)


@kernel
def _add_weight_gradient(inputs, arriving, connection, weight_gradient):
    """
    Adds, for each spike of an input, the gradient of the arriving input where this one reaches.
    """
    starts, width = inputs.starts, weight_gradient.shape[1]
    for source in range(len(connection.offsets) - 1):
        for pair in range(connection.offsets[source], connection.offsets[source + 1]):
            first = connection.places[pair] * width
            row = weight_gradient[connection.rows[pair]]
            for spike in range(starts[source], starts[source + 1]):
                values = arriving[inputs.steps[spike], first : first + width]
                for index in range(width):
                    row[index] += values[index]
