"""
The recurrence over spans, inside and outside, for numbers of any kind (see `nn/lanes/lanes.py`).

Every chart is indexed `[head, other end]`: the span of a head that reaches to its right has
`head < end`, one that reaches to its left `head > end`. An *incomplete* span ends at a dependent of
its head; a *complete* one also holds what that dependent has on its far side. `arcs` holds the
weights of arcs, `[head, dependent]`. A chart begins at position `first`: at 0, or at 1 if the root
takes exactly one dependent and therefore stays outside.
"""

from spigot_allennlp.nn.compilation import kernel
from spigot_allennlp.nn.lanes.lanes import load, numbers, store


@kernel
def fill_inside(arcs, complete, incomplete, first, zero, one):
    """
    Writes the weights of all spans, each after those inside it. `zero` and `one` are the neutral
    numbers of `+` and `*`.
    """
    for j in range(first, len(arcs)):
        store(complete, j, j, one)
        for i in range(j - 1, first - 1, -1):
            # The last term of each sum is a span times that of a single word, which weighs one.
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
def expect(arcs, first, zero, one):
    """
    Puts into `arcs`, in place of the weight of each, the mean number of times that it is in a tree:
    the derivative of the logarithm of the total with respect to the logarithm of the weight.
    Returns the total.
    """
    size = len(arcs)
    complete, incomplete = numbers(zero, size, size), numbers(zero, size, size)
    fill_inside(arcs, complete, incomplete, first, zero, one)
    total = total_of(arcs, complete, first, zero)
    outer, joined = numbers(zero, size, size), numbers(zero, size, size)
    seed_outside(arcs, complete, outer, first, zero, one / total)
    fill_outside(arcs, complete, incomplete, outer, joined, first, zero)
    return total


@kernel
def total_of(arcs, complete, first, zero):
    """The weight of the whole sentence."""
    last = len(arcs) - 1
    if first == 0:
        return load(complete, 0, last, zero)
    total = zero
    for top in range(1, last + 1):
        halves = load(complete, top, 1, zero) * load(complete, top, last, zero)
        total = total + halves * load(arcs, 0, top, zero)
    return total


@kernel
def seed_outside(arcs, complete, outer, first, zero, inverse):
    """
    Starts `fill_outside` with the derivatives of the logarithm of the total, `inverse` being one
    over the total, with respect to the complete spans that reach an end of the sentence. The arcs
    of a root outside the chart are done with here.
    """
    last = len(arcs) - 1
    for i in range(first, last + 1):
        store(outer, i, last, zero)
        store(outer, i, first, zero)
    if first == 0:
        store(outer, 0, last, inverse)
        return
    for top in range(1, last + 1):
        left, right = load(complete, top, 1, zero), load(complete, top, last, zero)
        arc = load(arcs, 0, top, zero) * inverse
        if top > 1:
            store(outer, top, 1, arc * right)
        if top < last:
            store(outer, top, last, arc * left)
        store(arcs, 0, top, arc * left * right)


@kernel
def fill_outside(arcs, complete, incomplete, outer, joined, first, zero):
    """
    The derivatives with respect to complete spans, into `outer`, each from those of the spans
    around it; and, at both `joined[i, j]` and `joined[j, i]`, with respect to what joins two
    complete spans over `i` and `j`. Turns arcs into means on the way.
    """
    last = len(arcs) - 1
    for j in range(last, first, -1):
        for i in range(first, j):
            right = load(outer, i, last, zero) if j == last else zero
            left = load(outer, j, first, zero) if i == first else zero
            arc_right, arc_left = zero, zero  # with respect to incomplete spans
            for h in range(first, i):
                right = right + load(outer, h, j, zero) * load(incomplete, h, i, zero)
                left = left + load(joined, j, h, zero) * load(complete, h, i - 1, zero)
                arc_left = arc_left + load(outer, j, h, zero) * load(complete, i, h, zero)
            for h in range(j + 1, last + 1):
                right = right + load(joined, i, h, zero) * load(complete, h, j + 1, zero)
                left = left + load(outer, h, i, zero) * load(incomplete, h, j, zero)
                arc_right = arc_right + load(outer, i, h, zero) * load(complete, j, h, zero)
            store(outer, i, j, right)
            store(outer, j, i, left)
            arc_right, arc_left = arc_right + right, arc_left + left
            both = arc_right * load(arcs, i, j, zero) + arc_left * load(arcs, j, i, zero)
            store(joined, i, j, both)
            store(joined, j, i, both)
            store(arcs, i, j, arc_right * load(incomplete, i, j, zero))
            store(arcs, j, i, arc_left * load(incomplete, j, i, zero))
