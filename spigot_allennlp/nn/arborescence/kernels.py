"""
Dependency trees, with or without crossing arcs, compiled: the best tree, and samples.

A call processes the sentences `members` of a batch one by one; `lengths` are the numbers of tokens
of all sentences; scores and mask have the shape `(batch_size, dependent, head)`.

The best tree is a maximum spanning arborescence, found in quadratic time. A path grows from token
to head, always to the best available head. If it runs into itself, the cycle becomes one *node*,
with the heads of all its members: a head from outside replaces the head of its dependent in the
cycle, and *gains* the difference of their scores. If the path reaches a node that is already
attached to the root, the whole path is attached. At the end, the cycles are expanded ([Tarjan,
1977](https://doi.org/10.1002/net.3230070103); [Gabow et al.,
1986](https://doi.org/10.1007/BF02579168)). If the root takes exactly one dependent, it is only
chosen as a head if there is no other head. So the number of arcs from the root is minimised first,
and the score is maximised second. This needs no penalty, which would have to be larger than all
scores without costing them their last digits.

The probability of a sample is proportional to the product of its arcs' weights ([Wilson,
1996](https://doi.org/10.1145/237814.237880)): from a token, a random walk steps from head to head
until it meets a token that is attached to the root. If it ran through a cycle, only the last step
from each token counts. If tokens strongly prefer to head each other, the walk may cycle for a very
long time. It is then given up, and heads are sampled token by token, each from its marginals, given
those of earlier tokens. The sample is still exact, because the cycles of a walk are independent of
its final tree ([Propp and Wilson, 1998](https://doi.org/10.1006/jagm.1997.0917), section 4): the
length of the walk says nothing about its result. If the root takes exactly one dependent, the
dependent is sampled first, from its marginals; the rest is a tree with that token as its root.
"""

from typing import NamedTuple

import numpy

from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.sampling import cumsum, sample_index

# The status of a node.
UNSEEN, ON_THE_PATH, ATTACHED = 0, 1, 2


class Contraction(NamedTuple):
    """
    The nodes of a sentence with at most `size` positions, while cycles are contracted.

    A node is stored in the row and the column of one of its tokens, its *place*. Of all arcs
    between two nodes, only the best is kept. So a contraction is one pass over two rows and two
    columns, and there are fewer contractions than tokens. Nodes have *numbers*: for single tokens,
    these are their positions; cycles follow in the order of their contraction.

    # Parameters

    gains : `numpy.ndarray`
        Shape `(size, size)`, float64: the gain of the best arc between two nodes,
        `[dependent, head]` by place; minus infinity if there is none.
    arcs : `numpy.ndarray`
        Shape `(size, size)`, int64: that arc, as `dependent * size + head`.
    numbers : `numpy.ndarray`
        Shape `(size,)`, int64: the number of the node at each place.
    status : `numpy.ndarray`
        Shape `(size,)`, int64: the status of the node at each place.
    path : `numpy.ndarray`
        Shape `(size,)`, int64: the places of the nodes on the path.
    entering : `numpy.ndarray`
        Shape `(2 * size,)`, int64: the arc that enters each node, by number.
    cycles : `numpy.ndarray`
        Shape `(2 * size,)`, int64: the number of the cycle that each node belongs to.
    first_head : `int`
        The first position that may be a head: 0, or 1 if the root takes exactly one dependent.
    """

    gains: numpy.ndarray
    arcs: numpy.ndarray
    numbers: numpy.ndarray
    status: numpy.ndarray
    path: numpy.ndarray
    entering: numpy.ndarray
    cycles: numpy.ndarray
    first_head: int


class TreeSampler(NamedTuple):
    """
    The input for sampling a tree of a single sentence, and the output.

    # Parameters

    scores : `numpy.ndarray`
        Shape `(size, size)`, float64: the scores of arcs, `[dependent, head]`; minus infinity for
        missing arcs. `size` is the number of positions.
    root : `int`
        The token that all others descend from, or 0. If it is a token, position 0 heads nothing.
    state : `numpy.ndarray`
        Shape `(1,)`, uint64: the state of the random generator.
    heads : `numpy.ndarray`
        Shape `(size,)`, int64: receives the head of each token except `root`.
    """

    scores: numpy.ndarray
    root: int
    state: numpy.ndarray
    heads: numpy.ndarray


@entry
def best_trees(members, lengths, scores, mask, single_root, trees):
    """
    Writes ones into `trees`, zeros of the shape of `scores`, at the arcs of the best tree of each
    sentence; none if no tree is possible.
    """
    size = lengths[members].max() + 1
    contraction = Contraction(
        numpy.empty((size, size)),
        numpy.empty((size, size), dtype=numpy.int64),
        numpy.empty(size, dtype=numpy.int64),
        numpy.empty(size, dtype=numpy.int64),
        numpy.empty(size, dtype=numpy.int64),
        numpy.empty(2 * size, dtype=numpy.int64),
        numpy.empty(2 * size, dtype=numpy.int64),
        int(single_root),
    )
    for member in members:
        last = lengths[member]
        for dependent in range(last + 1):
            for head in range(last + 1):
                score = scores[member, dependent, head]
                is_legal = mask[member, dependent, head]
                contraction.gains[dependent, head] = score if is_legal else -numpy.inf
                contraction.arcs[dependent, head] = dependent * size + head
        newest = contract(contraction, last)
        write_tree(contraction, newest, trees[member])


@kernel
def contract(contraction, last):
    """
    Finds the arc that enters each node, for a sentence that ends at the position `last`. Returns
    the number of the newest node, or 0 if there is no tree.
    """
    gains, numbers, status = contraction.gains, contraction.numbers, contraction.status
    path = contraction.path
    for place in range(last + 1):
        numbers[place], status[place] = place, UNSEEN
    status[0], newest, root_dependents = ATTACHED, last, 0
    for start in range(1, last + 1):
        length = 1 if status[start] == UNSEEN else 0
        path[0] = start
        while length > 0:
            place = path[length - 1]
            status[place] = ON_THE_PATH
            head = best_head(gains[place], last, contraction.first_head)
            if head < 0:
                return 0
            contraction.entering[numbers[place]] = contraction.arcs[place, head]
            gain = gains[place, head]
            for other in range(last + 1):
                gains[place, other] -= gain
            if status[head] == UNSEEN:
                path[length] = head
                length += 1
            elif status[head] == ON_THE_PATH:
                newest += 1
                length = contract_cycle(contraction, last, length, head, newest)
            else:
                root_dependents += head == 0
                while length > 0:
                    length -= 1
                    status[path[length]] = ATTACHED
    return newest if root_dependents == 1 or contraction.first_head == 0 else 0


@kernel
def best_head(gains, last, first_head):
    """Returns the place of the best head, or -1 if none is possible."""
    best, highest = -1, -numpy.inf
    for head in range(first_head, last + 1):
        if gains[head] > highest:
            best, highest = head, gains[head]
    if best < 0 and gains[0] > -numpy.inf:
        return 0
    return best


@kernel
def contract_cycle(contraction, last, length, head, newest):
    """
    Contracts the end of the path, from `head` on, into the node with the number `newest`, at the
    place of `head`. Returns the length of the remaining path, which ends with the new node.
    """
    gains, arcs, path = contraction.gains, contraction.arcs, contraction.path
    numbers, cycles = contraction.numbers, contraction.cycles
    cycles[numbers[head]] = newest
    numbers[head] = newest
    while path[length - 1] != head:
        length -= 1
        merged = path[length]
        cycles[numbers[merged]] = newest
        for place in range(last + 1):
            if gains[merged, place] > gains[head, place]:
                gains[head, place] = gains[merged, place]
                arcs[head, place] = arcs[merged, place]
        for place in range(1, last + 1):
            if gains[place, merged] > gains[place, head]:
                gains[place, head] = gains[place, merged]
                arcs[place, head] = arcs[place, merged]
            gains[place, merged] = -numpy.inf
    gains[head, head] = -numpy.inf
    return length


@kernel
def write_tree(contraction, newest, tree):
    """
    Writes the arcs of the tree into `tree` by expanding the nodes, newest first. If a member of a
    cycle is entered by the arc of the whole cycle, its own arc is dropped.
    """
    entering, size = contraction.entering, len(contraction.arcs)
    for node in range(newest, 0, -1):
        arc = entering[node]
        if arc >= 0:
            dependent = arc // size
            tree[dependent, arc % size] = 1
            inner = dependent
            while inner != node:
                entering[inner] = -1
                inner = contraction.cycles[inner]


@entry
def sample_trees(
    members, lengths, scores, mask, single_root, root_marginals, walk_limit, seeds, trees
):
    """
    Writes ones into `trees`, zeros of the shape of `scores`, at the arcs of a random tree for each
    sentence; none if no tree is possible.

    # Parameters

    root_marginals : `numpy.ndarray`
        Shape `(batch_size, dependent)`: the marginals of the arcs from the root, only used with
        `single_root`.
    walk_limit : `int`
        A walk through `n` tokens is given up after `walk_limit * n^3` steps.
    seeds : `numpy.ndarray`
        Shape `(batch_size,)`, int64: the only source of randomness.
    """
    for member in members:
        last = lengths[member]
        state = numpy.full(1, seeds[member]).astype(numpy.uint64)
        root = 0
        if single_root:
            weights = root_marginals[member, : last + 1].copy()
            cumsum(weights)
            root = sample_index(weights, state)
            if root < 0:
                continue
        legal = numpy.full((last + 1, last + 1), -numpy.inf)
        for dependent in range(1, last + 1):
            for head in range(last + 1):
                if mask[member, dependent, head]:
                    legal[dependent, head] = scores[member, dependent, head]
        sampler = TreeSampler(legal, root, state, numpy.zeros(last + 1, dtype=numpy.int64))
        if walk_to_root(sampler, walk_limit * last**3) or sample_heads_in_order(sampler):
            for dependent in range(1, last + 1):
                trees[member, dependent, sampler.heads[dependent]] = 1


@kernel
def walk_to_root(sampler, num_steps):
    """Samples all heads by random walks. Returns false if these take more than `num_steps`."""
    size, heads = len(sampler.heads), sampler.heads
    weights = cumulative_weights(sampler)
    is_attached = numpy.zeros(size, dtype=numpy.bool_)
    is_attached[0] = is_attached[sampler.root] = True
    for start in range(1, size):
        token = start
        while not is_attached[token]:
            head = sample_index(weights[token], sampler.state)
            if num_steps == 0 or head < 0:
                return False
            num_steps -= 1
            heads[token] = head
            token = head
        token = start
        while not is_attached[token]:
            is_attached[token] = True
            token = heads[token]
    return True


@kernel
def cumulative_weights(sampler):
    """Returns the cumulative weights of each token's heads, shape `(size, size)`."""
    size, scores, first_head = len(sampler.heads), sampler.scores, min(sampler.root, 1)
    weights = numpy.zeros((size, size))
    for dependent in range(1, size):
        best = -numpy.inf
        for head in range(first_head, size):
            best = max(best, scores[dependent, head])
        if best > -numpy.inf:
            for head in range(first_head, size):
                weights[dependent, head] = numpy.exp(scores[dependent, head] - best)
            cumsum(weights[dependent])
    return weights


@kernel
def sample_heads_in_order(sampler):
    """
    Samples the heads token by token, each from its marginals, given the heads of earlier tokens.
    Returns false if no tree is possible. Takes `O(size^4)` steps.

    The marginals come from the elimination of `sums.py`, once per token and with the logarithms of
    all numbers, so nothing is too improbable to be sampled. Once a token has its head, it leads
    nowhere else: it is merged with the token, or the root, that its head leads to.
    """
    size, root, scores, first_head = (
        len(sampler.heads),
        sampler.root,
        sampler.scores,
        min(sampler.root, 1),
    )
    ends = numpy.arange(size)  # the token without a head, or the root, that each token leads to
    ends[root] = 0
    probabilities = numpy.zeros(size)
    chart, absorption = numpy.empty((size, size)), numpy.empty(size)
    for token in range(1, size):
        if token != root:
            fill_log_absorption(sampler, ends, token, chart, absorption)
            best = -numpy.inf
            for head in range(first_head, size):
                probabilities[head] = scores[token, head] + absorption[ends[head]]
                best = max(best, probabilities[head])
            if not best > -numpy.inf:
                return False
            for head in range(first_head, size):
                probabilities[head] = numpy.exp(probabilities[head] - best)
            cumsum(probabilities)
            head = sample_index(probabilities, sampler.state)
            sampler.heads[token] = head
            for other in range(1, size):
                if ends[other] == token:
                    ends[other] = ends[head]
    return True


@kernel
def fill_log_absorption(sampler, ends, token, chart, absorption):
    """
    Writes the logarithms of the probabilities that walks from the root and from tokens without a
    head reach the root before `token`, the first of these tokens. `chart`, shape `(size, size)`, is
    scratch space.
    """
    size, root, scores = len(sampler.heads), sampler.root, sampler.scores
    chart[:] = -numpy.inf
    absorption[:] = -numpy.inf
    for dependent in range(token, size):
        for head in range(min(root, 1), size):
            end = ends[head]
            if end != dependent:
                chart[dependent, end] = log_add(chart[dependent, end], scores[dependent, head])
    for eliminated in range(size - 1, token, -1):
        if eliminated != root and not eliminate(chart, eliminated, token):
            return
    absorption[0] = 0
    for eliminated in range(token + 1, size):
        if eliminated != root:
            for head in range(eliminated):
                through = chart[eliminated, head] + absorption[head]
                absorption[eliminated] = log_add(absorption[eliminated], through)


@kernel
def eliminate(chart, eliminated, token):
    """
    Eliminates a token from a walk where the tokens from `token` up to it, and the root, remain.
    Returns false if it leads nowhere.
    """
    pivot = chart[eliminated, 0]
    for head in range(token, eliminated):
        pivot = log_add(pivot, chart[eliminated, head])
    if not pivot > -numpy.inf:
        return False
    for head in range(eliminated):
        chart[eliminated, head] -= pivot
    for dependent in range(token, eliminated):
        weight = chart[dependent, eliminated]
        if weight > -numpy.inf:
            chart[dependent, 0] = log_add(chart[dependent, 0], weight + chart[eliminated, 0])
            for head in range(token, eliminated):
                through = weight + chart[eliminated, head]
                chart[dependent, head] = log_add(chart[dependent, head], through)
    return True


@kernel
def log_add(x, y):
    """Returns `log(exp(x) + exp(y))`."""
    larger, smaller = max(x, y), min(x, y)
    if smaller == -numpy.inf:
        return larger
    return larger + numpy.log1p(numpy.exp(smaller - larger))
