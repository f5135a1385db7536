"""
Monotone alignments: the best alignment, the log-partition and samples, by one recurrence over the
cells of a table.

An alignment is a path from the first cell of a table to the last. Each step goes to the next row,
to the next column, or to both, as in dynamic time warping. Its parts are the cells that it visits.
The table of an instance ends with the last row, and with the last column, that has a legal cell.
Compiled kernels handle tensors on the CPU, vectorised torch those on other devices; the best
alignment and the sums are the same, but a seed gives different samples.
"""

from typing import Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn import closed_form_autograd, recurrence
from spigot_allennlp.nn.alignment.torch_fallback import alignment_recurrence, last_cells
from spigot_allennlp.nn.devices import has_kernels
from spigot_allennlp.nn.instances import are_choices
from spigot_allennlp.nn.tensor_checks import (
    ANY_TYPE,
    PAIRS,
    TRUTH_VALUES,
    Argument,
    Signature,
    check_scores,
)

_VERTEX = Signature(
    Argument("vertex", ANY_TYPE, ("batch_size", "rows", "columns")),
    Argument("mask", TRUTH_VALUES, ("batch_size", "rows", "columns")),
)


def best_alignment(scores: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns the cells of the highest-scoring alignment, as zeros and ones.

    # Parameters

    scores : `Tensor`
        Shape `(batch_size, rows, columns)`.
    mask : `BoolTensor`
        The legal cells, of the same shape. Rows and columns without any are padding, if they come
        after all others.

    # Returns

    `Tensor`
        The same shape and type as `scores`, without gradient. All zero if no alignment is possible.

    # Raises

    `TypeError`, `ValueError`
        If scores or mask are anything else; see `nn/tensor_checks.py`. This also holds for the
        functions below.
    """
    check_scores(PAIRS, scores, mask)
    if has_kernels(scores.device):
        from spigot_allennlp.nn.alignment import cpu  # numba is slow to import

        return cpu.best_alignment(scores, mask)
    return recurrence.best(scores, mask, alignment_recurrence(mask))


def sample_alignment(scores: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns a random alignment `z` of each instance, with probability `exp <scores, z>` divided by
    the sum of these terms over all alignments. Parameters and result as in `best_alignment`.
    """
    check_scores(PAIRS, scores, mask)
    if has_kernels(scores.device):
        from spigot_allennlp.nn.alignment import cpu

        return cpu.sample_alignment(scores, mask)
    return recurrence.sample(scores, mask, alignment_recurrence(mask))


def alignment_log_partition(scores: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns `log sum_z exp <scores, z>` over the alignments, in nats, shape `(batch_size,)`; minus
    infinity if there are none. It is twice differentiable, computed in double precision, and
    returned in at least single precision. Parameters as in `best_alignment`.
    """
    check_scores(PAIRS, scores, mask)
    if has_kernels(scores.device):
        return alignment_log_partition_and_marginals(scores, mask)[0]
    total = recurrence.log_partition(scores, mask, alignment_recurrence(mask))
    return total.to(torch.promote_types(scores.dtype, torch.float32))


def alignment_log_partition_and_marginals(
    scores: Tensor, mask: BoolTensor
) -> Tuple[Tensor, Tensor]:
    """
    Returns the log-partition and its gradient, the probabilities of cells, in the shape and type of
    `scores`. If gradients are enabled, the former is twice differentiable, the latter once.
    Parameters as in `best_alignment`.
    """
    check_scores(PAIRS, scores, mask)
    if not has_kernels(scores.device):
        return closed_form_autograd.value_and_gradient(alignment_log_partition, scores, mask)
    from spigot_allennlp.nn.alignment import cpu

    total, marginals = closed_form_autograd.log_partition_and_marginals(
        scores, mask, cpu.AlignmentInference()
    )
    return total.to(torch.promote_types(scores.dtype, torch.float32)), marginals


def are_alignments(vertex: Tensor, mask: BoolTensor) -> BoolTensor:
    """
    Tells which instances of `vertex`, of any type, are alignments of legal cells: shape
    `(batch_size,)`. `vertex` and the legal cells have the shape `(batch_size, rows, columns)`. An
    instance without legal cells has one alignment, which is empty.
    """
    _VERTEX.check(vertex, mask)
    batch_size, num_rows, num_columns = mask.shape
    if num_rows * num_columns == 0:
        return mask.new_ones(batch_size)
    chosen = vertex == 1
    rows = torch.arange(num_rows, device=mask.device).unsqueeze(1)
    columns = torch.arange(num_columns, device=mask.device)
    last = last_cells(mask)
    is_last = (rows == last.rows[:, None, None]) & (columns == last.columns[:, None, None])
    next_row = torch.nn.functional.pad(chosen[:, 1:], (0, 0, 0, 1))
    next_column, next_both = (
        torch.nn.functional.pad(tensor[..., 1:], (0, 1)) for tensor in (chosen, next_row)
    )
    goes_on = (next_row | next_column | next_both | is_last | ~chosen).flatten(1).all(dim=1)
    # An alignment visits at most one cell of a diagonal.
    of_diagonals = mask.new_zeros(batch_size, num_rows + num_columns - 1, dtype=torch.long)
    of_diagonals.index_add_(1, (rows + columns).flatten(), chosen.flatten(1).long())
    has_ends = chosen[:, 0, 0] & (chosen & is_last).flatten(1).any(dim=1)
    is_path = goes_on & (of_diagonals <= 1).all(dim=1) & has_ends
    is_padding = ~mask.flatten(1).any(dim=1)
    return are_choices(vertex, mask) & (is_path | is_padding)
