"""
From filled charts down to a tree: the best one, or one that is drawn.

Charts are those of `charts.py`, of one sentence, `[head, other end]`. They hold scores:
of the best span of each kind for the best tree, the logarithms of the weights of all for a draw.
"""

import numpy

from spigot_allennlp.nn.choices import choose
from spigot_allennlp.nn.compilation import kernel


@kernel
def descend(charts, last, first, uniforms, member, tree):
    """
    Takes spans apart, from the whole sentence to single words, and marks their arcs in `tree`, if
    there is any tree. Draws by `uniforms[member]`, if there are `uniforms` (see `nn/choices.py`):
    up to `2 * last + 1` times.
    """
    _, complete, incomplete = charts
    scores = numpy.empty(last + 1)
    spans = numpy.empty((3 * last + 3, 2), dtype=numpy.int64)  # complete ones, still to be divided
    waiting, step = begin(charts, last, first, uniforms, member, scores, spans, tree), 1
    while waiting > 0:
        waiting -= 1
        head, end = spans[waiting]
        if head != end:
            nearest, count = min(head + 1, end), abs(end - head)
            for k in range(count):
                scores[k] = incomplete[head, nearest + k] + complete[nearest + k, end]
            dependent = nearest + choose(scores, count, uniforms, (member, step))
            left, right = min(head, dependent), max(head, dependent)
            for k in range(right - left):
                scores[k] = complete[left, left + k] + complete[right, left + k + 1]
            split = left + choose(scores, right - left, uniforms, (member, step + 1))
            tree[dependent, head] = 1
            spans[waiting] = (dependent, end)
            spans[waiting + 1] = (left, split)
            spans[waiting + 2] = (right, split + 1)
            waiting, step = waiting + 3, step + 2


@kernel
def begin(charts, last, first, uniforms, member, scores, spans, tree):
    """Writes the first spans to be divided, and returns how many: none if there is no tree."""
    arcs, complete, _ = charts
    if first == 0:
        spans[0] = (0, last)
        scores[0] = complete[0, last]
        return choose(scores, 1, uniforms, (member, 0)) + 1
    for k in range(last):
        scores[k] = complete[k + 1, 1] + complete[k + 1, last] + arcs[0, k + 1]
    top = choose(scores, last, uniforms, (member, 0)) + 1
    if top == 0:
        return 0
    tree[top, 0] = 1
    spans[0], spans[1] = (top, 1), (top, last)
    return 2
