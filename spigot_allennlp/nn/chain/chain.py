"""
Chains of tags: the best sequence, the log-partition and a draw, by one recurrence from left to
right.

A part of a chain is the tag of a token together with the tag of the token before it. Where the
tensors are decides how: on the processor by compiled kernels, elsewhere by vectorised torch, with
the same results.
"""

from typing import Optional, Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn import analytic, recurrence
from spigot_allennlp.nn.chain.sweep import chain_recurrence
from spigot_allennlp.nn.devices import has_kernels
from spigot_allennlp.nn.tensor_checks import (
    FLOATS,
    TAG_PAIRS,
    Argument,
    Signature,
    check_scores,
)

_TAGS = Signature(
    Argument("unary", FLOATS, ("batch_size", "length", "num_tags")),
    Argument("transitions", FLOATS, ("...", "num_tags", "num_tags"), True),
)


def chain_scores(unary: Tensor, transitions: Optional[Tensor] = None) -> Tensor:
    """
    The scores of parts from those of tags and of transitions between them; differentiable.

    # Parameters

    unary : `Tensor`
        Shape `(batch_size, length, num_tags)`, position 0 being the root, which counts for nothing.
    transitions : `Tensor`, optional
        Shape `(num_tags, num_tags)`, indexed `[tag, previous]`, or with dimensions for batch and
        position in front. No transition leads to the first token: how a sequence likes to begin is
        to be added to the scores of its tags.

    # Returns

    `Tensor`
        Shape `(batch_size, length, tag, previous)`.
    """
    _TAGS.check(unary, transitions)
    length, num_tags = unary.shape[1:]
    scores = unary.unsqueeze(-1).expand(-1, -1, -1, num_tags)
    if transitions is None:
        return scores
    try:
        torch.broadcast_shapes(scores.shape, transitions.shape)
    except RuntimeError:
        raise ValueError(
            "Expected transitions of shape (num_tags, num_tags), perhaps with dimensions for batch "
            f"and position in front, for unary of shape {tuple(unary.shape)}, but found shape "
            f"{tuple(transitions.shape)}."
        ) from None
    # (length, 1, 1)
    is_later = (torch.arange(length, device=unary.device) > 1).reshape(-1, 1, 1)
    return scores + torch.where(is_later, transitions, 0)


def best_sequence(scores: Tensor, mask: BoolTensor) -> Tensor:
    """
    The parts of the highest-scoring sequence of tags, as zeros and ones.

    # Parameters

    scores : `Tensor`
        Shape `(batch_size, length, tag, previous)`, position 0 being the root. What precedes the
        first token counts as tag 0.
    mask : `BoolTensor`
        The parts allowed, of the same shape. Positions without any are padding.

    # Returns

    `Tensor`
        The shape and type of `scores`, without gradient. All zero where no sequence is possible.

    # Raises

    `TypeError`, `ValueError`
        If scores or mask are anything else; see `nn/tensor_checks.py`. So do the functions below.
    """
    check_scores(TAG_PAIRS, scores, mask)
    if has_kernels(scores.device):
        from spigot_allennlp.nn.chain import processor  # numba takes its time to be imported

        return processor.best_sequence(scores, mask)
    return recurrence.best(scores, mask, chain_recurrence(mask))


def draw_sequence(scores: Tensor, mask: BoolTensor) -> Tensor:
    """
    A sequence of tags, drawn with probability `exp <scores, z>` over the sum of these. Parameters
    and result as in `best_sequence`.
    """
    check_scores(TAG_PAIRS, scores, mask)
    if has_kernels(scores.device):
        from spigot_allennlp.nn.chain import processor

        return processor.draw_sequence(scores, mask)
    return recurrence.draw(scores, mask, chain_recurrence(mask))


def chain_log_partition(scores: Tensor, mask: BoolTensor) -> Tensor:
    """
    `log sum_z exp <scores, z>` over the sequences of tags, in nats, shape `(batch_size,)`; minus
    infinity where there is none. Differentiable twice. Computed in double precision, and returned
    in at least single. Parameters as in `best_sequence`.
    """
    check_scores(TAG_PAIRS, scores, mask)
    if has_kernels(scores.device):
        return chain_log_partition_and_marginals(scores, mask)[0]
    total = recurrence.log_partition(scores, mask, chain_recurrence(mask))
    return total.to(torch.promote_types(scores.dtype, torch.float32))


def chain_log_partition_and_marginals(scores: Tensor, mask: BoolTensor) -> Tuple[Tensor, Tensor]:
    """
    The log-partition and its gradient, the probabilities of parts, of the shape and type of
    `scores`; differentiable where gradients are enabled, the former twice, the latter once.
    Parameters as in `best_sequence`.
    """
    check_scores(TAG_PAIRS, scores, mask)
    if not has_kernels(scores.device):
        return analytic.value_and_gradient(lambda point: chain_log_partition(point, mask), scores)
    from spigot_allennlp.nn.chain import processor

    total, marginals = processor.log_partition_and_marginals(scores, mask)
    return total.to(torch.promote_types(scores.dtype, torch.float32)), marginals
