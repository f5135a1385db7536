"""
Matchings between rows and columns: finds the best one, and tells which vertices are matchings.

A part is a pair of a row and a column. A row or column without a legal pair is padding. A matching
uses no row and no column twice, and covers the smaller side completely: in a square, all rows and
all columns have a partner.

A compiled kernel computes the best matching on the CPU, wherever the tensors are.
"""

from typing import NamedTuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.devices import call_in_threads, parts_for_threads
from spigot_allennlp.nn.instances import are_choices, at_least_single
from spigot_allennlp.nn.tensor_checks import (
    ANY_TYPE,
    PAIRS,
    TRUTH_VALUES,
    Argument,
    Signature,
    check_scores,
)
from spigot_allennlp.nn.transforms import check_untransformed

# Rows times columns of all instances. From this number on, a second thread gains more than it
# costs.
MANY_PAIRS = 20_000

_VERTEX = Signature(
    Argument("vertex", ANY_TYPE, ("batch_size", "rows", "columns")),
    Argument("mask", TRUTH_VALUES, ("batch_size", "rows", "columns")),
)


class _Sides(NamedTuple):
    """
    The rows and columns that are not padding.

    # Parameters

    rows : `BoolTensor`
        Shape `(batch_size, rows)`: those that are not padding.
    columns : `BoolTensor`
        Shape `(batch_size, columns)`, likewise.
    all_rows : `BoolTensor`
        Shape `(batch_size, 1)`: whether there are at most as many rows as columns, so that every
        row has a partner.
    all_columns : `BoolTensor`
        Shape `(batch_size, 1)`, likewise.
    """

    rows: BoolTensor
    columns: BoolTensor
    all_rows: BoolTensor
    all_columns: BoolTensor


def best_matching(scores: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns the highest-scoring matching of each instance, as zeros and ones.

    # Parameters

    scores : `Tensor`
        Shape `(batch_size, rows, columns)`. A pair that scores minus infinity is impossible.
    mask : `BoolTensor`
        The legal pairs, of the same shape.

    # Returns

    `Tensor`
        The same shape and type as `scores`, without gradient. All zero if no matching is possible.

    # Raises

    `TypeError`, `ValueError`
        If scores or mask are anything else; see `nn/tensor_checks.py`.
    """
    check_scores(PAIRS, scores, mask)
    check_untransformed("a structure", scores)
    from spigot_allennlp.nn.matching import kernels  # numba is slow to import

    on_cpu = at_least_single(scores.detach()).cpu().contiguous()
    matchings = torch.zeros_like(on_cpu)
    arrays = [tensor.numpy() for tensor in (on_cpu, mask.cpu().contiguous(), matchings)]

    def match_part(part: range) -> None:
        kernels.best_matchings(*(array[part.start : part.stop] for array in arrays))

    call_in_threads(match_part, parts_for_threads(len(scores)), scores.numel() > MANY_PAIRS)
    return matchings.to(scores)


def are_matchings(vertex: Tensor, mask: BoolTensor) -> BoolTensor:
    """
    Tells which instances of `vertex`, of any type, are matchings of legal pairs: shape
    `(batch_size,)`. `vertex` and the legal pairs have the shape `(batch_size, rows, columns)`. An
    instance that is all padding has one matching, which is empty.
    """
    _VERTEX.check(vertex, mask)
    sides, chosen = _sides(mask), vertex == 1
    of_rows, of_columns = chosen.sum(dim=2), chosen.sum(dim=1)
    has_all_rows = ((of_rows == 1) | ~(sides.rows & sides.all_rows)).all(dim=1)
    has_all_columns = ((of_columns == 1) | ~(sides.columns & sides.all_columns)).all(dim=1)
    has_none_twice = (of_rows <= 1).all(dim=1) & (of_columns <= 1).all(dim=1)
    return are_choices(vertex, mask) & has_all_rows & has_all_columns & has_none_twice


def _sides(mask: BoolTensor) -> _Sides:
    """Returns the rows and columns in a mask, `(batch_size, rows, columns)`."""
    rows, columns = mask.any(dim=2), mask.any(dim=1)
    num_rows, num_columns = rows.sum(dim=1, keepdim=True), columns.sum(dim=1, keepdim=True)
    return _Sides(rows, columns, num_rows <= num_columns, num_columns <= num_rows)
