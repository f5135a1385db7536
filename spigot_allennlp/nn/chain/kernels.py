"""
Chains of tags, compiled: the recurrence over positions, the best sequence, and samples.

A call works on one group of sentences. Its arguments begin with the fields of an `InstanceGroup`,
but scores and mask have the shape `(batch_size, length, tag, previous)`.
"""

from typing import NamedTuple

import numpy

from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.sampling import choose, logarithms_of_chart
from spigot_allennlp.nn.semirings.batching import (
    InstanceGroup,
    fill_score_row,
    longest,
    new_score_row,
    weight_of,
)
from spigot_allennlp.nn.semirings.numbers import (
    allocate,
    extended,
    load,
    store,
)


class SentenceChart(NamedTuple):
    """
    The chart of a single sentence, and the data that it was computed from.

    # Parameters

    prefixes : `numpy.ndarray`
        Shape `(1 + length, num_tags)`, in nats: the score of the best sequence up to a position
        that ends with a tag or, for samples, the logarithm of the weight of all such sequences. The
        predecessor of the first token counts as tag 0.
    scores : `numpy.ndarray`
        Shape `(padded_length, tag, previous)`, in nats: the scores of parts.
    mask : `numpy.ndarray`
        Shape `(padded_length, tag, previous)`, bool: the legal parts.
    """

    prefixes: numpy.ndarray
    scores: numpy.ndarray
    mask: numpy.ndarray


@entry
def best_sequences(members, lengths, scores, mask, sequences):
    """
    Writes ones into `sequences`, zeros of the shape of `scores`, at the parts of the best sequence
    of each sentence; none if no sequence is possible.
    """
    for member in members:
        prefixes = numpy.full((lengths[member] + 1, scores.shape[2]), -numpy.inf, scores.dtype)
        prefixes[0, 0] = 0
        chart = SentenceChart(prefixes, scores[member], mask[member])
        for position in range(1, len(prefixes)):
            for tag in range(scores.shape[2]):
                prefixes[position, tag] = best_prefix(chart, position, tag)
        backtrack(chart, None, member, sequences[member])


@entry
def sample_sequences(members, lengths, scores, mask, uniforms, sequences):
    """
    Writes ones into `sequences`, zeros of the shape of `scores`, at the parts of a random sequence
    for each sentence, determined by `uniforms`: numbers from zero to one, shape
    `(batch_size, length)`, float64.
    """
    group = InstanceGroup(members, lengths, rows_of(scores), rows_of(mask), None)
    zero, one = extended(uniforms, 0.0), extended(uniforms, 1.0)
    prefixes = allocate(zero, longest(members, lengths) + 1, scores.shape[2])
    fill_prefixes(group, prefixes, zero, one)
    log_prefixes = logarithms_of_chart(prefixes, zero)
    for lane, member in enumerate(members):
        sentence_prefixes = log_prefixes[: lengths[member] + 1, :, 0, lane]
        chart = SentenceChart(sentence_prefixes, scores[member], mask[member])
        backtrack(chart, uniforms, member, sequences[member])


@kernel
def best_prefix(chart, position, tag):
    """Returns the score of the best sequence up to a position that ends with a tag."""
    highest = -numpy.inf
    for previous in range(chart.scores.shape[2]):
        if chart.mask[position, tag, previous]:
            score = chart.prefixes[position - 1, previous] + chart.scores[position, tag, previous]
            if score > highest:
                highest = score
    return highest


@kernel
def fill_prefixes(group, prefixes, zero, one):
    """
    Writes the weights of all sequences up to each position that end with each tag into `prefixes`,
    `[position, tag]`, as numbers of the kind of `zero` and `one`. Each comes from those of the
    previous position. `group` has a row of parts for every tag of every token; see `rows_of`.
    """
    num_tags = group.scores.shape[2]
    row = new_score_row(prefixes, num_tags)
    for tag in range(num_tags):
        store(prefixes, 0, tag, zero)
    store(prefixes, 0, 0, one)
    for position in range(1, len(prefixes)):
        for tag in range(num_tags):
            # in padding, the tag does not change
            fill_score_row(group, position, position * num_tags + tag, num_tags, tag, row)
            total = zero
            for previous in range(num_tags):
                weight = weight_of(row, previous, zero)
                total = total + weight * load(prefixes, position - 1, previous, zero)
            store(prefixes, position, tag, total)


@kernel
def rows_of(parts):
    """
    Returns an array of shape `(batch_size, length, tag, previous)` as
    `(batch_size, length * num_tags, previous)`.
    """
    batch_size, length, num_tags, _ = parts.shape
    return parts.reshape((batch_size, length * num_tags, num_tags))


@kernel
def backtrack(chart, uniforms, member, sequence):
    """
    Chooses the last tag of a sentence, then the tag before it, and so on, and marks the parts in
    `sequence`, if one exists. Chooses at random if there are `uniforms`, otherwise the best (see
    `nn/sampling.py`).
    """
    num_tags, last = chart.scores.shape[2], len(chart.prefixes) - 1
    options = numpy.empty(num_tags)
    tag = choose(chart.prefixes[last], num_tags, uniforms, member, 0)
    position = last
    while position > 0 and tag >= 0:
        for previous in range(num_tags):
            options[previous] = -numpy.inf
            if chart.mask[position, tag, previous]:
                prefix = chart.prefixes[position - 1, previous]
                options[previous] = prefix + chart.scores[position, tag, previous]
        previous = choose(options, num_tags, uniforms, member, position)
        sequence[position, tag, previous] = 1
        position, tag = position - 1, previous
