"""
Random dependency trees, whether their arcs cross or not, as machine code: each tree as probable as
the product of its arcs' weights says.

[Wilson (1996)](https://doi.org/10.1145/237814.237880): from a token a random walk steps from head
to head until it meets what is already attached to the root; where it ran through a cycle, only the
last step from each token counts. Where tokens would rather head each other than be attached, the
walk may go round in cycles for ever. It is given up then, and the tree is drawn token by token (see
`draws.py`). That leaves the draw exact, for the cycles that a walk has gone through
are independent of the tree that it ends with
([Propp and Wilson, 1998](https://doi.org/10.1006/jagm.1997.0917), section 4): how long it takes
says nothing about what it would have found.

Where the root takes exactly one dependent, that one is drawn first, from its marginals; given it,
all else is a tree with that token as its root.
"""

import numpy

from spigot_allennlp.nn.arborescence.draws import draw_heads
from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.sampling import cumsum, sample_index


@entry
def draw_trees(members, lengths, scores, tops, first, patience, seeds, trees):
    """
    Writes ones into `trees` at the arcs of one tree for each sentence in `members`; none where no
    tree is possible.

    # Parameters

    scores : `numpy.ndarray`
        Shape `(batch_size, dependent, head)`, minus infinity where there is no arc.
    tops : `numpy.ndarray`
        Shape `(batch_size, dependent)`: the marginals of the arcs from the root; of use only if
        `first` is 1, which says that the root takes exactly one dependent.
    patience : `int`
        A walk through `n` tokens is given up after `patience * n^3` steps, which take as long as to
        draw the tree token by token.
    seeds : `numpy.ndarray`
        Shape `(batch_size,)`: what all randomness comes from.
    """
    for member in members:
        last = lengths[member]
        seed = numpy.full(1, seeds[member]).astype(numpy.uint64)
        root = draw_top(tops[member, : last + 1], seed) if first == 1 else 0
        if root < 0:
            continue
        heads = numpy.zeros(last + 1, dtype=numpy.int64)
        weights = cumulative_weights(scores[member], last, root)
        found = walk(weights, last, root, patience * last**3, seed, heads)
        if found or draw_heads(scores[member], last, root, seed, heads):
            for dependent in range(1, last + 1):
                trees[member, dependent, heads[dependent]] = 1


@kernel
def draw_top(tops, seed):
    """The dependent of a root that takes exactly one; -1 if none is possible."""
    weights = tops.copy()
    cumsum(weights)
    return sample_index(weights, seed)


@kernel
def cumulative_weights(scores, last, root):
    """
    The weight of each token's heads up to each of them. If a token takes the place of the root,
    then nothing else depends on the root.
    """
    weights = numpy.zeros((last + 1, last + 1))
    for dependent in range(1, last + 1):
        first = min(root, 1)
        best = -numpy.inf
        for head in range(first, last + 1):
            best = max(best, scores[dependent, head])
        if best > -numpy.inf:
            for head in range(first, last + 1):
                weights[dependent, head] = numpy.exp(scores[dependent, head] - best)
            cumsum(weights[dependent])
    return weights


@kernel
def walk(weights, last, root, steps, seed, heads):
    """Finds a head for each token but `root`; after `steps` steps gives up, and returns false."""
    is_attached = numpy.zeros(last + 1, dtype=numpy.bool_)
    is_attached[0] = is_attached[root] = True
    for start in range(1, last + 1):
        token = start
        while not is_attached[token]:
            head = sample_index(weights[token], seed)
            if steps == 0 or head < 0:
                return False
            steps -= 1
            heads[token] = head
            token = head
        token = start
        while not is_attached[token]:
            is_attached[token] = True
            token = heads[token]
    return True
