"""
Chains of tags on the processor, as machine code: the best sequence, and one that is drawn.

A call does one group of sentences, `members` of the batch. Tensors come as arrays of shape
`(batch_size, length, tag, previous)`; `sequences` are zero before. `before` holds what is known of
the sequences up to a position that end with a tag, `[position, tag]`.
"""

import numpy

from spigot_allennlp.nn.chain.sums import fill_forward, rows_of
from spigot_allennlp.nn.choices import choose, logarithms
from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.lanes.groups import longest
from spigot_allennlp.nn.lanes.lanes import numbers, wide


@entry
def best_sequences(members, lengths, scores, mask, sequences):
    """Writes ones into `sequences` at the parts of the best sequence of each sentence, if any."""
    for member in members:
        before = numpy.full((lengths[member] + 1, scores.shape[2]), -numpy.inf, scores.dtype)
        before[0, 0] = 0
        given = before, scores[member], mask[member]
        for position in range(1, len(before)):
            for tag in range(scores.shape[2]):
                before[position, tag] = best_so_far(given, position, tag)
        go_back(given, None, member, sequences[member])


@kernel
def best_so_far(given, position, tag):
    """The score of the best sequence up to a position that ends with a tag."""
    before, scores, mask = given
    highest = -numpy.inf
    for previous in range(scores.shape[2]):
        if mask[position, tag, previous]:
            score = before[position - 1, previous] + scores[position, tag, previous]
            if score > highest:
                highest = score
    return highest


@entry
def draw_sequences(members, lengths, scores, mask, uniforms, sequences):
    """
    Writes ones into `sequences` at the parts of a sequence that is drawn for each sentence, by the
    numbers between zero and one in `uniforms`, shape `(batch_size, length)`, float64.
    """
    size, zero = longest(members, lengths) + 1, wide(uniforms, 0.0)
    before = numbers(zero, size, scores.shape[2])
    given = members, lengths, rows_of(scores), rows_of(mask)
    fill_forward(given, None, before, zero, wide(uniforms, 1.0))
    before = logarithms(before, zero)
    for lane, member in enumerate(members):
        own = before[: lengths[member] + 1, :, 0, lane]
        go_back((own, scores[member], mask[member]), uniforms, member, sequences[member])


@kernel
def go_back(given, uniforms, member, sequence):
    """
    Chooses the last tag, then the tag before it, and so on, and marks the parts in `sequence`, if
    there is any. Draws by `uniforms[member]`, if there are `uniforms` (see `nn/choices.py`).
    """
    before, scores, mask = given
    num_tags, last = scores.shape[2], len(before) - 1
    options = numpy.empty(num_tags)
    tag = choose(before[last], num_tags, uniforms, (member, 0))
    position = last
    while position > 0 and tag >= 0:
        for previous in range(num_tags):
            options[previous] = -numpy.inf
            if mask[position, tag, previous]:
                options[previous] = before[position - 1, previous] + scores[position, tag, previous]
        previous = choose(options, num_tags, uniforms, (member, position))
        sequence[position, tag, previous] = 1
        position, tag = position - 1, previous
