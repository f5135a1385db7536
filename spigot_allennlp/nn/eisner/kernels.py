"""
Projective trees on the processor, as machine code: the best tree, and one that is drawn.

A call does one group of sentences, `members` of the batch, one a lane (see `nn/lanes/lanes.py`).
Tensors come as arrays of shape `(batch_size, dependent, head)`; `trees` are zero before. `first` is
1 if the root takes exactly one dependent, else 0.
"""

import numpy

from spigot_allennlp.nn.choices import logarithms
from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.eisner.charts import fill_inside
from spigot_allennlp.nn.eisner.descent import descend
from spigot_allennlp.nn.eisner.sums import place_arcs
from spigot_allennlp.nn.lanes.groups import longest
from spigot_allennlp.nn.lanes.lanes import numbers, tropical, wide


@entry
def best_trees(members, lengths, scores, mask, first, trees):
    """
    Writes ones into `trees` at the arcs of the best tree of each sentence; none where no tree is
    possible.
    """
    size, none = longest(members, lengths) + 1, tropical(scores, -numpy.inf)
    arcs, complete, incomplete = new_charts(none, size)
    arcs[:] = -numpy.inf
    for lane, member in enumerate(members):
        for dependent in range(1, lengths[member] + 1):
            for head in range(lengths[member] + 1):
                if mask[member, dependent, head]:
                    arcs[head, dependent, 0, lane] = scores[member, dependent, head]
    fill_inside(arcs, complete, incomplete, first, none, tropical(scores, 0.0))
    charts = arcs, complete, incomplete
    descend_each(members, lengths, charts, first, None, trees)


@entry
def draw_trees(members, lengths, scores, mask, first, uniforms, trees):
    """
    Writes ones into `trees` at the arcs of a tree that is drawn for each sentence, by the numbers
    between zero and one in `uniforms`, shape `(batch_size, 2 * length)`, float64.
    """
    size, zero = longest(members, lengths) + 1, wide(uniforms, 0.0)
    arcs, complete, incomplete = new_charts(zero, size)
    place_arcs((members, lengths, scores, mask), None, arcs, zero)
    fill_inside(arcs, complete, incomplete, first, zero, wide(uniforms, 1.0))
    charts = logarithms(arcs, zero), logarithms(complete, zero), logarithms(incomplete, zero)
    descend_each(members, lengths, charts, first, uniforms, trees)


@kernel
def descend_each(members, lengths, charts, first, uniforms, trees):
    """Makes the tree of each sentence from its lane."""
    arcs, complete, incomplete = charts
    for lane, member in enumerate(members):
        chart = arcs[:, :, 0, lane], complete[:, :, 0, lane], incomplete[:, :, 0, lane]
        descend(chart, lengths[member], first, uniforms, member, trees[member])


@kernel
def new_charts(like, size):
    """For arcs, complete and incomplete spans, in numbers of the kind of `like`."""
    return numbers(like, size, size), numbers(like, size, size), numbers(like, size, size)
