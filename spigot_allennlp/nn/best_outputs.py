"""The best of several scores of every pair, without a copy of the scores."""

from typing import NamedTuple

import torch
from torch import LongTensor, Tensor

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
        Shape `(batch_size, dependent, head)`: minus infinity if no output is legal; NaN if the
        score of a legal one is NaN or infinite, and this is checked.
    outputs : `LongTensor`
        Of the same shape; arbitrary if no output is legal.
    """

    scores: Tensor
    outputs: LongTensor


def best_of_block(block: Tensor, alone: Tensor) -> BestOutputs:
    """
    Returns the best sum of `block` and `alone` over the outputs, in at least single precision; not
    differentiable. If a sum is NaN or infinite, the best score is NaN.

    # Parameters

    block : `Tensor`
        Shape `(batch_size, rows, num_outputs, columns)`.
    alone : `Tensor`
        Shape `(batch_size, rows, num_outputs)`: the summand for every column.
    """
    _BLOCK.check(block, alone)
    block = at_least_single(block.detach()).contiguous()
    alone = alone.detach().to(block.dtype).contiguous()
    scores = block.new_empty(block.size(0), block.size(1), block.size(3))
    outputs = torch.empty(scores.shape, dtype=torch.int32, device=block.device)
    if has_kernels(block.device):
        # numba is slow to import
        from spigot_allennlp.nn.label_kernels import write_best

        write_best(block.numpy(), alone.numpy(), scores.numpy(), outputs.numpy())
        return BestOutputs(scores, outputs.long())
    if block.size(2) == 0:
        return BestOutputs(scores.fill_(-torch.inf), outputs.zero_().long())
    sums = block + alone.unsqueeze(-1)
    best = sums.max(dim=2)
    is_sound = sums.isfinite().all(dim=2)
    return BestOutputs(best.values.masked_fill(~is_sound, torch.nan), best.indices)
