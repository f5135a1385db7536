"""
Projective trees, compiled: the recurrence over spans, the best tree, and samples.

A call works on one group of sentences, one in each lane (see `nn/semirings/numbers.py`). Its
arguments begin with the fields of an `InstanceGroup`; scores and mask have the shape
`(batch_size, dependent, head)`.
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
)
from spigot_allennlp.nn.semirings.code import MIN_LOGARITHM
from spigot_allennlp.nn.semirings.numbers import (
    allocate,
    exponential,
    extended,
    load,
    store,
    tropical,
)


class Charts(NamedTuple):
    """
    The weights of arcs and spans, as numbers of one kind: arrays of shape
    `(size, size, parts, lanes)`, `size` being the number of positions in the longest sentence of a
    group, including the root. For a single sentence, they hold logarithms, and have the shape
    `(size, size)`.

    Spans are indexed `[head, other end]`: a span to the right of its head has `head < end`, one to
    the left has `head > end`.

    # Parameters

    arcs : `numpy.ndarray`
        The weights of arcs, `[head, dependent]`.
    complete : `numpy.ndarray`
        The weights of spans that include everything on the far side of the word at their other end.
    incomplete : `numpy.ndarray`
        The weights of spans that end at a dependent of their head.
    start : `int`
        The first position of the spans: 0, or 1 if the root takes exactly one dependent, and so
        stays outside.
    """

    arcs: numpy.ndarray
    complete: numpy.ndarray
    incomplete: numpy.ndarray
    start: int


@entry
def best_trees(members, lengths, scores, mask, single_root, trees):
    """
    Writes ones into `trees`, zeros of the shape of `scores`, at the arcs of the best tree of each
    sentence; none if no tree is possible.
    """
    group = InstanceGroup(members, lengths, scores, mask, None)
    zero, one = tropical(scores, -numpy.inf), tropical(scores, 0.0)
    charts = new_charts(zero, longest(members, lengths) + 1, single_root)
    charts.arcs[:] = -numpy.inf
    for lane, member in enumerate(members):
        for dependent in range(1, lengths[member] + 1):
            for head in range(lengths[member] + 1):
                if mask[member, dependent, head]:
                    charts.arcs[head, dependent, 0, lane] = scores[member, dependent, head]
    fill_inside(charts, zero, one)
    write_trees(group, charts, None, trees)


@entry
def sample_trees(members, lengths, scores, mask, single_root, uniforms, trees):
    """
    Writes ones into `trees`, zeros of the shape of `scores`, at the arcs of a random tree for each
    sentence, determined by `uniforms`: numbers from zero to one, shape `(batch_size, 2 * length)`,
    float64.
    """
    group = InstanceGroup(members, lengths, scores, mask, None)
    zero, one = extended(uniforms, 0.0), extended(uniforms, 1.0)
    charts = new_charts(zero, longest(members, lengths) + 1, single_root)
    fill_arc_weights(group, charts.arcs, zero)
    fill_inside(charts, zero, one)
    log_charts = Charts(
        logarithms_of_chart(charts.arcs, zero),
        logarithms_of_chart(charts.complete, zero),
        logarithms_of_chart(charts.incomplete, zero),
        charts.start,
    )
    write_trees(group, log_charts, uniforms, trees)


@kernel
def fill_inside(charts, zero, one):
    """
    Computes the weights of all spans from those of the arcs, inner spans first: the recurrence of
    Eisner (1996). `zero` and `one` are the neutral elements of `+` and `*`.
    """
    arcs, start = charts.arcs, charts.start
    complete, incomplete = charts.complete, charts.incomplete
    for j in range(start, len(arcs)):
        store(complete, j, j, one)
        for i in range(j - 1, start - 1, -1):
            # The last term of each sum is a span times the span of a single word, which has weight
            # one.
            joined, right, left = load(complete, j, i + 1, zero), zero, zero
            for k in range(i + 1, j):
                joined = joined + load(complete, i, k, zero) * load(complete, j, k + 1, zero)
                right = right + load(incomplete, i, k, zero) * load(complete, k, j, zero)
                left = left + load(incomplete, j, k, zero) * load(complete, k, i, zero)
            arc_right, arc_left = joined * load(arcs, i, j, zero), joined * load(arcs, j, i, zero)
            store(incomplete, i, j, arc_right)
            store(incomplete, j, i, arc_left)
            store(complete, i, j, right + arc_right)
            store(complete, j, i, left + arc_left)


@kernel
def write_trees(group, charts, uniforms, trees):
    """
    Writes the tree of each sentence into `trees`, from the charts in its lane, with `backtrack`.
    """
    for lane, member in enumerate(group.members):
        log_charts = Charts(
            charts.arcs[:, :, 0, lane],
            charts.complete[:, :, 0, lane],
            charts.incomplete[:, :, 0, lane],
            charts.start,
        )
        backtrack(log_charts, group.lengths[member], uniforms, member, trees[member])


@kernel
def backtrack(charts, last, uniforms, member, tree):
    """
    Divides spans, from the whole sentence, which ends at position `last`, down to single words, and
    marks their arcs in `tree`, if a tree exists. Chooses at random, at most `2 * last + 1` times,
    if there are `uniforms`, otherwise the best (see `nn/sampling.py`).
    """
    complete, incomplete = charts.complete, charts.incomplete
    scores = numpy.empty(last + 1)
    # a stack of the complete spans to divide: (head, other end)
    spans = numpy.empty((3 * last + 3, 2), dtype=numpy.int64)
    depth, choice = write_sentence_spans(charts, last, uniforms, member, scores, spans, tree), 1
    while depth > 0:
        depth -= 1
        head, end = spans[depth]
        if head != end:
            # the incomplete span that begins the complete one, that is, the last dependent
            nearest, count = min(head + 1, end), abs(end - head)
            for k in range(count):
                scores[k] = incomplete[head, nearest + k] + complete[nearest + k, end]
            dependent = nearest + choose(scores, count, uniforms, member, choice)
            # where the two complete spans in the incomplete one meet
            left, right = min(head, dependent), max(head, dependent)
            for k in range(right - left):
                scores[k] = complete[left, left + k] + complete[right, left + k + 1]
            split = left + choose(scores, right - left, uniforms, member, choice + 1)
            tree[dependent, head] = 1
            spans[depth] = (dependent, end)
            spans[depth + 1] = (left, split)
            spans[depth + 2] = (right, split + 1)
            depth, choice = depth + 3, choice + 2


@kernel
def write_sentence_spans(charts, last, uniforms, member, scores, spans, tree):
    """
    Writes the complete spans of the whole sentence into `spans`, and the arc from a root outside
    the charts into `tree`. Returns the number of spans: none if no tree is possible. `scores` is
    scratch space.
    """
    arcs, complete = charts.arcs, charts.complete
    if charts.start == 0:
        spans[0] = (0, last)
        scores[0] = complete[0, last]
        return choose(scores, 1, uniforms, member, 0) + 1
    for k in range(last):
        scores[k] = complete[k + 1, 1] + complete[k + 1, last] + arcs[0, k + 1]
    root_dependent = choose(scores, last, uniforms, member, 0) + 1
    if root_dependent == 0:
        return 0
    tree[root_dependent, 0] = 1
    spans[0], spans[1] = (root_dependent, 1), (root_dependent, last)
    return 2


@kernel
def new_charts(like, size, single_root):
    """Returns uninitialised charts for `size` positions, in numbers of the kind of `like`."""
    arcs, complete = allocate(like, size, size), allocate(like, size, size)
    return Charts(arcs, complete, allocate(like, size, size), int(single_root))


@kernel
def fill_arc_weights(group, arcs, zero):
    """
    Writes the weights of the arcs of each sentence into its lane: the exponentials of its scores,
    minus the best score of the same dependent, which changes no probability. Returns the sum of
    those best scores, a tropical number: the logarithm of the divisor of all trees.
    """
    size = len(arcs)
    lowest, log_divisor = tropical(arcs, MIN_LOGARITHM), tropical(arcs, 0.0)
    row = new_score_row(arcs, size)
    for head in range(size):
        store(arcs, head, 0, zero)
    for dependent in range(1, size):
        # padding has one possible head, the position before it
        fill_score_row(group, dependent, dependent, None, dependent - 1, row)
        best = lowest
        for head in range(size):
            best = best + load(row.scores, 0, head, best)
        for head in range(size):
            score, tangent = load(row.scores, 0, head, best), load(row.tangents, 0, head, best)
            store(arcs, head, dependent, exponential(score / best, tangent, zero))
        log_divisor = log_divisor * best
    return log_divisor
