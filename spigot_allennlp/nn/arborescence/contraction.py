"""
The best dependency tree of a sentence, whether its arcs cross or not, as machine code: a maximum
spanning arborescence in quadratic time.

A path grows from token to head, each time to the best head that there is. Where it runs into
itself, the cycle becomes one *node*, whose heads are those of all its members: a head from outside
takes the place of the one that its dependent has in the cycle, and *gains* the difference of their
scores. Where it reaches a node that is already attached to the root, so is all of the path. At the
end the cycles are taken apart again ([Tarjan, 1977](https://doi.org/10.1002/net.3230070103);
[Gabow et al., 1986](https://doi.org/10.1007/BF02579168)).

A node lies in the matrices at the place of one of its tokens; of all arcs between two nodes only
the best is kept. Contracting two nodes is then one pass over two rows and two columns, and there
are fewer contractions than tokens.

A root that takes exactly one dependent is nobody's head while there is another. Few arcs come first
then, and the score second, without a penalty that would have to be large beside all scores and yet
not cost them their last digits.
"""

import numpy

from spigot_allennlp.nn.compilation import entry, kernel

# What has happened to the node at a place.
UNSEEN, ON_THE_PATH, ATTACHED = 0, 1, 2


@entry
def best_trees(members, lengths, scores, mask, first, trees):
    """
    Writes ones into `trees` at the arcs of the best tree of each sentence in `members`; none where
    no tree is possible. Arrays have the shape `(batch_size, dependent, head)`, `trees` is zero
    before; `first` is 1 if the root takes exactly one dependent, else 0.
    """
    size = lengths[members].max() + 1
    gains = numpy.empty((size, size))
    arcs = numpy.empty((size, size), dtype=numpy.int64)
    # by node: tokens first, then cycles in the order of their contraction
    entering = numpy.empty(2 * size, dtype=numpy.int64)
    owners = numpy.empty(2 * size, dtype=numpy.int64)
    for member in members:
        last = lengths[member]
        for dependent in range(last + 1):
            for head in range(last + 1):
                legal = mask[member, dependent, head]
                gains[dependent, head] = scores[member, dependent, head] if legal else -numpy.inf
                arcs[dependent, head] = dependent * size + head
        newest = contract(gains, arcs, last, first, entering, owners)
        expand(entering, owners, newest, size, trees[member])


@kernel
def contract(gains, arcs, last, first, entering, owners):
    """
    Gives every node the arc by which it is entered. Returns the newest node, or 0 if there is no
    tree.
    """
    nodes = numpy.arange(last + 1)
    status = numpy.zeros(last + 1, dtype=numpy.int64)
    path = numpy.empty(last + 1, dtype=numpy.int64)
    status[0], newest, tops = ATTACHED, last, 0
    for start in range(1, last + 1):
        length = 1 if status[start] == UNSEEN else 0
        path[0] = start
        while length > 0:
            place = path[length - 1]
            status[place] = ON_THE_PATH
            head = best_head(gains[place], last, first)
            if head < 0:
                return 0
            entering[nodes[place]] = arcs[place, head]
            gain = gains[place, head]
            for other in range(last + 1):
                gains[place, other] -= gain
            if status[head] == UNSEEN:
                path[length] = head
                length += 1
            elif status[head] == ON_THE_PATH:
                newest += 1
                length = close_cycle(gains, arcs, last, path, length, head, nodes, newest, owners)
            else:
                tops += head == 0
                while length > 0:
                    length -= 1
                    status[path[length]] = ATTACHED
    return newest if tops == 1 or first == 0 else 0


@kernel
def best_head(gains, last, first):
    """The place of the best head, or -1 if none is possible."""
    best, best_gain = -1, -numpy.inf
    for head in range(first, last + 1):
        if gains[head] > best_gain:
            best, best_gain = head, gains[head]
    if best < 0 and gains[0] > -numpy.inf:
        return 0
    return best


@kernel
def close_cycle(gains, arcs, last, path, length, head, nodes, newest, owners):
    """
    Makes one node of the end of the path, from `head` on, at the place of `head`. Returns the
    length of the path that is left, with the new node as its end.
    """
    owners[nodes[head]] = newest
    nodes[head] = newest
    while path[length - 1] != head:
        length -= 1
        gone = path[length]
        owners[nodes[gone]] = newest
        for place in range(last + 1):
            if gains[gone, place] > gains[head, place]:
                gains[head, place] = gains[gone, place]
                arcs[head, place] = arcs[gone, place]
        for place in range(1, last + 1):
            if gains[place, gone] > gains[place, head]:
                gains[place, head] = gains[place, gone]
                arcs[place, head] = arcs[place, gone]
            gains[place, gone] = -numpy.inf
    gains[head, head] = -numpy.inf
    return length


@kernel
def expand(entering, owners, newest, size, tree):
    """
    Takes the nodes apart, the newest first: the member of a cycle that is entered by the arc of the
    whole cycle loses its own.
    """
    for node in range(newest, 0, -1):
        arc = entering[node]
        if arc >= 0:
            dependent = arc // size
            tree[dependent, arc % size] = 1
            inner = dependent
            while inner != node:
                entering[inner] = -1
                inner = owners[inner]
