"""
An attentive recurrence over whole sequences, as machine code; see `scan.py`.

A call does the instances from `first` up to `last`. Arrays are contiguous:

- `weights`: see `step_kernels.py`,
- `layout`: attend_every, top_k, truncation (the length of the sequence, for none), how many
  memories there are from the start, and stores_provisional; then `smoothing`,
- `inputs`: `(steps, batch_size, input_size)`; `mask`: `(steps, batch_size)`,
- `memories`: keys `(batch_size, key_size, memories)`, values `(batch_size, memories, hidden_size)`
  and present `(batch_size, memories)`, the first ones filled in,
- `states`: hidden before the first step, `(batch_size, hidden_size)`; and the cells before each
  window and after the last, `(windows + 1, batch_size, hidden_size)`, the first filled in,
- `chosen`: `(steps, batch_size, top_k + 1)`, and `outputs`: `(steps, batch_size, output_size)`.
"""

import numpy

from spigot_allennlp.nn.attentive.step_kernels import (
    add_memories,
    make_query,
    move,
    select,
    weigh,
)
from spigot_allennlp.nn.compilation import entry, kernel


@entry
def scan(first, last, weights, layout, smoothing, inputs, mask, memories, states, chosen, outputs):
    """Fills in everything but weights, layout, inputs and mask."""
    attend_every, top_k, truncation, num_first, stores_provisional = layout
    size = states[0].shape[1]
    gates, query = numpy.empty_like(weights[2]), numpy.empty_like(weights[4])
    scores, value = numpy.empty(memories[0].shape[2] + 1, gates.dtype), gates[:size] * 0
    hidden, cell, squashed = numpy.empty(size, gates.dtype), gates[:size] * 0, gates[:size] * 0
    for row in range(first, last):
        hidden[:], cell[:] = states[0][row], states[1][0, row]
        stored = num_first
        for step in range(len(inputs)):
            if step % truncation == 0:
                states[1][step // truncation, row] = cell
            output = outputs[step, row]
            output[size:] = 0
            if mask[step, row]:
                move(weights, inputs[step, row], hidden, cell, gates, cell, squashed)
                leave(gates[3 * size :], squashed, hidden)
                value[:] = hidden
                if top_k > 0 and stored > 0:
                    make_query(weights, hidden, query)
                    own = memories[0][row], memories[1][row], memories[2][row]
                    given = stored, top_k, smoothing
                    read(query, own, given, scores, chosen[step, row], output[size:])
                    for index in range(size):
                        hidden[index] += output[size + index]
            output[:size] = hidden
            if top_k > 0 and (step + 1) % attend_every == 0:
                kept = value if stores_provisional else hidden
                store(weights, kept, mask[step, row], stored, row, memories)
                stored += 1
        states[1][len(states[1]) - 1, row] = cell


@kernel
def leave(gate, squashed, hidden):
    """Writes the provisional state."""
    for index in range(len(hidden)):
        hidden[index] = gate[index] * squashed[index]


@kernel
def read(query, memories, given, scores, chosen, summary):
    """Adds the weighted sum of the chosen memories to `summary`."""
    keys, values, present = memories
    stored, top_k, smoothing = given
    select(query, keys, present, stored, scores, chosen)
    best, shares = numpy.empty(top_k + 1, scores.dtype), numpy.empty(top_k + 1, scores.dtype)
    for place in range(top_k + 1):
        if chosen[place] >= 0:
            best[place] = scores[chosen[place]]
    kept, _, _ = weigh(chosen, best, top_k, smoothing, shares)
    add_memories(chosen, kept, shares, values, summary)


@kernel
def store(weights, hidden, present, place, row, memories):
    """Writes key and value of a state, and whether they are present."""
    key = numpy.zeros_like(weights[4])
    for index in range(len(hidden)):
        for dim in range(len(key)):
            key[dim] += hidden[index] * weights[5][index, dim]
    memories[0][row, :, place] = key
    memories[1][row, place] = hidden
    memories[2][row, place] = present
