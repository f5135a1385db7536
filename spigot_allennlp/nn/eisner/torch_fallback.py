"""
Projective trees in vectorised torch: the recurrence of `eisner.py`, width by width.

All spans of one width, in all sentences of a batch, are computed at once. So the recurrence takes
`length` steps, and `O(batch_size * length^3)` work in all.
"""

from typing import List, Tuple

import torch
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.nn.arcs import lengths_from_arc_mask
from spigot_allennlp.nn.recurrence import IMPOSSIBLE, Recurrence, Reduce, no_choice


def span_recurrence(mask: BoolTensor, single_root: bool) -> Recurrence:
    """
    Returns the recurrence over the trees of the arcs in `mask`, for `nn/recurrence.py`. It computes
    zero for an empty sentence.
    """

    def reduced(scores: Tensor, reduce: Reduce) -> Tensor:
        if scores.size(1) < 2:
            return no_choice(scores)
        lengths = lengths_from_arc_mask(mask)
        if not single_root:
            right, _ = _complete_spans(scores, reduce)
            return _at(right[:, 0], lengths)
        right, left = _complete_spans(scores[:, 1:, 1:], reduce)
        # (batch_size, length - 1): the span of the whole sentence headed by each token, and its arc
        # from the root
        headed_here = left.diagonal(dim1=1, dim2=2) + _ending_at(right, lengths) + scores[:, 1:, 0]
        beyond = torch.arange(headed_here.size(1), device=mask.device) >= lengths.unsqueeze(1)
        total = reduce(headed_here.masked_fill(beyond, IMPOSSIBLE))
        return total.masked_fill(lengths == 0, 0)

    return reduced


def _complete_spans(scores: Tensor, reduce: Reduce) -> Tuple[Tensor, Tensor]:
    """
    Returns the complete spans `right[:, i, w]` from i to i + w, headed by i, and `left[:, j, w]`
    from j - w to j, headed by j, each of shape `(batch_size, size, size)`. Impossible ones hold
    `IMPOSSIBLE`.
    """
    batch_size, size, _ = scores.shape
    single = scores.new_zeros(batch_size, size, 1)
    # Spans are stored by the position of their first or last word, then by width, so each width
    # only needs slices.
    right_by_start, right_by_end = single, single
    left_by_start, left_by_end = single, single
    arcs_right_by_start: List[Tensor] = []
    arcs_left_by_end: List[Tensor] = []
    for width in range(1, size):
        spans = size - width
        # (batch_size, spans, width): over the split point; both arcs between i and j join the same
        # two halves
        joined = reduce(right_by_start[:, :spans, :width] + left_by_end[:, width:, :width].flip(-1))
        arc_right = joined + scores.diagonal(-width, 1, 2)  # i -> j: dependent j = i + width
        arc_left = joined + scores.diagonal(width, 1, 2)  # j -> i
        arcs_right_by_start.append(_pad_end(arc_right, width))
        arcs_left_by_end.append(_pad_start(arc_left, width))
        rights = torch.stack(arcs_right_by_start, dim=-1)[:, :spans]
        lefts = torch.stack(arcs_left_by_end, dim=-1)[:, width:]
        complete_right = reduce(rights + right_by_end[:, width:, :width].flip(-1))
        complete_left = reduce(left_by_start[:, :spans, :width].flip(-1) + lefts)
        right_by_start = _append(right_by_start, _pad_end(complete_right, width))
        right_by_end = _append(right_by_end, _pad_start(complete_right, width))
        left_by_start = _append(left_by_start, _pad_end(complete_left, width))
        left_by_end = _append(left_by_end, _pad_start(complete_left, width))
    return right_by_start, left_by_end


def _at(values: Tensor, index: LongTensor) -> Tensor:
    """Returns `values[b, index[b]]` for each b."""
    return values.gather(1, index.unsqueeze(1)).squeeze(1)


def _ending_at(right: Tensor, lengths: LongTensor) -> Tensor:
    """
    Returns, from `right[:, i, width]`, the spans that reach the last token, shape
    `(batch_size, size)`.
    """
    starts = torch.arange(right.size(1), device=right.device)
    width = (lengths.unsqueeze(1) - 1 - starts).clamp(min=0)
    return right.gather(2, width.unsqueeze(2)).squeeze(2)


def _append(chart: Tensor, spans: Tensor) -> Tensor:
    """Returns a chart with the spans of the next width."""
    return torch.cat([chart, spans.unsqueeze(-1)], dim=-1)


def _pad_end(spans: Tensor, width: int) -> Tensor:
    """Pads spans stored by their first word: none begins at the last `width` words."""
    return torch.nn.functional.pad(spans, (0, width), value=IMPOSSIBLE)


def _pad_start(spans: Tensor, width: int) -> Tensor:
    """Pads spans stored by their last word: none ends at the first `width` words."""
    return torch.nn.functional.pad(spans, (width, 0), value=IMPOSSIBLE)
