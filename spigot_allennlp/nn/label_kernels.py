"""
Computations over the labels of pairs, compiled: the best label, and the likelihood of a graph.

`best_outputs.py` and `labelled_arcs.py` import them late, since numba is slow to import.
"""

import numpy

from spigot_allennlp.nn.compilation import entry


@entry
def write_best(block, alone, scores, outputs):
    """Writes the results of `best_of_block` into `scores` and `outputs`."""
    batch_size, num_rows, num_outputs, num_columns = block.shape
    totals = numpy.empty(num_columns, block.dtype)
    for batch in range(batch_size):
        for row in range(num_rows):
            best, which = scores[batch, row], outputs[batch, row]
            best[:] = -numpy.inf
            which[:] = 0
            totals[:] = 0
            for output in range(num_outputs):
                added = alone[batch, row, output]
                for column in range(num_columns):
                    score = block[batch, row, output, column] + added
                    totals[column] += score
                    is_better = score > best[column]
                    best[column] = score if is_better else best[column]
                    which[column] = numpy.int32(output) if is_better else which[column]
            for column in range(num_columns):
                # A sum of finite numbers is finite, unless they are too large to compare.
                if not abs(totals[column]) < numpy.inf:
                    best[column] = numpy.nan


@entry
def write_likelihood(scores, arcs, labels, gold, losses, is_legal, gradient):
    """
    Writes the results of `graph_likelihood`, and the gradient of each loss, in the order of
    `scores`, `(batch_size, dependent, label, head)`; `labels` are `(label, head)`.
    """
    batch_size, num_dependents, num_labels, num_heads = scores.shape
    largest = numpy.empty(num_heads, scores.dtype)
    total = numpy.empty(num_heads, scores.dtype)
    for batch in range(batch_size):
        nats, legal = 0.0, True
        for dependent in range(num_dependents):
            possible = arcs[batch, dependent]
            largest[:] = 0  # the score of no arc
            for label in range(num_labels):
                for head in range(num_heads):
                    score = scores[batch, dependent, label, head]
                    is_larger = labels[label, head] & possible[head] & (score > largest[head])
                    largest[head] = score if is_larger else largest[head]
            for head in range(num_heads):
                total[head] = numpy.exp(-largest[head])
            for label in range(num_labels):
                for head in range(num_heads):
                    weight = scores.dtype.type(0)
                    if possible[head] and labels[label, head]:
                        score = scores[batch, dependent, label, head]
                        weight = numpy.exp(score - largest[head])
                        total[head] += weight
                    gradient[batch, dependent, label, head] = weight
            for label in range(num_labels):
                for head in range(num_heads):
                    gradient[batch, dependent, label, head] /= total[head]
            for head in range(num_heads):
                nats += numpy.log(total[head]) + largest[head]
                label = gold[batch, dependent, head]
                if label < 0:
                    continue
                if label < num_labels and possible[head] and labels[label, head]:
                    nats -= scores[batch, dependent, label, head]
                    gradient[batch, dependent, label, head] -= 1
                else:
                    legal = False
        losses[batch] = nats
        is_legal[batch] = legal
