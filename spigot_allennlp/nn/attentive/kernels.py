"""
The recurrence as machine code: an LSTM with a bilinear score and weights by threshold.

`forward` runs some instances of a batch through all steps; `backward_kernels.py` goes back over
what it has filled in. Every array is contiguous, and all floating point numbers of a call are of
one type. `cpu.py` makes the tuples of arrays below.
"""

from typing import NamedTuple

import numpy
from numpy import ndarray

from spigot_allennlp.nn.compilation import entry, fused_kernel, kernel

# A sigmoid is zero or one, to the last digit, for numbers beyond this.
LARGEST_EXPONENT = 40.0


class WeightArrays(NamedTuple):
    """
    The parameters of a cell, those of `BilinearWeights` with matrices transposed, so that a loop
    over the results of a product runs along memory; or the gradients of these parameters.

    # Parameters

    weight_ih : `ndarray`
        Shape `(input_size, 4 * hidden_size)`. Gates are in the order input, forget, cell, output.
    weight_hh : `ndarray`
        Shape `(hidden_size, 4 * hidden_size)`.
    bias : `ndarray`
        Shape `(4 * hidden_size,)`.
    query_weight : `ndarray`
        Shape `(hidden_size, key_size)`.
    query_bias : `ndarray`
        Shape `(key_size,)`.
    key_weight : `ndarray`
        Shape `(hidden_size, key_size)`.
    """

    weight_ih: ndarray
    weight_hh: ndarray
    bias: ndarray
    query_weight: ndarray
    query_bias: ndarray
    key_weight: ndarray


class KernelOptions(NamedTuple):
    """
    The fields of `AttentiveOptions`, all as numbers, and what else a kernel needs to know.

    # Parameters

    attend_every : `int`
    top_k : `int`
        At most the number of memories.
    truncation : `int`
        The number of steps of a window; of the whole sequence, for full backpropagation.
    num_initial : `int`
        How many memories there are before the first step.
    stores_provisional : `bool`
    smoothing : `float`
        In units of the score; see `threshold_weights`.
    """

    attend_every: int
    top_k: int
    truncation: int
    num_initial: int
    stores_provisional: bool
    smoothing: float


class BatchArrays(NamedTuple):
    """
    The arrays of a batch that `forward` reads, and those that it writes.

    # Parameters

    inputs : `ndarray`
        Shape `(steps, batch_size, input_size)`.
    mask : `ndarray`
        Truth values of shape `(steps, batch_size)`. Where it is false an instance stays as it is.
    start_hidden : `ndarray`
        Shape `(batch_size, hidden_size)`.
    cell_states : `ndarray`
        Shape `(windows + 1, batch_size, hidden_size)`: the cell state before each window and
        after the last. The first is set, `forward` writes the others.
    keys : `ndarray`
        Shape `(batch_size, key_size, memories)`, so that the loop of a score runs along memory.
        The initial memories are set, `forward` writes the others; likewise for the next two.
    values : `ndarray`
        Shape `(batch_size, memories, hidden_size)`.
    present : `ndarray`
        Truth values of shape `(batch_size, memories)`: false for a memory that does not exist.
    selected : `ndarray`
        Integers of shape `(steps, batch_size, top_k + 1)`, -1 everywhere: `forward` writes which
        memories have the highest scores, in descending order. The last is the runner-up.
    outputs : `ndarray`
        Shape `(steps, batch_size, output_size)`: `forward` writes the hidden state and, if memories
        are read, the summary.
    """

    inputs: ndarray
    mask: ndarray
    start_hidden: ndarray
    cell_states: ndarray
    keys: ndarray
    values: ndarray
    present: ndarray
    selected: ndarray
    outputs: ndarray


@entry
def forward(start, end, weights, options, batch):
    """
    Runs the recurrence of the instances from `start` up to, not including, `end`.

    # Parameters

    start, end : `int`
    weights : `WeightArrays`
    options : `KernelOptions`
    batch : `BatchArrays`
    """
    steps, hidden_size = len(batch.inputs), batch.values.shape[2]
    gates, query = numpy.empty_like(weights.bias), numpy.empty_like(weights.query_bias)
    scores = numpy.empty(batch.values.shape[1] + 1, gates.dtype)
    hidden, provisional = gates[:hidden_size] * 0, gates[:hidden_size] * 0
    cell_state, cell_tanh = gates[:hidden_size] * 0, gates[:hidden_size] * 0
    for row in range(start, end):
        hidden[:], cell_state[:] = batch.start_hidden[row], batch.cell_states[0, row]
        for step in range(steps):
            if step % options.truncation == 0:
                batch.cell_states[step // options.truncation, row] = cell_state
            output, is_present = batch.outputs[step, row], batch.mask[step, row]
            output[hidden_size:] = 0
            if is_present:
                inputs = batch.inputs[step, row]
                lstm_step(weights, inputs, hidden, cell_state, gates, cell_state, cell_tanh)
                for unit in range(hidden_size):
                    hidden[unit] = gates[3 * hidden_size + unit] * cell_tanh[unit]
                provisional[:] = hidden
                num_memories = memories_before(step, options)
                if options.top_k > 0 and num_memories > 0:
                    write_query(weights, hidden, query)
                    summary = output[hidden_size:]
                    attention_read(row, step, num_memories, query, options, batch, scores, summary)
                    for unit in range(hidden_size):
                        hidden[unit] += summary[unit]
            output[:hidden_size] = hidden
            if stores_after(step, options):
                value = provisional if options.stores_provisional else hidden
                store(row, memories_before(step, options), weights, value, is_present, batch)
        batch.cell_states[len(batch.cell_states) - 1, row] = cell_state


@kernel
def stores_after(step, options):
    """Returns whether the state after `step` becomes a memory."""
    return options.top_k > 0 and (step + 1) % options.attend_every == 0


@kernel
def memories_before(step, options):
    """Returns how many memories there are before `step`, those that do not exist included."""
    return options.num_initial + (step // options.attend_every if options.top_k > 0 else 0)


@kernel
def lstm_step(weights, inputs, hidden, cell_state, gates, new_cell_state, cell_tanh):
    """
    Writes the activations of the gates, the new cell state and its tanh, and does not change
    `hidden`. The provisional state is the product of the output gate and this tanh.
    `new_cell_state` may be `cell_state`.
    """
    size = len(hidden)
    gates[:] = weights.bias
    add_product(inputs, weights.weight_ih, gates)
    add_product(hidden, weights.weight_hh, gates)
    apply_sigmoid(gates[: 2 * size])
    write_tanh(gates[2 * size : 3 * size], gates[2 * size : 3 * size])
    apply_sigmoid(gates[3 * size :])
    input_gate, forget_gate = gates[:size], gates[size : 2 * size]
    candidate = gates[2 * size : 3 * size]
    for unit in range(size):
        remembered = forget_gate[unit] * cell_state[unit]
        new_cell_state[unit] = remembered + input_gate[unit] * candidate[unit]
    write_tanh(new_cell_state, cell_tanh)


@kernel
def write_query(weights, provisional, query):
    """Writes the vector whose products with keys are the scores of a provisional state."""
    query[:] = weights.query_bias
    add_product(provisional, weights.query_weight, query)


@kernel
def attention_read(row, step, num_memories, query, options, batch, scores, summary):
    """
    Writes which memories are selected, and adds their weighted sum to `summary`. `scores` is a
    buffer for a number for each memory.
    """
    selected = batch.selected[step, row]
    select(query, batch.keys[row], batch.present[row], num_memories, scores, selected)
    selected_scores = numpy.empty(len(selected), scores.dtype)
    memory_weights = numpy.empty(len(selected), scores.dtype)
    for rank in range(len(selected)):
        if selected[rank] >= 0:
            selected_scores[rank] = scores[selected[rank]]
    normalizer = write_memory_weights(selected, selected_scores, options, memory_weights)
    add_values(selected, normalizer.num_kept, memory_weights, batch.values[row], summary)


@fused_kernel
def select(query, keys, present, num_memories, scores, selected):
    """
    Writes the scores of the first `num_memories` memories, and into `selected` which of these are
    highest, in descending order, as many as it has space for; -1 where there are no more. Of equal
    scores, that of the earlier memory is first. `keys` has shape `(key_size, memories)`.
    """
    scores[:num_memories] = 0
    for dim in range(len(query)):
        for memory in range(num_memories):
            scores[memory] += query[dim] * keys[dim, memory]
    selected[:] = -1
    lowest_rank = len(selected) - 1
    for memory in range(num_memories):
        lowest = selected[lowest_rank]
        if present[memory] and (lowest < 0 or scores[memory] > scores[lowest]):
            rank = lowest_rank
            while rank > 0 and (
                selected[rank - 1] < 0 or scores[memory] > scores[selected[rank - 1]]
            ):
                selected[rank] = selected[rank - 1]
                rank -= 1
            selected[rank] = memory


class Normalizer(NamedTuple):
    """
    What the weights of the selected memories follow from, beside their scores.

    # Parameters

    num_kept : `int`
        How many memories have a weight, at most `top_k`.
    num_selected : `int`
        How many have a score that plays a part: the kept and, if there is one, the runner-up.
    total : `float`
        What the excess over the threshold is divided by.
    """

    num_kept: int
    num_selected: int
    total: float


@kernel
def write_memory_weights(selected, selected_scores, options, memory_weights):
    """
    Writes the weights of the selected memories into `memory_weights`, by `threshold_weights`;
    returns a `Normalizer`.
    """
    num_selected = 0
    while num_selected < len(selected) and selected[num_selected] >= 0:
        num_selected += 1
    num_kept = min(num_selected, options.top_k)
    total = options.smoothing
    for rank in range(num_kept):
        excess = max(selected_scores[rank] - selected_scores[num_selected - 1], 0.0)
        memory_weights[rank] = excess + options.smoothing / num_kept
        total += excess
    for rank in range(num_kept):
        memory_weights[rank] /= total
    return Normalizer(num_kept, num_selected, total)


@fused_kernel
def add_values(selected, num_kept, memory_weights, values, summary):
    """Adds the weighted sum of the kept memories, `values` of `(memories, hidden_size)`."""
    for rank in range(num_kept):
        value = values[selected[rank]]
        for unit in range(len(summary)):
            summary[unit] += memory_weights[rank] * value[unit]


@kernel
def store(row, memory, weights, value, is_present, batch):
    """Writes a memory: its key, its value, and whether it exists."""
    key = numpy.zeros_like(weights.query_bias)
    for unit in range(len(value)):
        for dim in range(len(key)):
            key[dim] += value[unit] * weights.key_weight[unit, dim]
    batch.keys[row, :, memory] = key
    batch.values[row, memory] = value
    batch.present[row, memory] = is_present


@fused_kernel
def add_product(vector, matrix, result):
    """Adds `vector @ matrix` to `result`, four rows at a time, without those that are zero."""
    size, row = len(result), 0
    while row + 4 <= len(vector):
        a, b, c, d = vector[row], vector[row + 1], vector[row + 2], vector[row + 3]
        if a != 0 or b != 0 or c != 0 or d != 0:
            first, second, third, fourth = (
                matrix[row],
                matrix[row + 1],
                matrix[row + 2],
                matrix[row + 3],
            )
            for column in range(size):
                result[column] += (
                    a * first[column] + b * second[column] + c * third[column] + d * fourth[column]
                )
        row += 4
    while row < len(vector):
        if vector[row] != 0:
            for column in range(size):
                result[column] += vector[row] * matrix[row, column]
        row += 1


@kernel
def apply_sigmoid(numbers):
    """Replaces each number by its sigmoid."""
    for index in range(len(numbers)):
        numbers[index] = 1.0 / (1.0 + exponential(-numbers[index]))


@kernel
def write_tanh(numbers, results):
    """Writes the hyperbolic tangents of `numbers` into `results`, which may be the same array."""
    for index in range(len(numbers)):
        results[index] = 1.0 - 2.0 / (1.0 + exponential(2.0 * numbers[index]))


@fused_kernel
def exponential(number):
    """
    Returns the exponential of a number to 13 digits; beyond `LARGEST_EXPONENT`, up or down, that of
    this bound. It takes only products and sums, so that a loop over it becomes vector code. What is
    not a number stays so.
    """
    bounded = LARGEST_EXPONENT if number > LARGEST_EXPONENT else number
    bounded = -LARGEST_EXPONENT if number < -LARGEST_EXPONENT else bounded
    x = bounded / 128.0
    # Its Taylor series; quotients of constants are computed once.
    series = 1.0 + x * (1 / 8) * (1.0 + x * (1 / 9) * (1.0 + x * (1 / 10)))
    series = 1.0 + x * (1 / 5) * (1.0 + x * (1 / 6) * (1.0 + x * (1 / 7) * series))
    series = 1.0 + x * (1.0 + x * (1 / 2) * (1.0 + x * (1 / 3) * (1.0 + x * (1 / 4) * series)))
    for _ in range(7):
        series = series * series
    return series
