"""
The recurrence as machine code: an LSTM with a bilinear score and threshold weights.

`forward` runs some instances of a batch through all steps; `backward_kernels.py` goes back over its
results. Every array is contiguous, and all floating-point numbers of a call have one type. `cpu.py`
makes the tuples of arrays below.
"""

import math
from typing import NamedTuple

import numpy
from numba import types
from numba.extending import overload
from numpy import ndarray

from spigot_allennlp.nn.compilation import entry, fused_kernel, kernel
from spigot_allennlp.nn.vectors import add_matrix_product

# At most this many instances take a step together.
GROUP = 16

# Beyond this, a sigmoid is zero or one to the last digit.
LARGEST_EXPONENT = 40.0


class WeightArrays(NamedTuple):
    """
    The parameters of a cell, from `BilinearWeights` with matrices transposed, so that a loop over
    the results of a product reads contiguous memory; or the gradients of these parameters.

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
    The fields of `AttentiveOptions` as numbers, and further settings for the kernels.

    # Parameters

    attend_every : `int`
    top_k : `int`
        At most the number of memories.
    truncation : `int`
        The number of steps in a window; for full backpropagation, in the whole sequence.
    num_initial : `int`
        The number of memories before the first step.
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
    The arrays of a batch that `forward` reads and writes.

    # Parameters

    inputs : `ndarray`
        Shape `(steps, batch_size, input_size)`.
    mask : `ndarray`
        Truth values of shape `(steps, batch_size)`. Where it is false, an instance does not change.
    start_hidden : `ndarray`
        Shape `(batch_size, hidden_size)`.
    cell_states : `ndarray`
        Shape `(windows + 1, batch_size, hidden_size)`: the cell state before each window and
        after the last. The first is given, `forward` writes the others.
    keys : `ndarray`
        Shape `(batch_size, key_size, memories)`, so that the loop of a score reads contiguous
        memory. The initial memories are given, `forward` writes the others; likewise for the next
        two.
    values : `ndarray`
        Shape `(batch_size, memories, hidden_size)`.
    present : `ndarray`
        Truth values of shape `(batch_size, memories)`: false for a memory that does not exist.
    selected : `ndarray`
        Integers of shape `(steps, batch_size, top_k + 1)`, initially -1: `forward` writes the
        memories with the highest scores, in descending order. The last is the runner-up.
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
def forward(start_row, end_row, weights, options, batch):
    """
    Runs the recurrence for the instances from `start_row` to `end_row`, the latter excluded.
    `GROUP` instances take each step together, so that its products are matrix products.

    # Parameters

    start_row, end_row : `int`
    weights : `WeightArrays`
    options : `KernelOptions`
    batch : `BatchArrays`
    """
    for first in range(start_row, end_row, GROUP):
        _forward_group(first, min(first + GROUP, end_row), weights, options, batch)


@kernel
def _forward_group(start_row, end_row, weights, options, batch):
    """Like `forward`, for at most `GROUP` instances."""
    steps, hidden_size = len(batch.inputs), batch.values.shape[2]
    size, key_size = end_row - start_row, len(weights.query_bias)
    hidden, cell_state = (
        batch.start_hidden[start_row:end_row].copy(),
        batch.cell_states[0, start_row:end_row].copy(),
    )
    provisional, new_cell_state = numpy.empty_like(hidden), numpy.empty_like(hidden)
    cell_tanh = numpy.empty_like(hidden)
    gates = numpy.empty((size, 4 * hidden_size), hidden.dtype)
    queries = numpy.empty((size, key_size), hidden.dtype)
    scores = numpy.empty(batch.values.shape[1] + 1, hidden.dtype)
    for step in range(steps):
        if step % options.truncation == 0:
            batch.cell_states[step // options.truncation, start_row:end_row] = cell_state
        inputs = batch.inputs[step, start_row:end_row]
        is_present = batch.mask[step, start_row:end_row]
        outputs = batch.outputs[step, start_row:end_row]
        num_memories = memories_before(step, options)
        outputs[:, hidden_size:] = 0
        if is_present.any():
            lstm_step(weights, inputs, hidden, cell_state, gates, new_cell_state, cell_tanh)
            write_provisional(gates, cell_tanh, provisional)
            is_reading = options.top_k > 0 and num_memories > 0
            if is_reading:
                write_queries(weights, provisional, queries)
            for index in range(size):
                if is_present[index]:
                    hidden[index], cell_state[index] = provisional[index], new_cell_state[index]
                    if is_reading:
                        row, summary = start_row + index, outputs[index, hidden_size:]
                        query = queries[index]
                        attention_read(
                            row, step, num_memories, query, options, batch, scores, summary
                        )
                        for unit in range(hidden_size):
                            hidden[index, unit] += summary[unit]
        outputs[:, :hidden_size] = hidden
        if stores_after(step, options):
            if options.stores_provisional:
                for index in range(size):
                    if not is_present[index]:  # it does not exist, but must not be NaN
                        provisional[index] = hidden[index]
            values = provisional if options.stores_provisional else hidden
            store(start_row, num_memories, weights, values, is_present, batch)
    batch.cell_states[len(batch.cell_states) - 1, start_row:end_row] = cell_state


@kernel
def stores_after(step, options):
    """Returns whether the state after `step` becomes a memory."""
    return options.top_k > 0 and (step + 1) % options.attend_every == 0


@kernel
def memories_before(step, options):
    """Returns the number of memories before `step`, including those that do not exist."""
    return options.num_initial + (step // options.attend_every if options.top_k > 0 else 0)


@kernel
def lstm_step(weights, inputs, hidden, cell_state, gates, new_cell_state, cell_tanh):
    """
    Writes the activations of the gates, the new cell state and its tanh, for instances in rows.
    """
    size = hidden.shape[1]
    gates[:] = weights.bias
    add_matrix_product(inputs, weights.weight_ih, gates)
    add_matrix_product(hidden, weights.weight_hh, gates)
    for row in range(len(gates)):
        apply_sigmoid(gates[row, : 2 * size])
        write_tanh(gates[row, 2 * size : 3 * size], gates[row, 2 * size : 3 * size])
        apply_sigmoid(gates[row, 3 * size :])
        input_gate, forget_gate = gates[row, :size], gates[row, size : 2 * size]
        candidate = gates[row, 2 * size : 3 * size]
        before, after = cell_state[row], new_cell_state[row]
        for unit in range(size):
            after[unit] = forget_gate[unit] * before[unit] + input_gate[unit] * candidate[unit]
        write_tanh(after, cell_tanh[row])


@kernel
def write_provisional(gates, cell_tanh, provisional):
    """Writes the provisional states: the products of output gates and tanhs of cell states."""
    size = cell_tanh.shape[1]
    for row in range(len(gates)):
        for unit in range(size):
            provisional[row, unit] = gates[row, 3 * size + unit] * cell_tanh[row, unit]


@kernel
def write_queries(weights, provisional, queries):
    """Writes the vectors that, multiplied by keys, give the scores of provisional states."""
    queries[:] = weights.query_bias
    add_matrix_product(provisional, weights.query_weight, queries)


@kernel
def attention_read(row, step, num_memories, query, options, batch, scores, summary):
    """
    Writes the selected memories, and adds their weighted sum to `summary`. `scores` is a buffer
    with a number for each memory.
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
    Writes the scores of the first `num_memories` memories. Fills `selected` with those that score
    highest, in descending order; -1 if there are no more. Among equal scores, the earlier memory
    comes first. `keys` has shape `(key_size, memories)`.
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
    The data that, with the scores, determine the weights of the selected memories.

    # Parameters

    num_kept : `int`
        The number of memories with a weight, at most `top_k`.
    num_selected : `int`
        The number of relevant scores: those of the kept memories and, if any, of the runner-up.
    total : `float`
        The divisor of the excess over the threshold.
    """

    num_kept: int
    num_selected: int
    total: float


@kernel
def write_memory_weights(selected, selected_scores, options, memory_weights):
    """
    Writes the weights of the selected memories into `memory_weights`, as in `threshold_weights`,
    and returns a `Normalizer`.
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
def store(start_row, memory, weights, values, is_present, batch):
    """
    Writes a memory for each instance from `start_row` on: its key, its value, and whether it
    exists.
    """
    keys = numpy.zeros((len(values), len(weights.query_bias)), values.dtype)
    add_matrix_product(values, weights.key_weight, keys)
    for index in range(len(values)):
        batch.keys[start_row + index, :, memory] = keys[index]
        batch.values[start_row + index, memory] = values[index]
        batch.present[start_row + index, memory] = is_present[index]


@kernel
def apply_sigmoid(numbers):
    """Replaces each number by its sigmoid."""
    one = numbers.dtype.type(1)
    for index in range(len(numbers)):
        numbers[index] = one / (one + exponential(-numbers[index]))


@kernel
def write_tanh(numbers, results):
    """Writes the hyperbolic tangents of `numbers` into `results`, which may be the same array."""
    one, two = numbers.dtype.type(1), numbers.dtype.type(2)
    for index in range(len(numbers)):
        results[index] = one - two / (one + exponential(two * numbers[index]))


def exponential(number: float) -> float:
    """
    In a kernel, returns the exponential of a number to the last digits of single precision, or to
    13 digits in double. Beyond `LARGEST_EXPONENT`, up or down, it is that of the bound. It only
    uses products, sums and bit operations, so a loop over it becomes vector code. NaN stays NaN.
    """
    raise NotImplementedError


@overload(exponential)
def _exponential(number):
    implementation = _in_single if number == types.float32 else _in_double
    return lambda number: implementation(number)


@fused_kernel
def _in_single(number):
    """Computes `2^k e^x` with `k` whole and `|x| <= log(2) / 2`, and `e^x` by its Taylor series."""
    single = numpy.float32
    bounded = min(max(number, single(-LARGEST_EXPONENT)), single(LARGEST_EXPONENT))
    bounded = number if number != number else bounded
    rounding = single(1.5 * 2**23)  # adding it to a small number removes the fraction
    power = (bounded * single(1 / math.log(2)) + rounding) - rounding
    # the logarithm of two in two parts; the first has a short mantissa
    x = bounded - power * single(0.693359375)
    x = x - power * single(math.log(2) - 0.693359375)
    series = single(1 / 720) + x * single(1 / 5040)
    series = single(1 / 24) + x * (single(1 / 120) + x * series)
    series = single(1 / 2) + x * (single(1 / 6) + x * series)
    series = single(1) + x * (single(1) + x * series)
    bits = (numpy.int32(power) + numpy.int32(127)) << numpy.int32(23)
    return series * numpy.int32(bits).view(single)


@fused_kernel
def _in_double(number):
    """Computes `(e^x)^128`, and `e^x` by its Taylor series. Quotients are computed only once."""
    bounded = LARGEST_EXPONENT if number > LARGEST_EXPONENT else number
    bounded = -LARGEST_EXPONENT if number < -LARGEST_EXPONENT else bounded
    x = bounded / 128.0
    series = 1.0 + x * (1 / 8) * (1.0 + x * (1 / 9) * (1.0 + x * (1 / 10)))
    series = 1.0 + x * (1 / 5) * (1.0 + x * (1 / 6) * (1.0 + x * (1 / 7) * series))
    series = 1.0 + x * (1.0 + x * (1 / 2) * (1.0 + x * (1 / 3) * (1.0 + x * (1 / 4) * series)))
    for _ in range(7):
        series = series * series
    return series
