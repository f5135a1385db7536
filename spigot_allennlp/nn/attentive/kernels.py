"""
The recurrence as machine code: an LSTM with a bilinear score and weights by threshold.

`forward` runs some instances of a batch through all steps; `backward_kernels.py` goes back over
what it has filled in. Every array is contiguous, and all floating point numbers of a call are of
one type. The tuples of arrays below are made in `cpu.py`.
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

    input : `ndarray`
        Shape `(input_size, 4 * hidden_size)`. Gates are in the order input, forget, cell, output.
    hidden : `ndarray`
        Shape `(hidden_size, 4 * hidden_size)`.
    bias : `ndarray`
        Shape `(4 * hidden_size,)`.
    query : `ndarray`
        Shape `(hidden_size, key_size)`.
    query_bias : `ndarray`
        Shape `(key_size,)`.
    key : `ndarray`
        Shape `(hidden_size, key_size)`.
    """

    input: ndarray
    hidden: ndarray
    bias: ndarray
    query: ndarray
    query_bias: ndarray
    key: ndarray


class KernelOptions(NamedTuple):
    """
    Numbers alone; see `AttentiveOptions` and `threshold_weights`.

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
        In units of the score.
    """

    attend_every: int
    top_k: int
    truncation: int
    num_initial: int
    stores_provisional: bool
    smoothing: float


class BatchArrays(NamedTuple):
    """
    What goes into `forward`, and what it fills in.

    # Parameters

    inputs : `ndarray`
        Shape `(steps, batch_size, input_size)`.
    mask : `ndarray`
        Truth values of shape `(steps, batch_size)`. Where it is false an instance stays as it is.
    start_hidden : `ndarray`
        Shape `(batch_size, hidden_size)`.
    cells : `ndarray`
        Shape `(windows + 1, batch_size, hidden_size)`: the cell before each window and after the
        last. The first is set, `forward` writes the others.
    keys : `ndarray`
        Shape `(batch_size, key_size, memories)`, so that the loop of a score runs along memory.
        The initial memories are set, `forward` writes the others; likewise for the next two.
    values : `ndarray`
        Shape `(batch_size, memories, hidden_size)`.
    present : `ndarray`
        Truth values of shape `(batch_size, memories)`: false for a memory that does not exist.
    chosen : `ndarray`
        Integers of shape `(steps, batch_size, top_k + 1)`, -1 everywhere: `forward` writes which
        memories have the highest scores, in descending order. The last is the runner-up.
    outputs : `ndarray`
        Shape `(steps, batch_size, output_size)`: `forward` writes the hidden state and, if memories
        are read, the summary.
    """

    inputs: ndarray
    mask: ndarray
    start_hidden: ndarray
    cells: ndarray
    keys: ndarray
    values: ndarray
    present: ndarray
    chosen: ndarray
    outputs: ndarray


@entry
def forward(first, last, weights, options, batch):
    """
    Runs the recurrence of the instances from `first` up to `last`.

    # Parameters

    first, last : `int`
    weights : `WeightArrays`
    options : `KernelOptions`
    batch : `BatchArrays`
    """
    steps, hidden_size = len(batch.inputs), batch.values.shape[2]
    gates, query = numpy.empty_like(weights.bias), numpy.empty_like(weights.query_bias)
    scores = numpy.empty(batch.values.shape[1] + 1, gates.dtype)
    hidden, provisional = gates[:hidden_size] * 0, gates[:hidden_size] * 0
    cell, cell_tanh = gates[:hidden_size] * 0, gates[:hidden_size] * 0
    for row in range(first, last):
        hidden[:], cell[:] = batch.start_hidden[row], batch.cells[0, row]
        for step in range(steps):
            if step % options.truncation == 0:
                batch.cells[step // options.truncation, row] = cell
            output, is_present = batch.outputs[step, row], batch.mask[step, row]
            output[hidden_size:] = 0
            if is_present:
                lstm_step(weights, batch.inputs[step, row], hidden, cell, gates, cell, cell_tanh)
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
        batch.cells[len(batch.cells) - 1, row] = cell


@kernel
def stores_after(step, options):
    """Returns whether the state after `step` becomes a memory."""
    return options.top_k > 0 and (step + 1) % options.attend_every == 0


@kernel
def memories_before(step, options):
    """Returns how many memories there are before `step`, those that do not exist included."""
    return options.num_initial + (step // options.attend_every if options.top_k > 0 else 0)


@kernel
def lstm_step(weights, inputs, hidden, cell, gates, new_cell, cell_tanh):
    """
    Writes the activations of the gates, the new cell and its tanh, and does not change `hidden`.
    The provisional state is the product of the output gate and this tanh. `new_cell` may be `cell`.
    """
    size = len(hidden)
    gates[:] = weights.bias
    add_product(inputs, weights.input, gates)
    add_product(hidden, weights.hidden, gates)
    apply_sigmoid(gates[: 2 * size])
    write_tanh(gates[2 * size : 3 * size], gates[2 * size : 3 * size])
    apply_sigmoid(gates[3 * size :])
    input_gate, forget_gate = gates[:size], gates[size : 2 * size]
    candidate = gates[2 * size : 3 * size]
    for unit in range(size):
        new_cell[unit] = forget_gate[unit] * cell[unit] + input_gate[unit] * candidate[unit]
    write_tanh(new_cell, cell_tanh)


@kernel
def write_query(weights, provisional, query):
    """Writes the vector whose products with keys are the scores of a provisional state."""
    query[:] = weights.query_bias
    add_product(provisional, weights.query, query)


@kernel
def attention_read(row, step, num_memories, query, options, batch, scores, summary):
    """
    Writes which memories are chosen, and adds their weighted sum to `summary`. `scores` is a buffer
    for a number for each memory.
    """
    chosen = batch.chosen[step, row]
    select(query, batch.keys[row], batch.present[row], num_memories, scores, chosen)
    chosen_scores = numpy.empty(len(chosen), scores.dtype)
    shares = numpy.empty(len(chosen), scores.dtype)
    for place in range(len(chosen)):
        if chosen[place] >= 0:
            chosen_scores[place] = scores[chosen[place]]
    normalizer = write_shares(chosen, chosen_scores, options, shares)
    add_values(chosen, normalizer.kept, shares, batch.values[row], summary)


@fused_kernel
def select(query, keys, present, num_memories, scores, chosen):
    """
    Writes the scores of the first `num_memories` memories, and into `chosen` which of these are
    highest, in descending order, as many as it has places; -1 where there are no more. Of equal
    scores, that of the earlier memory is first. `keys` has shape `(key_size, memories)`.
    """
    scores[:num_memories] = 0
    for dim in range(len(query)):
        for memory in range(num_memories):
            scores[memory] += query[dim] * keys[dim, memory]
    chosen[:] = -1
    places = len(chosen)
    for memory in range(num_memories):
        last = chosen[places - 1]
        if present[memory] and (last < 0 or scores[memory] > scores[last]):
            place = places - 1
            while place > 0 and (
                chosen[place - 1] < 0 or scores[memory] > scores[chosen[place - 1]]
            ):
                chosen[place] = chosen[place - 1]
                place -= 1
            chosen[place] = memory


class Normalizer(NamedTuple):
    """
    # Parameters

    kept : `int`
        How many memories have a weight, at most `top_k`.
    selected : `int`
        How many have a score that plays a part: the kept and, if there is one, the runner-up.
    total : `float`
        What the excess over the threshold is divided by.
    """

    kept: int
    selected: int
    total: float


@kernel
def write_shares(chosen, chosen_scores, options, shares):
    """Writes the weights of the chosen memories, by `threshold_weights`; returns a `Normalizer`."""
    selected = 0
    while selected < len(chosen) and chosen[selected] >= 0:
        selected += 1
    kept = min(selected, options.top_k)
    total = options.smoothing
    for place in range(kept):
        excess = max(chosen_scores[place] - chosen_scores[selected - 1], 0.0)
        shares[place] = excess + options.smoothing / kept
        total += excess
    for place in range(kept):
        shares[place] /= total
    return Normalizer(kept, selected, total)


@fused_kernel
def add_values(chosen, kept, shares, values, summary):
    """Adds the weighted sum of the kept memories, `values` of `(memories, hidden_size)`."""
    for place in range(kept):
        value = values[chosen[place]]
        for unit in range(len(summary)):
            summary[unit] += shares[place] * value[unit]


@kernel
def store(row, memory, weights, value, is_present, batch):
    """Writes a memory: its key, its value, and whether it exists."""
    key = numpy.zeros_like(weights.query_bias)
    for unit in range(len(value)):
        for dim in range(len(key)):
            key[dim] += value[unit] * weights.key[unit, dim]
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
