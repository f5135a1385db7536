"""
How memories that were selected by their scores share one unit of attention.

Rows hold the scores of what was selected, in descending order: at most `top_k` that are kept and,
where there are more memories than that, the runner-up, whose score is the threshold. `present`
says which of them exist (`None`: all); the others have weight zero.
"""

from typing import Callable, Dict, Optional

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.tensor_checks import FLOATS, TRUTH_VALUES, Argument, Signature

_SELECTED = Signature(
    Argument("scores", FLOATS, ("batch_size", "selected")),
    Argument("present", TRUTH_VALUES, ("batch_size", "selected"), True),
)

# Scores `(batch_size, selected)`, top_k, smoothing, present; to `(batch_size, kept)`.
Weights = Callable[[Tensor, int, float, Optional[BoolTensor]], Tensor]


def threshold_weights(
    scores: Tensor, top_k: int, smoothing: float, present: Optional[BoolTensor] = None
) -> Tensor:
    """
    What each score exceeds the threshold by, normalised: the rule of
    [Ke et al. (2018)](https://arxiv.org/abs/1809.03702). The threshold is the score of the
    runner-up or, if there is none, the lowest.

    The excess alone cannot be normalised where all scores are the same (or one memory is all there
    is), and its gradient is as steep as the scores are close; so `smoothing`, in units of the
    score, is shared out equally among those kept, and belongs to the sum. Exactly `top_k` weights
    are positive, or as many as there are memories, and they sum to one.
    """
    _SELECTED.check(scores, present)
    kept = scores[..., :top_k]
    if present is None:
        excess = (kept - scores[..., -1:]).clamp(min=0)
        return (excess + smoothing / kept.size(-1)) / (excess.sum(dim=-1, keepdim=True) + smoothing)
    threshold = scores.masked_fill(~present, torch.inf).amin(dim=-1, keepdim=True)
    is_kept = present[..., :top_k]
    excess = (kept - threshold).masked_fill(~is_kept, 0).clamp(min=0)
    number = is_kept.sum(dim=-1, keepdim=True).clamp(min=1)
    share = smoothing * is_kept.to(scores.dtype) / number
    return (excess + share) / (excess.sum(dim=-1, keepdim=True) + smoothing)


def softmax_weights(
    scores: Tensor, top_k: int, smoothing: float, present: Optional[BoolTensor] = None
) -> Tensor:
    """The softmax of the scores that are kept; the runner-up and `smoothing` play no part."""
    _SELECTED.check(scores, present)
    kept = scores[..., :top_k]
    if present is None:
        return kept.softmax(dim=-1)
    is_kept = present[..., :top_k]
    lowest = torch.finfo(kept.dtype).min
    return kept.masked_fill(~is_kept, lowest).softmax(dim=-1) * is_kept


WEIGHTS: Dict[str, Weights] = {"threshold": threshold_weights, "softmax": softmax_weights}
