"""
The recurrence over spans, inside and outside, for numbers of any kind (see `nn/lanes.py`).

Every chart is indexed `[head, other end]`: the span of a head that reaches to its right has
`head < end`, one that reaches to its left `head > end`. An *incomplete* span ends at a dependent of
its head; a *complete* one also holds what that dependent has on its far side. `arcs` holds the
weights of arcs, `[head, dependent]`. A chart begins at position `first`: at 0, or at 1 if the root
takes exactly one dependent and therefore stays outside.
"""

from spigot_allennlp.nn.compilation import kernel
from spigot_allennlp.nn.lanes import load, store


@kernel
def fill_inside(arcs, complete, incomplete, first, zero, one):
    """
    Writes the weights of all spans, each after those inside it. `zero` and `one` are the neutral
    numbers of `+` and `*`.
    """
    for i in range(first, len(arcs)):
        store(complete, i, i, one)
    for j in range(first + 1, len(arcs)):
        for i in range(j - 1, first - 1, -1):
            joined = zero
            for k in range(i, j):
                joined = joined + load(complete, i, k, zero) * load(complete, j, k + 1, zero)
            store(incomplete, i, j, joined * load(arcs, i, j, zero))
            store(incomplete, j, i, joined * load(arcs, j, i, zero))
            right, left = zero, zero
            for k in range(i, j):
                right = right + load(incomplete, i, k + 1, zero) * load(complete, k + 1, j, zero)
                left = left + load(incomplete, j, k, zero) * load(complete, k, i, zero)
            store(complete, i, j, right)
            store(complete, j, i, left)


@kernel
def expect(arcs, complete, incomplete, outer, means, first, zero, one):
    """
    Writes into `means` the mean number of times that an arc is in a tree: the derivative of the
    logarithm of the total with respect to the logarithm of the arc's weight. All charts but `arcs`
    are zero before. Returns the total.
    """
    fill_inside(arcs, complete, incomplete, first, zero, one)
    total = total_of(arcs, complete, first, zero)
    seed_outside(arcs, complete, incomplete, outer, means, first, one / total)
    fill_outside(arcs, complete, incomplete, outer, means, first, zero)
    for head in range(len(arcs)):
        for dependent in range(len(arcs)):
            weight = load(incomplete, head, dependent, zero)
            store(means, head, dependent, weight * load(means, head, dependent, zero))
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
def seed_outside(arcs, complete, incomplete, outer, outer_incomplete, first, inverse):
    """
    Starts `fill_outside` with the derivatives of the logarithm of the total, `inverse` being one
    over the total. The arcs of a root outside the chart count as incomplete spans of their own.
    """
    last = len(arcs) - 1
    if first == 0:
        store(outer, 0, last, inverse)
        return
    for top in range(1, last + 1):
        arc = load(arcs, 0, top, inverse)
        left, right = load(complete, top, 1, inverse), load(complete, top, last, inverse)
        add_to(outer, top, 1, inverse * arc * right)
        add_to(outer, top, last, inverse * arc * left)
        store(incomplete, 0, top, arc)
        store(outer_incomplete, 0, top, inverse * left * right)


@kernel
def fill_outside(arcs, complete, incomplete, outer, outer_incomplete, first, zero):
    """
    Adds up the derivatives with respect to complete spans, in `outer`, and to incomplete ones: each
    span, after those around it, hands on what it got to those that it was made of.
    """
    for j in range(len(arcs) - 1, first, -1):
        for i in range(first, j):
            right, left = load(outer, i, j, zero), load(outer, j, i, zero)
            for k in range(i, j):
                add_to(outer_incomplete, i, k + 1, right * load(complete, k + 1, j, zero))
                add_to(outer, k + 1, j, right * load(incomplete, i, k + 1, zero))
                add_to(outer_incomplete, j, k, left * load(complete, k, i, zero))
                add_to(outer, k, i, left * load(incomplete, j, k, zero))
            joined = load(outer_incomplete, i, j, zero) * load(arcs, i, j, zero)
            joined = joined + load(outer_incomplete, j, i, zero) * load(arcs, j, i, zero)
            for k in range(i, j):
                add_to(outer, i, k, joined * load(complete, j, k + 1, zero))
                add_to(outer, j, k + 1, joined * load(complete, i, k, zero))


@kernel
def add_to(chart, row, column, number):
    """`chart[row, column] += number`."""
    store(chart, row, column, load(chart, row, column, number) + number)
