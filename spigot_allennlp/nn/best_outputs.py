"""The best of several scores of every pair, without a copy of the scores."""

import numpy
import torch
from torch import Tensor

from spigot_allennlp.nn.compilation import entry
from spigot_allennlp.nn.devices import has_kernels


def write_best_outputs(block: Tensor, alone: Tensor, scores: Tensor, outputs: Tensor) -> None:
    """
    Writes the best sum of `block` and `alone` over the outputs into `scores`, and which output has
    it into `outputs`. Where a sum is NaN or infinite, the best score is NaN.

    # Parameters

    block : `Tensor`
        Shape `(batch_size, rows, num_outputs, columns)`.
    alone : `Tensor`
        Shape `(batch_size, rows, num_outputs)`: what is added to every column.
    scores : `Tensor`
        Shape `(batch_size, rows, columns)`.
    outputs : `Tensor`
        Of the same shape, 32-bit integers.
    """
    if has_kernels(block.device) and block.dtype in (torch.float32, torch.float64):
        write_best(block.numpy(), alone.numpy(), scores.numpy(), outputs.numpy())
        return
    sums = block + alone.unsqueeze(-1)
    best = sums.max(dim=2)
    is_sound = sums.isfinite().all(dim=2)
    scores.copy_(best.values.masked_fill(~is_sound, torch.nan))
    outputs.copy_(best.indices)


@entry
def write_best(block, alone, scores, outputs):
    """Writes as `write_best_outputs` tells, a row after another."""
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
