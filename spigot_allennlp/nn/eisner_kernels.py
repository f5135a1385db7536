"""
Projective trees on the processor, as machine code: the best tree, the sum over all trees, and its
derivatives.

A call does one group of sentences, `members` of the batch, one a lane (see `nn/lanes.py`). Tensors
come as arrays of shape `(batch_size, dependent, head)`; what is written is zero before. `first` is
1 if the root takes exactly one dependent, else 0.
"""

import numpy

from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.eisner_charts import expect, fill_inside
from spigot_allennlp.nn.lanes import BYTES, dual, real, store, tropical


@entry
def sentence_lengths(mask):
    """The last token of each sentence that may have a head; 0 if there is none."""
    lengths = numpy.zeros(len(mask), dtype=numpy.int64)
    for member in range(len(mask)):
        for dependent in range(mask.shape[1] - 1, 0, -1):
            if mask[member, dependent].any():
                lengths[member] = dependent
                break
    return lengths


@entry
def best_trees(members, lengths, scores, mask, first, trees):
    """
    Writes ones into `trees` at the arcs of the best tree of each sentence; none where no tree is
    possible.
    """
    size, lanes = lengths[members].max() + 1, BYTES // scores.itemsize
    charts = numpy.full((3, size, size, 1, lanes), -numpy.inf, dtype=scores.dtype)
    arcs, complete, incomplete = charts[0], charts[1], charts[2]
    for lane, member in enumerate(members):
        for dependent in range(1, lengths[member] + 1):
            for head in range(lengths[member] + 1):
                if mask[member, dependent, head]:
                    arcs[head, dependent, 0, lane] = scores[member, dependent, head]
    fill_inside(
        arcs, complete, incomplete, first, tropical(scores, -numpy.inf), tropical(scores, 0.0)
    )
    for lane, member in enumerate(members):
        chart = arcs[:, :, 0, lane], complete[:, :, 0, lane], incomplete[:, :, 0, lane]
        read_off(chart, lengths[member], first, trees[member])


@kernel
def read_off(chart, last, first, tree):
    """Follows the best spans of one sentence from the widest to the narrowest."""
    arcs, complete, incomplete = chart
    spans = numpy.empty(
        (3 * last + 3, 2), dtype=numpy.int64
    )  # complete ones, still to be taken apart
    waiting = 0
    if first == 0 and complete[0, last] > -numpy.inf:
        spans[0], waiting = (0, last), 1
    elif first == 1:
        top = best_top(arcs, complete, last)
        if top > 0:
            tree[top, 0] = 1
            spans[0], spans[1], waiting = (top, 1), (top, last), 2
    while waiting > 0:
        waiting -= 1
        head, end = spans[waiting]
        if head != end:
            dependent = best_dependent(complete, incomplete, head, end)
            tree[dependent, head] = 1
            left, right = min(head, dependent), max(head, dependent)
            split = best_split(complete, left, right)
            spans[waiting] = (dependent, end)
            spans[waiting + 1] = (left, split)
            spans[waiting + 2] = (right, split + 1)
            waiting += 3


@kernel
def best_top(arcs, complete, last):
    """The dependent of a root that takes exactly one; 0 if none is possible."""
    best, best_score = 0, -numpy.inf
    for top in range(1, last + 1):
        score = complete[top, 1] + complete[top, last] + arcs[0, top]
        if score > best_score:
            best, best_score = top, score
    return best


@kernel
def best_dependent(complete, incomplete, head, end):
    """The outermost dependent of `head` in its complete span up to `end`."""
    best, best_score = end, -numpy.inf
    for dependent in range(min(head + 1, end), max(head, end + 1)):
        score = incomplete[head, dependent] + complete[dependent, end]
        if score > best_score:
            best, best_score = dependent, score
    return best


@kernel
def best_split(complete, left, right):
    """Where the complete spans meet of which an incomplete one is made."""
    best, best_score = left, -numpy.inf
    for split in range(left, right):
        score = complete[left, split] + complete[right, split + 1]
        if score > best_score:
            best, best_score = split, score
    return best


@entry
def expectations(members, lengths, weights, first, totals, means):
    """
    Sums over all trees, a tree weighing the product of the weights of its arcs, float64: writes the
    sum of the weights into `totals`, shape `(batch_size,)`, and the marginals of the arcs into
    `means`.
    """
    size, lanes = max(lengths[members].max(), 1) + 1, BYTES // weights.itemsize
    arcs, complete, incomplete, outer, found = numpy.zeros((5, size, size, 1, lanes))
    place_arcs(members, lengths, weights, arcs)
    zero, one = real(weights, 0.0), real(weights, 1.0)
    total = expect(arcs, complete, incomplete, outer, found, first, zero, one)
    store(arcs, 0, 0, total)
    take_out(members, lengths, found[:, :, 0], arcs[0, 0, 0], means, totals)


@entry
def derivatives(members, lengths, weights, direction, first, totals, result):
    """
    Writes the derivative of the marginals, as the logarithms of `weights` move along `direction`,
    into `result`; `totals` as in `expectations`.
    """
    size, lanes = max(lengths[members].max(), 1) + 1, BYTES // weights.itemsize
    arcs, complete, incomplete, outer, means = numpy.zeros((5, size, size, 2, lanes))
    place_arcs(members, lengths, weights, arcs)
    for lane, member in enumerate(members):
        for dependent in range(1, lengths[member] + 1):
            for head in range(lengths[member] + 1):
                tangent = weights[member, dependent, head] * direction[member, dependent, head]
                arcs[head, dependent, 1, lane] = tangent
    zero, one = dual(weights, 0.0), dual(weights, 1.0)
    total = expect(arcs, complete, incomplete, outer, means, first, zero, one)
    store(arcs, 0, 0, total)
    take_out(members, lengths, means[:, :, 1], arcs[0, 0, 0], result, totals)


@kernel
def place_arcs(members, lengths, weights, arcs):
    """
    Puts each sentence into its lane. Padding hangs on what is before it, in one way and with weight
    one.
    """
    for lane, member in enumerate(members):
        for dependent in range(1, len(arcs)):
            if dependent > lengths[member]:
                arcs[dependent - 1, dependent, 0, lane] = 1
            else:
                for head in range(lengths[member] + 1):
                    arcs[head, dependent, 0, lane] = weights[member, dependent, head]


@kernel
def take_out(members, lengths, found, found_totals, result, totals):
    """Copies each sentence from its lane: of arcs `[head, dependent, lane]`, of totals `[lane]`."""
    for lane, member in enumerate(members):
        totals[member] = found_totals[lane]
        for dependent in range(1, lengths[member] + 1):
            for head in range(lengths[member] + 1):
                result[member, dependent, head] = found[head, dependent, lane]
