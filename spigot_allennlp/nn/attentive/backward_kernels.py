"""
The gradients of an attentive recurrence as machine code, window after window from the last.

`backward` goes back over what `forward` of `kernels.py` has filled in. All that is left of a window
is the state before it and the outputs of its steps, so `fill_window` computes its gates and cell
states once more, and `backward_through_steps` takes the gradient through them. What a window has
read it read from memories of earlier windows, or of its own: the gradients of these memories grow
until the step is reached that stored them, where they are added to the gradient of its state. This
is how credit jumps back over many windows.

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
    write_memory_weights,
    write_query,
)
from spigot_allennlp.nn.compilation import entry, fused_kernel, kernel


class GateWeights(NamedTuple):
    """
    The weights of the gates as PyTorch lays them out, which takes gradients back through them.

    # Parameters

    weight_ih : `ndarray`
        Shape `(4 * hidden_size, input_size)`.
    weight_hh : `ndarray`
        Shape `(4 * hidden_size, hidden_size)`.
    """

    weight_ih: ndarray
    weight_hh: ndarray


class BatchGradients(NamedTuple):
    """
    The gradients of a batch but for those of weights.

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
    start_cell_state : `ndarray`
        Shape `(batch_size, hidden_size)`.
    """

    outputs: ndarray
    inputs: ndarray
    keys: ndarray
    values: ndarray
    start_hidden: ndarray
    start_cell_state: ndarray


class BackwardArrays(NamedTuple):
    """
    The arguments of `backward` that are the same for all instances.

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
    The values and gradients of a window of an instance; the next window overwrites them.

    # Parameters

    gates : `ndarray`
        Shape `(steps, 4 * hidden_size)`: the activations of the gates.
    cell_states : `ndarray`
        Shape `(steps + 1, hidden_size)`: those before each step and after the last.
    cell_tanhs : `ndarray`
        Shape `(steps, hidden_size)`: the tanh of the cell state after each step.
    gate_gradients : `ndarray`
        Shape `(steps, 4 * hidden_size)`: the gradients of the gates before their activations.
    hidden_gradient : `ndarray`
        Shape `(hidden_size,)`: the gradient of the hidden state, step after step.
    cell_state_gradient : `ndarray`
        Shape `(hidden_size,)`: the gradient of the cell state, step after step.
    """

    gates: ndarray
    cell_states: ndarray
    cell_tanhs: ndarray
    gate_gradients: ndarray
    hidden_gradient: ndarray
    cell_state_gradient: ndarray


@entry
def backward(start, end, arrays):
    """
    Adds to the gradients what the instances from `start` up to, not including, `end` contribute. A
    window that no gradient reaches costs nothing.

    # Parameters

    start, end : `int`
    arrays : `BackwardArrays`
    """
    options, batch, gradients = arrays.options, arrays.batch, arrays.gradients
    steps, hidden_size = len(batch.inputs), batch.values.shape[2]
    window = empty_window(min(options.truncation, steps), hidden_size, batch.cell_states)
    start_hidden = numpy.empty_like(window.hidden_gradient)
    for row in range(start, end):
        for window_index in range((steps - 1) // options.truncation, -1, -1):
            begin = window_index * options.truncation
            stop = min(begin + options.truncation, steps)
            if is_reached(row, begin, stop, options, gradients):
                if begin == 0:
                    start_hidden[:] = batch.start_hidden[row]
                else:
                    start_hidden[:] = batch.outputs[begin - 1, row, :hidden_size]
                window.cell_states[0] = batch.cell_states[window_index, row]
                fill_window(row, begin, stop, start_hidden, arrays.weights, batch, window)
                backward_through_steps(row, begin, stop, window, arrays)
                add_gate_weight_gradients(row, begin, stop, start_hidden, window, arrays)
                if begin == 0:
                    gradients.start_hidden[row] = window.hidden_gradient
                    gradients.start_cell_state[row] = window.cell_state_gradient


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
def is_reached(row, begin, stop, options, gradients):
    """Returns whether any gradient of an output or of a stored memory of a window is not zero."""
    for memory in range(memories_before(begin, options), memories_before(stop, options)):
        if has_nonzero(gradients.keys[row, memory]) or has_nonzero(gradients.values[row, memory]):
            return True
    for step in range(begin, stop):
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
def fill_window(row, begin, stop, start_hidden, weights, batch, window):
    """
    Computes the gates, the cell states and their tanh once more, of all steps of a window, into
    `window`, whose first cell state is set.
    """
    hidden_size = len(start_hidden)
    for step in range(begin, stop):
        offset = step - begin
        cell_state, new_cell_state = window.cell_states[offset], window.cell_states[offset + 1]
        if batch.mask[step, row]:
            hidden = start_hidden if offset == 0 else batch.outputs[step - 1, row, :hidden_size]
            gates, cell_tanh = window.gates[offset], window.cell_tanhs[offset]
            inputs = batch.inputs[step, row]
            lstm_step(weights, inputs, hidden, cell_state, gates, new_cell_state, cell_tanh)
        else:
            new_cell_state[:] = cell_state


@kernel
def backward_through_steps(row, begin, stop, window, arrays):
    """
    Takes the gradient through the steps of a window, from the last to the first. In the end
    `window` holds the gradients of its gates, and that of the state before it.
    """
    options, batch, gradients = arrays.options, arrays.batch, arrays.gradients
    hidden_gradient, cell_state_gradient = window.hidden_gradient, window.cell_state_gradient
    hidden_gradient[:] = 0
    cell_state_gradient[:] = 0
    size = len(hidden_gradient)
    for step in range(stop - 1, begin - 1, -1):
        offset = step - begin
        gates, cell_tanh = window.gates[offset], window.cell_tanhs[offset]
        cell_state, gate_gradient = window.cell_states[offset], window.gate_gradients[offset]
        add_multiple(1, gradients.outputs[step, row, :size], hidden_gradient)
        if not options.stores_provisional:
            backward_store(row, step, hidden_gradient, arrays)
        if batch.mask[step, row]:
            if options.top_k > 0 and batch.selected[step, row, 0] >= 0:
                provisional = gates[3 * size :] * cell_tanh
                backward_read(row, step, provisional, hidden_gradient, arrays)
            if options.stores_provisional:
                backward_store(row, step, hidden_gradient, arrays)
            backward_lstm(
                gates, cell_tanh, cell_state, hidden_gradient, cell_state_gradient, gate_gradient
            )
            hidden_gradient[:] = 0
            add_product(gate_gradient, arrays.gate_weights.weight_hh, hidden_gradient)
            add_product(gate_gradient, arrays.gate_weights.weight_ih, gradients.inputs[step, row])
        else:
            gate_gradient[:] = 0


@kernel
def backward_store(row, step, hidden_gradient, arrays):
    """If the state after `step` became a memory, adds the gradient of that memory to its own."""
    if stores_after(step, arrays.options):
        memory = memories_before(step, arrays.options)
        weight, weight_gradient = arrays.weights.key_weight, arrays.weight_gradients.key_weight
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
    weight, weight_gradient = weights.query_weight, weight_gradients.query_weight
    backward_product(provisional, weight, query_gradient, hidden_gradient, weight_gradient)


@kernel
def backward_summary(row, step, query, summary_gradient, query_gradient, arrays):
    """
    Adds to the gradients of the query, and of keys and values of the selected memories, what comes
    from that of the summary; see `threshold_weights`.
    """
    selected, values = arrays.batch.selected[step, row], arrays.batch.values[row]
    key_gradients, value_gradients = arrays.gradients.keys[row], arrays.gradients.values[row]
    keys = numpy.empty((len(selected), len(query)), query.dtype)
    scores = numpy.zeros(len(selected), query.dtype)
    for rank in range(len(selected)):
        if selected[rank] >= 0:
            keys[rank] = arrays.batch.keys[row, :, selected[rank]]
            scores[rank] = dot(keys[rank], query)
    memory_weights, score_gradients = numpy.empty_like(scores), numpy.zeros_like(scores)
    normalizer = write_memory_weights(selected, scores, arrays.options, memory_weights)
    mean = scores[0] * 0
    for rank in range(normalizer.num_kept):
        score_gradients[rank] = dot(summary_gradient, values[selected[rank]])
        mean += memory_weights[rank] * score_gradients[rank]
        add_multiple(memory_weights[rank], summary_gradient, value_gradients[selected[rank]])
    sum_of_kept = scores[0] * 0
    for rank in range(normalizer.num_kept):
        score_gradients[rank] = (score_gradients[rank] - mean) / normalizer.total
        sum_of_kept += score_gradients[rank]
    score_gradients[normalizer.num_selected - 1] -= sum_of_kept  # that of the threshold
    for rank in range(normalizer.num_selected):
        add_multiple(score_gradients[rank], keys[rank], query_gradient)
        add_multiple(score_gradients[rank], query, key_gradients[selected[rank]])


@kernel
def backward_lstm(
    gates, cell_tanh, cell_state, hidden_gradient, cell_state_gradient, gate_gradient
):
    """
    Writes the gradient of the gates before their activations, and replaces the gradient of the new
    cell state by that of `cell_state`, the state before. `hidden_gradient` is that of the
    provisional state.
    """
    size = len(cell_state)
    for unit in range(size):
        input_gate, forget_gate = gates[unit], gates[size + unit]
        candidate, output_gate = gates[2 * size + unit], gates[3 * size + unit]
        by_tanh = hidden_gradient[unit] * output_gate * (1 - cell_tanh[unit] ** 2)
        total = cell_state_gradient[unit] + by_tanh
        by_output = hidden_gradient[unit] * cell_tanh[unit]
        gate_gradient[unit] = total * candidate * input_gate * (1 - input_gate)
        gate_gradient[size + unit] = total * cell_state[unit] * forget_gate * (1 - forget_gate)
        gate_gradient[2 * size + unit] = total * input_gate * (1 - candidate**2)
        gate_gradient[3 * size + unit] = by_output * output_gate * (1 - output_gate)
        cell_state_gradient[unit] = total * forget_gate


@kernel
def add_gate_weight_gradients(row, begin, stop, start_hidden, window, arrays):
    """Adds to the gradients of the weights and the bias of the gates those of one window."""
    batch, weight_gradients = arrays.batch, arrays.weight_gradients
    hidden_size, gate_gradients = len(start_hidden), window.gate_gradients[: stop - begin]
    for offset in range(stop - begin):
        add_multiple(1, gate_gradients[offset], weight_gradients.bias)
    add_outer_products(batch.inputs[begin:stop, row], gate_gradients, weight_gradients.weight_ih)
    before = batch.outputs[begin : stop - 1, row, :hidden_size]
    add_outer_products(before, gate_gradients[1:], weight_gradients.weight_hh)
    for unit in range(hidden_size):
        add_multiple(start_hidden[unit], gate_gradients[0], weight_gradients.weight_hh[unit])


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
