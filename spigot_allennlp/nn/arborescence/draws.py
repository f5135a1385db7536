"""
Random dependency trees token by token: each token's head from its marginals, given the heads of the
tokens before it.

The marginals come from the elimination of `elimination.py`, once for each token and
with the logarithms of all numbers, so nothing is too improbable to be drawn. Once a token has its
head it leads nowhere else: it is one with the token, or the root, that its head leads to. Takes
`O(length^4)` steps.
"""

import numpy

from spigot_allennlp.nn.compilation import kernel
from spigot_allennlp.nn.sampling import cumsum, sample_index


@kernel
def draw_heads(scores, last, root, seed, heads):
    """
    Draws a head for each token but `root`, given scores of arcs, `[dependent, head]`; minus
    infinity where there is none. Returns false where no tree is possible.
    """
    ends = numpy.arange(last + 1)  # the token without a head, or the root, that each leads to
    ends[root] = 0
    chances = numpy.zeros(last + 1)
    chart, escapes = numpy.empty((last + 1, last + 1)), numpy.empty(last + 1)
    first = min(root, 1)
    for token in range(1, last + 1):
        if token != root:
            escapes_from(scores, ends, token, last, root, chart, escapes)
            best = -numpy.inf
            for head in range(first, last + 1):
                chances[head] = scores[token, head] + escapes[ends[head]]
                best = max(best, chances[head])
            if not best > -numpy.inf:
                return False
            for head in range(first, last + 1):
                chances[head] = numpy.exp(chances[head] - best)
            cumsum(chances)
            head = sample_index(chances, seed)
            heads[token] = head
            for other in range(1, last + 1):
                if ends[other] == token:
                    ends[other] = ends[head]
    return True


@kernel
def escapes_from(scores, ends, token, last, root, chart, escapes):
    """
    Writes the logarithms of the probabilities that walks from the root and from tokens without a
    head reach the root before they meet `token`, the first of these tokens. `chart` is to work in.
    """
    chart[:] = -numpy.inf
    escapes[:] = -numpy.inf
    for dependent in range(token, last + 1):
        for head in range(min(root, 1), last + 1):
            end = ends[head]
            if end != dependent:
                chart[dependent, end] = log_add(chart[dependent, end], scores[dependent, head])
    for gone in range(last, token, -1):
        if gone != root and not take_out(chart, gone, token):
            return
    escapes[0] = 0
    for gone in range(token + 1, last + 1):
        if gone != root:
            for head in range(gone):
                step = chart[gone, head] + escapes[head]
                escapes[gone] = log_add(escapes[gone], step)


@kernel
def take_out(chart, gone, token):
    """
    Takes a token out of the walk, from `token` to `gone` and the root are left. Returns false if it
    leads nowhere.
    """
    pivot = chart[gone, 0]
    for head in range(token, gone):
        pivot = log_add(pivot, chart[gone, head])
    if not pivot > -numpy.inf:
        return False
    for head in range(gone):
        chart[gone, head] -= pivot
    for dependent in range(token, gone):
        weight = chart[dependent, gone]
        if weight > -numpy.inf:
            chart[dependent, 0] = log_add(chart[dependent, 0], weight + chart[gone, 0])
            for head in range(token, gone):
                chart[dependent, head] = log_add(chart[dependent, head], weight + chart[gone, head])
    return True


@kernel
def log_add(x, y):
    """`log(exp(x) + exp(y))`."""
    larger, smaller = max(x, y), min(x, y)
    if smaller == -numpy.inf:
        return larger
    return larger + numpy.log1p(numpy.exp(smaller - larger))
