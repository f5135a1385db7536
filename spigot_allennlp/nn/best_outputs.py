"""The best of several scores of every pair, without a copy of the scores."""

from typing import NamedTuple

import numpy
import torch
from torch import LongTensor, Tensor

from spigot_allennlp.nn.compilation import entry
from spigot_allennlp.nn.devices import has_kernels
from spigot_allennlp.nn.instances import at_least_single
from spigot_allennlp.nn.tensor_checks import FLOATS, Argument, Signature

_BLOCK = Signature(
    Argument("block", FLOATS, ("batch_size", "rows", "num_outputs", "columns")),
    Argument("alone", FLOATS, ("batch_size", "rows", "num_outputs")),
)


class BestOutputs(NamedTuple):
    """
    The best output of every pair.

    # Parameters

    scores : `Tensor`
        Shape `(batch_size, dependent, head)`: minus infinity where no output is legal; NaN where
        the score of a legal one is NaN or infinite, if that is looked at.
    outputs : `LongTensor`
        Of the same shape; any where no output is legal.
    """

    scores: Tensor
    outputs: LongTensor


def best_of_block(block: Tensor, alone: Tensor) -> BestOutputs:
    """
    Returns the best sum of `block` and `alone` over the outputs, in single precision at least; not
    differentiable. Where a sum is NaN or infinite, the best score is NaN.

    # Parameters

    block : `Tensor`
        Shape `(batch_size, rows, num_outputs, columns)`.
    alone : `Tensor`
        Shape `(batch_size, rows, num_outputs)`: what is added to every column.
    """
    _BLOCK.check(block, alone)
    block = at_least_single(block.detach()).contiguous()
    alone = alone.detach().to(block.dtype).contiguous()
    scores = block.new_empty(block.size(0), block.size(1), block.size(3))
    outputs = torch.empty(scores.shape, dtype=torch.int32, device=block.device)
    if has_kernels(block.device):
        write_best(block.numpy(), alone.numpy(), scores.numpy(), outputs.numpy())
        return BestOutputs(scores, outputs.long())
    if block.size(2) == 0:
        return BestOutputs(scores.fill_(-torch.inf), outputs.zero_().long())
    sums = block + alone.unsqueeze(-1)
    best = sums.max(dim=2)
    is_sound = sums.isfinite().all(dim=2)
    return BestOutputs(best.values.masked_fill(~is_sound, torch.nan), best.indices)


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
