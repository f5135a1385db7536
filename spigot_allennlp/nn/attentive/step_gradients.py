"""
The gradients of one step of an attentive recurrence of one instance, as machine code. See
`step_kernels.py` for the arrays; a gradient has the shape of what it is a gradient of.
"""

import numpy

from spigot_allennlp.nn.attentive.step_kernels import add_product, weigh
from spigot_allennlp.nn.compilation import fused_kernel, kernel


@fused_kernel
def dot(one, other):
    """In four sums, which a processor does at once."""
    first = second = third = fourth = one[0] * 0
    index = 0
    while index + 4 <= len(one):
        first += one[index] * other[index]
        second += one[index + 1] * other[index + 1]
        third += one[index + 2] * other[index + 2]
        fourth += one[index + 3] * other[index + 3]
        index += 4
    while index < len(one):
        first += one[index] * other[index]
        index += 1
    return first + second + third + fourth


@kernel
def add_outer_products(ones, others, result):
    """Adds `ones.T @ others`."""
    for row in range(ones.shape[1]):
        add_product(ones[:, row], others, result[row])


@fused_kernel
def add_multiple(factor, vector, result):
    for index in range(len(vector)):
        result[index] += factor * vector[index]


@kernel
def backward_read(given, query, memories, chosen, of_summary, of_query, of_memories):
    """
    Adds to the gradients of the query, and of keys and values of the chosen memories, what comes
    from that of the summary. `of_memories` holds `(memories, key_size)` and
    `(memories, hidden_size)`.
    """
    top_k, smoothing = given
    keys, values = memories
    of_keys, of_values = of_memories
    shares, of_scores = numpy.empty(len(chosen), query.dtype), numpy.zeros(len(chosen), query.dtype)
    picked, scores = numpy.empty((len(chosen), len(query)), query.dtype), of_scores.copy()
    for place in range(len(chosen)):
        if chosen[place] >= 0:
            picked[place] = keys[:, chosen[place]]
            scores[place] = dot(picked[place], query)
    kept, number, total = weigh(chosen, scores, top_k, smoothing, shares)
    mean = scores[0] * 0
    for place in range(kept):
        of_scores[place] = dot(of_summary, values[chosen[place]])
        mean += shares[place] * of_scores[place]
        add_multiple(shares[place], of_summary, of_values[chosen[place]])
    whole = scores[0] * 0
    for place in range(kept):
        of_scores[place] = (of_scores[place] - mean) / total
        whole += of_scores[place]
    of_scores[number - 1] -= whole
    for place in range(number):
        add_multiple(of_scores[place], picked[place], of_query)
        add_multiple(of_scores[place], query, of_keys[chosen[place]])


@kernel
def backward_move(gates, squashed, cell, of_hidden, of_cell, of_gates):
    """
    Writes the gradient of the gates, before they are opened, and replaces that of the new cell by
    that of the `cell` before. `of_hidden` is the gradient of the provisional state.
    """
    size = len(cell)
    for index in range(size):
        enter, keep = gates[index], gates[size + index]
        new, leave = gates[2 * size + index], gates[3 * size + index]
        through = of_cell[index] + of_hidden[index] * leave * (1 - squashed[index] ** 2)
        of_gates[index] = through * new * enter * (1 - enter)
        of_gates[size + index] = through * cell[index] * keep * (1 - keep)
        of_gates[2 * size + index] = through * enter * (1 - new**2)
        of_gates[3 * size + index] = of_hidden[index] * squashed[index] * leave * (1 - leave)
        of_cell[index] = through * keep


@kernel
def backward_key(key_weight, of_key, hidden, of_hidden, of_weight):
    """Takes the gradient of a key to the state and to `key_weight`, `(hidden_size, key_size)`."""
    for index in range(len(hidden)):
        of_hidden[index] += dot(key_weight[index], of_key)
        add_multiple(hidden[index], of_key, of_weight[index])


@kernel
def backward_query(query_weight, of_query, hidden, of_hidden, of_weight, of_bias):
    """Takes the gradient of a query to the provisional state, and to its weight and bias."""
    backward_key(query_weight, of_query, hidden, of_hidden, of_weight)
    for dim in range(len(of_query)):
        of_bias[dim] += of_query[dim]
