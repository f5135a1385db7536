"""
One step of an attentive recurrence of one instance, as machine code: LSTM, bilinear score, weights
by threshold.

`weights` are, all contiguous: of the input `(input_size, 4 * hidden_size)` and of the state
`(hidden_size, 4 * hidden_size)` to the gates (in the order input, forget, cell, output) and their
bias; of the state to the query `(hidden_size, key_size)` and its bias; and of the state to the key
`(hidden_size, key_size)`. `keys` are turned, `(key_size, memories)`; `values` are
`(memories, hidden_size)`.
"""

from spigot_allennlp.nn.compilation import fused_kernel, kernel

# Beyond this, a sigmoid is zero or one.
FARTHEST = 40.0


@fused_kernel
def exponential(number):
    """
    Of a number between `-FARTHEST` and `FARTHEST` (beyond, that of the bound), to 13 digits. Only
    products and sums, so that a loop over it becomes vector code; what is no number stays none.
    """
    bounded = FARTHEST if number > FARTHEST else (-FARTHEST if number < -FARTHEST else number)
    x = bounded / 128.0
    # Its Taylor series; quotients of constants are computed once.
    series = 1.0 + x * (1 / 8) * (1.0 + x * (1 / 9) * (1.0 + x * (1 / 10)))
    series = 1.0 + x * (1 / 5) * (1.0 + x * (1 / 6) * (1.0 + x * (1 / 7) * series))
    series = 1.0 + x * (1.0 + x * (1 / 2) * (1.0 + x * (1 / 3) * (1.0 + x * (1 / 4) * series)))
    for _ in range(7):
        series = series * series
    return series


@kernel
def sigmoids(numbers):
    """Puts the sigmoids of `numbers` in their place."""
    for index in range(len(numbers)):
        numbers[index] = 1.0 / (1.0 + exponential(-numbers[index]))


@kernel
def tanhs(numbers, results):
    for index in range(len(numbers)):
        results[index] = 1.0 - 2.0 / (1.0 + exponential(2.0 * numbers[index]))


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
def move(weights, given, hidden, cell, gates, new_cell, squashed):
    """
    The LSTM: writes the gates, opened, the new cell, and its tanh, and leaves `hidden` and `cell`
    as they are. The provisional state is `squashed` times the output gate.
    """
    of_input, of_state, bias = weights[0], weights[1], weights[2]
    size = len(hidden)
    gates[:] = bias
    add_product(given, of_input, gates)
    add_product(hidden, of_state, gates)
    sigmoids(gates[: 2 * size])
    tanhs(gates[2 * size : 3 * size], gates[2 * size : 3 * size])
    sigmoids(gates[3 * size :])
    enter, keep, new = gates[:size], gates[size : 2 * size], gates[2 * size : 3 * size]
    for index in range(size):
        new_cell[index] = keep[index] * cell[index] + enter[index] * new[index]
    tanhs(new_cell, squashed)


@kernel
def make_query(weights, hidden, query):
    query[:] = weights[4]
    add_product(hidden, weights[3], query)


@fused_kernel
def select(query, keys, present, number, scores, chosen):
    """
    Writes into `chosen` which of the first so many memories have the highest scores, in descending
    order, as many as it has places; -1 where there are no more. Of equals, the earlier is first.
    """
    scores[:number] = 0
    for dim in range(len(query)):
        for memory in range(number):
            scores[memory] += query[dim] * keys[dim, memory]
    chosen[:] = -1
    places = len(chosen)
    for memory in range(number):
        last = chosen[places - 1]
        if present[memory] and (last < 0 or scores[memory] > scores[last]):
            place = places - 1
            while place > 0 and (
                chosen[place - 1] < 0 or scores[memory] > scores[chosen[place - 1]]
            ):
                chosen[place] = chosen[place - 1]
                place -= 1
            chosen[place] = memory


@kernel
def weigh(chosen, scores, top_k, smoothing, shares):
    """
    Writes the weights of the chosen memories, given the scores of those; see `threshold_weights`.
    Returns how many are kept, how many were chosen, and what the weights were divided by.
    """
    number = 0
    while number < len(chosen) and chosen[number] >= 0:
        number += 1
    kept = min(number, top_k)
    total = smoothing
    for place in range(kept):
        excess = max(scores[place] - scores[number - 1], 0.0)
        shares[place] = excess + smoothing / kept
        total += excess
    for place in range(kept):
        shares[place] /= total
    return kept, number, total


@fused_kernel
def add_memories(chosen, kept, shares, values, summary):
    for place in range(kept):
        value = values[chosen[place]]
        for index in range(len(summary)):
            summary[index] += shares[place] * value[index]
