"""The best of several scores of every pair, compiled; `best_outputs.py` imports it late."""

import numpy

from spigot_allennlp.nn.compilation import entry


@entry
def write_best(block, alone, scores, outputs):
    """Writes what `best_of_block` returns into `scores` and `outputs`."""
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
                # A sum of finite numbers is finite, or they were too large to be compared.
                if not abs(totals[column]) < numpy.inf:
                    best[column] = numpy.nan
