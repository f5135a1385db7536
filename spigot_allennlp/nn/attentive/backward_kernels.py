"""
The gradients of an attentive recurrence as machine code, window by window from the last.

`backward` goes back over the results of `forward` in `kernels.py`. Of each window, only the state
before it and the outputs of its steps are kept, so `fill_window` recomputes its gates and cell
states, and `backward_through_steps` takes the gradient through them. A window reads memories of
earlier windows, or its own: the gradients of these memories accumulate until the step that stored
them is reached, where they are added to the gradient of its state. This is how credit jumps back
over many windows.

A gradient has the shape of its array. All gradients start at zero, and are added to.
"""

from typing import NamedTuple

import numpy
from numpy import ndarray

from spigot_allennlp.nn.attentive.kernels import (
    GROUP,
    BatchArrays,
    KernelOptions,
    WeightArrays,
    lstm_step,
    memories_before,
    stores_after,
    write_memory_weights,
    write_provisional,
    write_queries,
)
from spigot_allennlp.nn.compilation import entry, fused_kernel, kernel
from spigot_allennlp.nn.vectors import add_matrix_product


class TorchWeights(NamedTuple):
    """
    The matrices in PyTorch's layout. The gradient of a product, times such a matrix, is the
    gradient of the vector that the matrix was multiplied with.

    # Parameters

    weight_ih : `ndarray`
        Shape `(4 * hidden_size, input_size)`.
    weight_hh : `ndarray`
        Shape `(4 * hidden_size, hidden_size)`.
    query_weight, key_weight : `ndarray`
        Shape `(key_size, hidden_size)`.
    """

    weight_ih: ndarray
    weight_hh: ndarray
    query_weight: ndarray
    key_weight: ndarray


class BatchGradients(NamedTuple):
    """
    The gradients of a batch, except those of weights.

    # Parameters

    outputs : `ndarray`
        Shape `(steps, batch_size, output_size)`; the only one that is not added to.
    inputs : `ndarray`
        Shape `(steps, batch_size, input_size)`.
    keys : `ndarray`
        Shape `(batch_size, memories, key_size)`: unlike in the keys, each memory is contiguous.
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
    torch_weights : `TorchWeights`
    options : `KernelOptions`
    batch : `BatchArrays`
        As filled in by `forward`.
    gradients : `BatchGradients`
    weight_gradients : `WeightArrays`
    """

    weights: WeightArrays
    torch_weights: TorchWeights
    options: KernelOptions
    batch: BatchArrays
    gradients: BatchGradients
    weight_gradients: WeightArrays


class WindowArrays(NamedTuple):
    """
    The values and gradients of a window for a group of instances. The next window overwrites them.

    # Parameters

    hidden : `ndarray`
        Shape `(steps + 1, group, hidden_size)`: the hidden states before each step and after the
        last.
    gates : `ndarray`
        Shape `(steps, group, 4 * hidden_size)`: the activations of the gates.
    cell_states : `ndarray`
        Shape `(steps + 1, group, hidden_size)`: the cell states before each step and after the
        last.
    cell_tanhs : `ndarray`
        Shape `(steps, group, hidden_size)`: the tanh of the cell state after each step.
    gate_gradients : `ndarray`
        Shape `(steps, group, 4 * hidden_size)`: the gradients of the gates before their
        activations.
    hidden_gradient : `ndarray`
        Shape `(group, hidden_size)`: the gradient of the hidden state at the current step.
    cell_state_gradient : `ndarray`
        Shape `(group, hidden_size)`: the gradient of the cell state at the current step.
    """

    hidden: ndarray
    gates: ndarray
    cell_states: ndarray
    cell_tanhs: ndarray
    gate_gradients: ndarray
    hidden_gradient: ndarray
    cell_state_gradient: ndarray


class ReadArrays(NamedTuple):
    """
    Buffers for the reads of a step of a group.

    # Parameters

    provisional : `ndarray`
        Shape `(group, hidden_size)`: the provisional states.
    queries, query_gradients : `ndarray`
        Shape `(group, key_size)`.
    """

    provisional: ndarray
    queries: ndarray
    query_gradients: ndarray


@entry
def backward(start_row, end_row, arrays):
    """
    Adds the contributions of the instances from `start_row` to `end_row`, the latter excluded, to
    the gradients, a group at a time. A window that no gradient reaches costs nothing.

    # Parameters

    start_row, end_row : `int`
    arrays : `BackwardArrays`
    """
    for first in range(start_row, end_row, GROUP):
        _backward_group(first, min(first + GROUP, end_row), arrays)


@kernel
def _backward_group(start_row, end_row, arrays):
    """Like `backward`, for at most `GROUP` instances."""
    options, batch, gradients = arrays.options, arrays.batch, arrays.gradients
    steps, hidden_size = len(batch.inputs), batch.values.shape[2]
    window = empty_window(
        min(options.truncation, steps), end_row - start_row, hidden_size, batch.cell_states
    )
    for window_index in range((steps - 1) // options.truncation, -1, -1):
        start_step = window_index * options.truncation
        end_step = min(start_step + options.truncation, steps)
        if is_reached(start_row, end_row, start_step, end_step, options, gradients):
            if start_step == 0:
                window.hidden[0] = batch.start_hidden[start_row:end_row]
            else:
                window.hidden[0] = batch.outputs[start_step - 1, start_row:end_row, :hidden_size]
            window.cell_states[0] = batch.cell_states[window_index, start_row:end_row]
            fill_window(start_row, end_row, start_step, end_step, arrays.weights, batch, window)
            backward_through_steps(start_row, end_row, start_step, end_step, window, arrays)
            add_gate_gradients(start_row, end_row, start_step, end_step, window, arrays)
            if start_step == 0:
                gradients.start_hidden[start_row:end_row] = window.hidden_gradient
                gradients.start_cell_state[start_row:end_row] = window.cell_state_gradient


@kernel
def empty_window(steps, group, hidden_size, like):
    """Returns `WindowArrays` for this many steps and instances, in the type of `like`."""
    return WindowArrays(
        numpy.empty((steps + 1, group, hidden_size), like.dtype),
        numpy.empty((steps, group, 4 * hidden_size), like.dtype),
        numpy.empty((steps + 1, group, hidden_size), like.dtype),
        numpy.empty((steps, group, hidden_size), like.dtype),
        numpy.empty((steps, group, 4 * hidden_size), like.dtype),
        numpy.empty((group, hidden_size), like.dtype),
        numpy.empty((group, hidden_size), like.dtype),
    )


@kernel
def is_reached(start_row, end_row, start_step, end_step, options, gradients):
    """
    Returns whether any gradient of an output or of a stored memory of a window is not zero, for any
    instance.
    """
    first, last = memories_before(start_step, options), memories_before(end_step, options)
    for row in range(start_row, end_row):
        for memory in range(first, last):
            if has_nonzero(gradients.keys[row, memory]):
                return True
            if has_nonzero(gradients.values[row, memory]):
                return True
        for step in range(start_step, end_step):
            if has_nonzero(gradients.outputs[step, row]):
                return True
    return False


@kernel
def has_nonzero(vector):
    """Returns whether a vector has any nonzero number."""
    for number in vector:
        if number != 0:
            return True
    return False


@kernel
def fill_window(start_row, end_row, start_step, end_step, weights, batch, window):
    """
    Recomputes the gates, the cell states and their tanh for all steps of a window into `window`.
    Its first states must be set.
    """
    hidden_size = batch.values.shape[2]
    for step in range(start_step, end_step):
        offset = step - start_step
        window.hidden[offset + 1] = batch.outputs[step, start_row:end_row, :hidden_size]
        is_present = batch.mask[step, start_row:end_row]
        if is_present.any():
            lstm_step(
                weights,
                batch.inputs[step, start_row:end_row],
                window.hidden[offset],
                window.cell_states[offset],
                window.gates[offset],
                window.cell_states[offset + 1],
                window.cell_tanhs[offset],
            )
        for index in range(len(is_present)):
            if not is_present[index]:
                window.cell_states[offset + 1, index] = window.cell_states[offset, index]


@kernel
def backward_through_steps(start_row, end_row, start_step, end_step, window, arrays):
    """
    Takes the gradient through the steps of a window, from the last to the first. At the end,
    `window` holds the gradients of its gates, and that of the state before it.
    """
    options, batch, gradients = arrays.options, arrays.batch, arrays.gradients
    hidden_gradient, cell_state_gradient = window.hidden_gradient, window.cell_state_gradient
    hidden_gradient[:] = 0
    cell_state_gradient[:] = 0
    size = hidden_gradient.shape[1]
    key_size = len(arrays.weights.query_bias)
    read = ReadArrays(
        numpy.empty_like(hidden_gradient),
        numpy.empty((end_row - start_row, key_size), hidden_gradient.dtype),
        numpy.empty((end_row - start_row, key_size), hidden_gradient.dtype),
    )
    for step in range(end_step - 1, start_step - 1, -1):
        offset, is_present = step - start_step, batch.mask[step, start_row:end_row]
        gate_gradients = window.gate_gradients[offset]
        gate_gradients[:] = 0
        for index in range(end_row - start_row):
            output_gradient = gradients.outputs[step, start_row + index, :size]
            add_multiple(1, output_gradient, hidden_gradient[index])
        stores = stores_after(step, options)
        if stores and not options.stores_provisional:
            backward_store(start_row, step, hidden_gradient, arrays)
        if is_present.any():
            if options.top_k > 0 and memories_before(step, options) > 0:
                write_provisional(window.gates[offset], window.cell_tanhs[offset], read.provisional)
                backward_read(start_row, step, hidden_gradient, read, arrays)
            if stores and options.stores_provisional:
                backward_store(start_row, step, hidden_gradient, arrays)
            for index in range(end_row - start_row):
                if is_present[index]:
                    backward_lstm(
                        window.gates[offset, index],
                        window.cell_tanhs[offset, index],
                        window.cell_states[offset, index],
                        hidden_gradient[index],
                        cell_state_gradient[index],
                        gate_gradients[index],
                    )
                    hidden_gradient[index] = 0
            # nothing is added if the gates have no gradient
            add_matrix_product(gate_gradients, arrays.torch_weights.weight_hh, hidden_gradient)


@kernel
def backward_store(start_row, step, hidden_gradient, arrays):
    """Adds the gradients of the memories stored after `step` to those of the states."""
    memory = memories_before(step, arrays.options)
    key_weight, is_present = arrays.weights.key_weight, arrays.batch.mask[step]
    key_gradients = numpy.zeros((len(hidden_gradient), key_weight.shape[1]), key_weight.dtype)
    values = numpy.zeros_like(hidden_gradient)
    for index in range(len(hidden_gradient)):
        row = start_row + index
        # for a padded instance, `hidden_gradient` is not that of its provisional state
        if is_present[row] or not arrays.options.stores_provisional:
            add_multiple(1, arrays.gradients.values[row, memory], hidden_gradient[index])
            key_gradients[index] = arrays.gradients.keys[row, memory]
            values[index] = arrays.batch.values[row, memory]
    add_matrix_product(key_gradients, arrays.torch_weights.key_weight, hidden_gradient)
    add_matrix_product(values.T, key_gradients, arrays.weight_gradients.key_weight)


@kernel
def backward_read(start_row, step, hidden_gradient, read, arrays):
    """
    Takes the gradients of hidden states, which are sums of provisional states and summaries,
    through the summaries: to the memories and, through the queries, to `hidden_gradient` itself,
    which becomes that of the provisional states.
    """
    weights, weight_gradients, batch = arrays.weights, arrays.weight_gradients, arrays.batch
    size = hidden_gradient.shape[1]
    write_queries(weights, read.provisional, read.queries)
    read.query_gradients[:] = 0
    for index in range(len(hidden_gradient)):
        row, query_gradient = start_row + index, read.query_gradients[index]
        if batch.mask[step, row] and batch.selected[step, row, 0] >= 0:
            summary_gradient = hidden_gradient[index] + arrays.gradients.outputs[step, row, size:]
            query = read.queries[index]
            backward_summary(row, step, query, summary_gradient, query_gradient, arrays)
            add_multiple(1, query_gradient, weight_gradients.query_bias)
        else:
            read.provisional[index] = 0  # perhaps NaN
    add_matrix_product(read.query_gradients, arrays.torch_weights.query_weight, hidden_gradient)
    add_matrix_product(read.provisional.T, read.query_gradients, weight_gradients.query_weight)


@kernel
def backward_summary(row, step, query, summary_gradient, query_gradient, arrays):
    """
    Adds the contributions of the summary's gradient to the gradients of the query, and of keys and
    values of the selected memories; see `threshold_weights`.
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
    cell state by that of `cell_state`, the previous one. `hidden_gradient` is that of the
    provisional state.
    """
    size, one = len(cell_state), cell_state.dtype.type(1)
    for unit in range(size):
        input_gate, forget_gate = gates[unit], gates[size + unit]
        candidate, output_gate = gates[2 * size + unit], gates[3 * size + unit]
        by_tanh = hidden_gradient[unit] * output_gate * (one - cell_tanh[unit] * cell_tanh[unit])
        total = cell_state_gradient[unit] + by_tanh
        by_output = hidden_gradient[unit] * cell_tanh[unit]
        gate_gradient[unit] = total * candidate * input_gate * (one - input_gate)
        gate_gradient[size + unit] = total * cell_state[unit] * forget_gate * (one - forget_gate)
        gate_gradient[2 * size + unit] = total * input_gate * (one - candidate * candidate)
        gate_gradient[3 * size + unit] = by_output * output_gate * (one - output_gate)
        cell_state_gradient[unit] = total * forget_gate


@kernel
def add_gate_gradients(start_row, end_row, start_step, end_step, window, arrays):
    """
    Adds the contributions of the gates to the gradients of the inputs of a window, and of the
    weights and the bias of the gates.
    """
    batch, gradients, weight_gradients = arrays.batch, arrays.gradients, arrays.weight_gradients
    group, input_size = end_row - start_row, batch.inputs.shape[2]
    hidden_size = batch.values.shape[2]
    rows = (end_step - start_step) * group
    gate_gradients = window.gate_gradients.reshape((-1, 4 * hidden_size))[:rows]
    before = window.hidden.reshape((-1, hidden_size))[:rows]
    inputs = numpy.empty((end_step - start_step, group, input_size), before.dtype)
    inputs[:] = batch.inputs[start_step:end_step, start_row:end_row]
    for row in range(rows):
        add_multiple(1, gate_gradients[row], weight_gradients.bias)
    flat_inputs = inputs.reshape((rows, input_size))
    add_matrix_product(flat_inputs.T, gate_gradients, weight_gradients.weight_ih)
    add_matrix_product(before.T, gate_gradients, weight_gradients.weight_hh)
    input_gradients = numpy.zeros((rows, input_size), before.dtype)
    add_matrix_product(gate_gradients, arrays.torch_weights.weight_ih, input_gradients)
    gradients.inputs[start_step:end_step, start_row:end_row] += input_gradients.reshape(
        inputs.shape
    )


@fused_kernel
def add_multiple(factor, vector, result):
    """Adds `factor * vector` to `result`."""
    for index in range(len(vector)):
        result[index] += factor * vector[index]


@fused_kernel
def dot(left, right):
    """Returns the inner product of two vectors, computed as four interleaved sums."""
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
