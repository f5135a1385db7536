"""
Monotone alignments in vectorised torch: the recurrence of `alignment.py`, diagonal by diagonal
(cells with the same sum of row and column).
"""

from typing import NamedTuple

import torch
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.nn.recurrence import IMPOSSIBLE, Recurrence, Reduce, no_choice


class Cells(NamedTuple):
    """
    A cell of each instance.

    # Parameters

    rows, columns : `LongTensor`
        Shape `(batch_size,)`.
    """

    rows: LongTensor
    columns: LongTensor


def last_cells(mask: BoolTensor) -> Cells:
    """
    Returns the last row and the last column with a legal cell, from the legal cells,
    `(batch_size, rows, columns)`, with at least one row and one column; zero if no cell is legal.
    """
    rows, columns = mask.any(dim=2), mask.any(dim=1)
    return Cells(
        *(
            (used * torch.arange(used.size(1), device=mask.device)).amax(1)
            for used in (rows, columns)
        )
    )


def alignment_recurrence(mask: BoolTensor) -> Recurrence:
    """
    Returns the recurrence over the alignments of the cells in `mask`, for `nn/recurrence.py`. It
    computes zero for an instance without legal cells.
    """

    def reduced(scores: Tensor, reduce: Reduce) -> Tensor:
        batch_size, num_rows, num_columns = scores.shape
        if num_rows * num_columns == 0:
            return no_choice(scores)
        # (num_rows, num_diagonals): the column where a diagonal crosses a row, if it does
        diagonals = torch.arange(num_rows + num_columns - 1, device=scores.device)
        columns = diagonals - torch.arange(num_rows, device=scores.device).unsqueeze(1)
        is_cell = (columns >= 0) & (columns < num_columns)
        index = columns.clamp(0, num_columns - 1).expand(batch_size, -1, -1)
        by_diagonal = scores.gather(2, index).masked_fill(~is_cell, IMPOSSIBLE)
        # (batch_size, num_rows): the alignments up to each cell of two neighbouring diagonals
        before = scores.new_full((batch_size, num_rows), IMPOSSIBLE)
        here = torch.cat([by_diagonal[:, :1, 0], before[:, 1:]], dim=1)
        ending = [here]
        for diagonal in range(1, len(diagonals)):
            above = torch.nn.functional.pad(here[:, :-1], (1, 0), value=IMPOSSIBLE)
            above_left = torch.nn.functional.pad(before[:, :-1], (1, 0), value=IMPOSSIBLE)
            longer = reduce(torch.stack([above_left, above, here], dim=2))
            before, here = here, longer + by_diagonal[:, :, diagonal]
            ending.append(here)
        last = last_cells(mask)
        instances = torch.arange(batch_size, device=scores.device)
        totals = torch.stack(ending, dim=1)[instances, last.rows + last.columns, last.rows]
        # twice differentiable, even if tables of a single cell leave no choice
        return torch.where(mask.flatten(1).any(dim=1), totals, 0) + no_choice(scores)

    return reduced
