"""
The gradients of attentive recurrences, window after window, from the last to the first, as machine
code; see `way_back.py`, and `scan_kernel.py` for the arrays.

Besides: `turned`, the first two weights turned, `(4 * hidden_size, ...)`; and gradients, zero
before they are added to: `of_weights`, the first two turned; `of_inputs`; and `of_memories`, of
keys `(batch_size, memories, key_size)` and of values.
"""

import numpy

from spigot_allennlp.nn.attentive.step_gradients import (
    add_multiple,
    add_outer_products,
    backward_key,
    backward_move,
    backward_query,
    backward_read,
)
from spigot_allennlp.nn.attentive.step_kernels import add_product, make_query, move
from spigot_allennlp.nn.compilation import entry, kernel


@entry
def windows_backward(first, last, given, sequence, gradient, of_weights, results):
    """
    # Parameters

    first, last
        The instances.
    given
        `weights`, `turned`, `layout` and `smoothing`.
    sequence
        `inputs`, `mask`, `outputs`, `chosen`, keys and values of `memories`, and the `states`:
        hidden before the first step, and the cells before each window.
    gradient
        Of the outputs.
    of_weights
    results
        `of_inputs`; `of_memories`, keys and values; and of the start, hidden and cell,
        `(batch_size, hidden_size)`.
    """
    weights, _, layout, _ = given
    truncation, steps = layout[2], len(gradient)
    size, key_size = results[3].shape[1], len(weights[4])
    space = (
        numpy.empty((min(truncation, steps), 4 * size), gradient.dtype),
        numpy.empty((min(truncation, steps) + 1, 3, size), gradient.dtype),
        numpy.empty((2, key_size), gradient.dtype),
        numpy.empty((min(truncation, steps), 4 * size), gradient.dtype),
    )
    for row in range(first, last):
        own = row_of(sequence, row)
        of_own = results[0][:, row], results[1][row], results[2][row]
        for window in range((steps - 1) // truncation, -1, -1):
            begin, end = window * truncation, min((window + 1) * truncation, steps)
            if is_reached(begin, end, layout, gradient[:, row], of_own):
                before = sequence[6][row] if begin == 0 else own[2][begin - 1, :size]
                start = before, sequence[7][window, row]
                again(begin, end, weights, own, start, space)
                of_start = through(
                    begin, end, given, own, start, gradient[:, row], of_weights, of_own, space
                )
                if begin == 0:
                    results[3][row], results[4][row] = of_start


@kernel
def row_of(sequence, row):
    """What there is of one instance: inputs, mask, outputs, chosen, keys and values."""
    inputs, mask, outputs, chosen, keys, values = sequence[:6]
    return inputs[:, row], mask[:, row], outputs[:, row], chosen[:, row], keys[row], values[row]


@kernel
def stored_by(step, layout):
    """How many memories there are before a step."""
    return layout[3] + (step // layout[0] if layout[1] > 0 else 0)


@kernel
def is_reached(begin, end, layout, gradient, of_own):
    """Whether any gradient reaches a window."""
    for memory in range(stored_by(begin, layout), stored_by(end, layout)):
        if is_any(of_own[1][memory]) or is_any(of_own[2][memory]):
            return True
    for step in range(begin, end):
        if is_any(gradient[step]):
            return True
    return False


@kernel
def is_any(vector):
    """Whether a number is not zero."""
    for number in vector:
        if number != 0:
            return True
    return False


@kernel
def again(begin, end, weights, own, start, space):
    """
    Computes a window anew: gates, and of each step `space[1]`: the cell before, and the tanh of the
    new one.
    """
    gates, cells = space[0], space[1]
    cells[0, 0] = start[1]
    for step in range(begin, end):
        place = step - begin
        hidden = start[0] if place == 0 else own[2][step - 1, : len(start[0])]
        if own[1][step]:
            cell, new = cells[place, 0], cells[place + 1, 0]
            move(weights, own[0][step], hidden, cell, gates[place], new, cells[place, 1])
        else:
            cells[place + 1, 0] = cells[place, 0]


@kernel
def through(begin, end, given, own, start, gradient, of_weights, of_own, space):
    """Takes the gradient through a window; returns that of the state before it."""
    weights, turned, layout, _ = given
    size = len(start[0])
    of_hidden, of_cell = numpy.zeros(size, gradient.dtype), numpy.zeros(size, gradient.dtype)
    for step in range(end - 1, begin - 1, -1):
        of_gate = space[3][step - begin]
        add_multiple(1, gradient[step, :size], of_hidden)
        if not layout[4]:
            backward_storing(step, layout, weights, own, of_hidden, of_weights, of_own)
        if own[1][step]:
            gates, cells = space[0][step - begin], space[1][step - begin]
            if layout[1] > 0 and own[3][step, 0] >= 0:
                provisional = gates[3 * size :] * cells[1]
                both = of_hidden + gradient[step, size:], of_hidden
                backward_reading(step, given, own, provisional, both, of_weights, of_own, space[2])
            if layout[4]:
                backward_storing(step, layout, weights, own, of_hidden, of_weights, of_own)
            backward_move(gates, cells[1], cells[0], of_hidden, of_cell, of_gate)
            of_hidden[:] = 0
            add_product(of_gate, turned[1], of_hidden)
            add_product(of_gate, turned[0], of_own[0][step])
            add_multiple(1, of_gate, of_weights[2])
        else:
            of_gate[:] = 0
    of_gates = space[3][: end - begin]
    add_outer_products(own[0][begin:end], of_gates, of_weights[0])
    add_outer_products(own[2][begin : end - 1, :size], of_gates[1:], of_weights[1])
    for index in range(size):
        add_multiple(start[0][index], of_gates[0], of_weights[1][index])
    return of_hidden, of_cell


@kernel
def backward_storing(step, layout, weights, own, of_hidden, of_weights, of_own):
    """Adds what a state owes to having been stored, if it was."""
    if layout[1] > 0 and (step + 1) % layout[0] == 0:
        memory = stored_by(step, layout)
        add_multiple(1, of_own[2][memory], of_hidden)
        backward_key(weights[5], of_own[1][memory], own[5][memory], of_hidden, of_weights[5])


@kernel
def backward_reading(step, given, own, provisional, both, of_weights, of_own, queries):
    """
    Of `both` gradients, those of the summary and of the provisional state, adds to the second what
    the state owes to having chosen memories, and to those of the memories what these owe to the
    first.
    """
    weights, _, layout, smoothing = given
    of_summary, of_hidden = both
    query, of_query = queries[0], queries[1]
    make_query(weights, provisional, query)
    of_query[:] = 0
    rule, memories = (layout[1], smoothing), (own[4], own[5])
    of_memories = of_own[1], of_own[2]
    backward_read(rule, query, memories, own[3][step], of_summary, of_query, of_memories)
    backward_query(weights[3], of_query, provisional, of_hidden, of_weights[3], of_weights[4])
