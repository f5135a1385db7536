"""
The gradients of an attentive recurrence as machine code, window after window from the last.

`backward` goes back over what `forward` of `kernels.py` has filled in. All that is left of a window
is the state before it and the outputs of its steps, so `recompute` computes its gates and cells
once more, and `backward_through_steps` takes the gradient through them. What a window has read it
read from memories of earlier windows, or of its own: the gradients of these memories grow until
the step is reached that stored them, which hands them on to its state. This is how credit jumps
back over many windows.

A gradient has the shape of what it is the gradient of; all are added to, and begin at zero.
"""

from typing import NamedTuple

import numpy
from numpy import ndarray

from spigot_allennlp.nn.attentive.kernels import (
    BatchArrays,
    KernelOptions,
    WeightArrays,
    add_product,
    lstm_step,
    memories_before,
    stores_after,
    write_query,
    write_shares,
)
from spigot_allennlp.nn.compilation import entry, fused_kernel, kernel


class GateWeights(NamedTuple):
    """
    The weights of the gates as PyTorch lays them out, which takes gradients back through them.

    # Parameters

    input : `ndarray`
        Shape `(4 * hidden_size, input_size)`.
    hidden : `ndarray`
        Shape `(4 * hidden_size, hidden_size)`.
    """

    input: ndarray
    hidden: ndarray


class BatchGradients(NamedTuple):
    """
    # Parameters

    outputs : `ndarray`
        Shape `(steps, batch_size, output_size)`; the only one that is not added to.
    inputs : `ndarray`
        Shape `(steps, batch_size, input_size)`.
    keys : `ndarray`
        Shape `(batch_size, memories, key_size)`: unlike the keys, a memory in one piece.
    values : `ndarray`
        Shape `(batch_size, memories, hidden_size)`.
    start_hidden : `ndarray`
        Shape `(batch_size, hidden_size)`.
    start_cell : `ndarray`
        Shape `(batch_size, hidden_size)`.
    """

    outputs: ndarray
    inputs: ndarray
    keys: ndarray
    values: ndarray
    start_hidden: ndarray
    start_cell: ndarray


class BackwardArrays(NamedTuple):
    """
    All that `backward` takes.

    # Parameters

    weights : `WeightArrays`
    gate_weights : `GateWeights`
    options : `KernelOptions`
    batch : `BatchArrays`
        As `forward` has filled it in.
    gradients : `BatchGradients`
    weight_gradients : `WeightArrays`
    """

    weights: WeightArrays
    gate_weights: GateWeights
    options: KernelOptions
    batch: BatchArrays
    gradients: BatchGradients
    weight_gradients: WeightArrays


class WindowArrays(NamedTuple):
    """
    What is computed of one window of one instance; the next window overwrites it.

    # Parameters

    gates : `ndarray`
        Shape `(steps, 4 * hidden_size)`: the activations of the gates.
    cells : `ndarray`
        Shape `(steps + 1, hidden_size)`: the cell before each step and after the last.
    cell_tanhs : `ndarray`
        Shape `(steps, hidden_size)`: the tanh of the cell after each step.
    gate_gradients : `ndarray`
        Shape `(steps, 4 * hidden_size)`: the gradients of the gates before their activations.
    hidden_gradient : `ndarray`
        Shape `(hidden_size,)`: the gradient of the hidden state, of one step after another.
    cell_gradient : `ndarray`
        Shape `(hidden_size,)`: the gradient of the cell, of one step after another.
    """

    gates: ndarray
    cells: ndarray
    cell_tanhs: ndarray
    gate_gradients: ndarray
    hidden_gradient: ndarray
    cell_gradient: ndarray


@entry
def backward(first, last, arrays):
    """
    Adds to the gradients what the instances from `first` up to `last` contribute. A window that no
    gradient reaches costs nothing.

    # Parameters

    first, last : `int`
    arrays : `BackwardArrays`
    """
    options, batch, gradients = arrays.options, arrays.batch, arrays.gradients
    steps, hidden_size = len(batch.inputs), batch.values.shape[2]
    window = empty_window(min(options.truncation, steps), hidden_size, batch.cells)
    start_hidden = numpy.empty_like(window.hidden_gradient)
    for row in range(first, last):
        for number in range((steps - 1) // options.truncation, -1, -1):
            begin = number * options.truncation
            end = min(begin + options.truncation, steps)
            if is_reached(row, begin, end, options, gradients):
                if begin == 0:
                    start_hidden[:] = batch.start_hidden[row]
                else:
                    start_hidden[:] = batch.outputs[begin - 1, row, :hidden_size]
                window.cells[0] = batch.cells[number, row]
                recompute(row, begin, end, start_hidden, arrays.weights, batch, window)
                backward_through_steps(row, begin, end, window, arrays)
                add_gate_weight_gradients(row, begin, end, start_hidden, window, arrays)
                if begin == 0:
                    gradients.start_hidden[row] = window.hidden_gradient
                    gradients.start_cell[row] = window.cell_gradient


@kernel
def empty_window(steps, hidden_size, like):
    """Returns `WindowArrays` for so many steps, of the type of `like`."""
    return WindowArrays(
        numpy.empty((steps, 4 * hidden_size), like.dtype),
        numpy.empty((steps + 1, hidden_size), like.dtype),
        numpy.empty((steps, hidden_size), like.dtype),
        numpy.empty((steps, 4 * hidden_size), like.dtype),
        numpy.empty(hidden_size, like.dtype),
        numpy.empty(hidden_size, like.dtype),
    )


@kernel
def is_reached(row, begin, end, options, gradients):
    """Returns whether any gradient of an output or of a stored memory of a window is not zero."""
    for memory in range(memories_before(begin, options), memories_before(end, options)):
        if has_nonzero(gradients.keys[row, memory]) or has_nonzero(gradients.values[row, memory]):
            return True
    for step in range(begin, end):
        if has_nonzero(gradients.outputs[step, row]):
            return True
    return False


@kernel
def has_nonzero(vector):
    """Returns whether any number of a vector is not zero."""
    for number in vector:
        if number != 0:
            return True
    return False


@kernel
def recompute(row, begin, end, start_hidden, weights, batch, window):
    """Writes gates, cells and their tanh of all steps of a window; the first cell is set."""
    hidden_size = len(start_hidden)
    for step in range(begin, end):
        place = step - begin
        cell, new_cell = window.cells[place], window.cells[place + 1]
        if batch.mask[step, row]:
            hidden = start_hidden if place == 0 else batch.outputs[step - 1, row, :hidden_size]
            gates, cell_tanh = window.gates[place], window.cell_tanhs[place]
            lstm_step(weights, batch.inputs[step, row], hidden, cell, gates, new_cell, cell_tanh)
        else:
            new_cell[:] = cell


@kernel
def backward_through_steps(row, begin, end, window, arrays):
    """
    Takes the gradient through the steps of a window, from the last to the first. In the end
    `window` holds the gradients of its gates, and that of the state before it.
    """
    options, batch, gradients = arrays.options, arrays.batch, arrays.gradients
    hidden_gradient, cell_gradient = window.hidden_gradient, window.cell_gradient
    hidden_gradient[:] = 0
    cell_gradient[:] = 0
    size = len(hidden_gradient)
    for step in range(end - 1, begin - 1, -1):
        gates, cell_tanh = window.gates[step - begin], window.cell_tanhs[step - begin]
        cell, gate_gradient = window.cells[step - begin], window.gate_gradients[step - begin]
        add_multiple(1, gradients.outputs[step, row, :size], hidden_gradient)
        if not options.stores_provisional:
            backward_store(row, step, hidden_gradient, arrays)
        if batch.mask[step, row]:
            if options.top_k > 0 and batch.chosen[step, row, 0] >= 0:
                provisional = gates[3 * size :] * cell_tanh
                backward_read(row, step, provisional, hidden_gradient, arrays)
            if options.stores_provisional:
                backward_store(row, step, hidden_gradient, arrays)
            backward_lstm(gates, cell_tanh, cell, hidden_gradient, cell_gradient, gate_gradient)
            hidden_gradient[:] = 0
            add_product(gate_gradient, arrays.gate_weights.hidden, hidden_gradient)
            add_product(gate_gradient, arrays.gate_weights.input, gradients.inputs[step, row])
        else:
            gate_gradient[:] = 0


@kernel
def backward_store(row, step, hidden_gradient, arrays):
    """If the state after `step` became a memory, adds the gradient of that memory to its own."""
    if stores_after(step, arrays.options):
        memory = memories_before(step, arrays.options)
        weight, weight_gradient = arrays.weights.key, arrays.weight_gradients.key
        value, key_gradient = arrays.batch.values[row, memory], arrays.gradients.keys[row, memory]
        add_multiple(1, arrays.gradients.values[row, memory], hidden_gradient)
        backward_product(value, weight, key_gradient, hidden_gradient, weight_gradient)


@kernel
def backward_read(row, step, provisional, hidden_gradient, arrays):
    """
    Takes the gradient of a hidden state, the sum of `provisional` and the summary, through the
    summary: to the memories, and by way of the query to `hidden_gradient` itself, which becomes
    that of the provisional state.
    """
    weights, weight_gradients = arrays.weights, arrays.weight_gradients
    summary_gradient = hidden_gradient + arrays.gradients.outputs[step, row, len(provisional) :]
    query, query_gradient = weights.query_bias.copy(), weights.query_bias * 0
    write_query(weights, provisional, query)
    backward_summary(row, step, query, summary_gradient, query_gradient, arrays)
    add_multiple(1, query_gradient, weight_gradients.query_bias)
    backward_product(
        provisional, weights.query, query_gradient, hidden_gradient, weight_gradients.query
    )


@kernel
def backward_summary(row, step, query, summary_gradient, query_gradient, arrays):
    """
    Adds to the gradients of the query, and of keys and values of the chosen memories, what comes
    from that of the summary; see `threshold_weights`.
    """
    chosen, values = arrays.batch.chosen[step, row], arrays.batch.values[row]
    key_gradients, value_gradients = arrays.gradients.keys[row], arrays.gradients.values[row]
    keys = numpy.empty((len(chosen), len(query)), query.dtype)
    scores = numpy.zeros(len(chosen), query.dtype)
    for place in range(len(chosen)):
        if chosen[place] >= 0:
            keys[place] = arrays.batch.keys[row, :, chosen[place]]
            scores[place] = dot(keys[place], query)
    shares, score_gradients = numpy.empty_like(scores), numpy.zeros_like(scores)
    normalizer = write_shares(chosen, scores, arrays.options, shares)
    mean = scores[0] * 0
    for place in range(normalizer.kept):
        score_gradients[place] = dot(summary_gradient, values[chosen[place]])
        mean += shares[place] * score_gradients[place]
        add_multiple(shares[place], summary_gradient, value_gradients[chosen[place]])
    sum_of_kept = scores[0] * 0
    for place in range(normalizer.kept):
        score_gradients[place] = (score_gradients[place] - mean) / normalizer.total
        sum_of_kept += score_gradients[place]
    score_gradients[normalizer.selected - 1] -= sum_of_kept  # that of the threshold
    for place in range(normalizer.selected):
        add_multiple(score_gradients[place], keys[place], query_gradient)
        add_multiple(score_gradients[place], query, key_gradients[chosen[place]])


@kernel
def backward_lstm(gates, cell_tanh, cell, hidden_gradient, cell_gradient, gate_gradient):
    """
    Writes the gradient of the gates before their activations, and replaces the gradient of the new
    cell by that of `cell`, the one before. `hidden_gradient` is that of the provisional state.
    """
    size = len(cell)
    for unit in range(size):
        input_gate, forget_gate = gates[unit], gates[size + unit]
        candidate, output_gate = gates[2 * size + unit], gates[3 * size + unit]
        by_tanh = hidden_gradient[unit] * output_gate * (1 - cell_tanh[unit] ** 2)
        total = cell_gradient[unit] + by_tanh
        by_output = hidden_gradient[unit] * cell_tanh[unit]
        gate_gradient[unit] = total * candidate * input_gate * (1 - input_gate)
        gate_gradient[size + unit] = total * cell[unit] * forget_gate * (1 - forget_gate)
        gate_gradient[2 * size + unit] = total * input_gate * (1 - candidate**2)
        gate_gradient[3 * size + unit] = by_output * output_gate * (1 - output_gate)
        cell_gradient[unit] = total * forget_gate


@kernel
def add_gate_weight_gradients(row, begin, end, start_hidden, window, arrays):
    """Adds to the gradients of the weights and the bias of the gates those of one window."""
    batch, weight_gradients = arrays.batch, arrays.weight_gradients
    hidden_size, gate_gradients = len(start_hidden), window.gate_gradients[: end - begin]
    for place in range(end - begin):
        add_multiple(1, gate_gradients[place], weight_gradients.bias)
    add_outer_products(batch.inputs[begin:end, row], gate_gradients, weight_gradients.input)
    before = batch.outputs[begin : end - 1, row, :hidden_size]
    add_outer_products(before, gate_gradients[1:], weight_gradients.hidden)
    for unit in range(hidden_size):
        add_multiple(start_hidden[unit], gate_gradients[0], weight_gradients.hidden[unit])


@kernel
def add_outer_products(vectors, gradients, result):
    """Adds `vectors.T @ gradients` to `result`."""
    for row in range(vectors.shape[1]):
        add_product(vectors[:, row], gradients, result[row])


@kernel
def backward_product(vector, weight, product_gradient, vector_gradient, weight_gradient):
    """Adds the gradients of `vector` and `weight`, given that of `vector @ weight`."""
    for row in range(len(vector)):
        vector_gradient[row] += dot(weight[row], product_gradient)
        add_multiple(vector[row], product_gradient, weight_gradient[row])


@fused_kernel
def add_multiple(factor, vector, result):
    """Adds `factor * vector` to `result`."""
    for index in range(len(vector)):
        result[index] += factor * vector[index]


@fused_kernel
def dot(left, right):
    """Returns the product of two vectors, from four sums at a time."""
    first = second = third = fourth = left[0] * 0
    index = 0
    while index + 4 <= len(left):
        first += left[index] * right[index]
        second += left[index + 1] * right[index + 1]
        third += left[index + 2] * right[index + 2]
        fourth += left[index + 3] * right[index + 3]
        index += 4
    while index < len(left):
        first += left[index] * right[index]
        index += 1
    return first + second + third + fourth
