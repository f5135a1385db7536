"""
Chains of tags: the best sequence, the log-partition and samples, by one recurrence from left to
right.

A part of a chain is the tag of a token together with the tag of the previous token. Compiled
kernels handle tensors on the CPU, vectorised torch those on other devices; their results are the
same.
"""

from typing import Optional, Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn import closed_form_autograd, recurrence
from spigot_allennlp.nn.chain.torch_fallback import chain_recurrence
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
    Argument("transitions", FLOATS, ("...", "num_tags", "num_tags"), is_optional=True),
)


def chain_scores(unary: Tensor, transitions: Optional[Tensor] = None) -> Tensor:
    """
    Returns the scores of parts, from those of tags and of transitions between tags; differentiable.

    # Parameters

    unary : `Tensor`
        Shape `(batch_size, length, num_tags)`, position 0 being the root, which is ignored.
    transitions : `Tensor`, optional
        Shape `(num_tags, num_tags)`, indexed `[tag, previous]`, or with leading dimensions for
        batch and position. No transition leads to the first token; add scores for the beginning of
        a sequence to those of its tags.

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
    Returns the parts of the highest-scoring sequence of tags, as zeros and ones.

    # Parameters

    scores : `Tensor`
        Shape `(batch_size, length, tag, previous)`, position 0 being the root. The predecessor of
        the first token counts as tag 0.
    mask : `BoolTensor`
        The legal parts, of the same shape. Positions without any are padding.

    # Returns

    `Tensor`
        The same shape and type as `scores`, without gradient. All zero if no sequence is possible.

    # Raises

    `TypeError`, `ValueError`
        If scores or mask are anything else; see `nn/tensor_checks.py`. This also holds for the
        functions below.
    """
    check_scores(TAG_PAIRS, scores, mask)
    if has_kernels(scores.device):
        from spigot_allennlp.nn.chain import cpu  # numba is slow to import

        return cpu.best_sequence(scores, mask)
    return recurrence.best(scores, mask, chain_recurrence(mask))


def sample_sequence(scores: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns a random sequence of tags `z` for each sentence, with probability `exp <scores, z>`
    divided by the sum of these terms over all sequences. Parameters and result as in
    `best_sequence`.
    """
    check_scores(TAG_PAIRS, scores, mask)
    if has_kernels(scores.device):
        from spigot_allennlp.nn.chain import cpu

        return cpu.sample_sequence(scores, mask)
    return recurrence.sample(scores, mask, chain_recurrence(mask))


def chain_log_partition(scores: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns `log sum_z exp <scores, z>` over the sequences of tags, in nats, shape `(batch_size,)`;
    minus infinity if there are none. It is twice differentiable, computed in double precision, and
    returned in at least single precision. Parameters as in `best_sequence`.
    """
    check_scores(TAG_PAIRS, scores, mask)
    if has_kernels(scores.device):
        return chain_log_partition_and_marginals(scores, mask)[0]
    total = recurrence.log_partition(scores, mask, chain_recurrence(mask))
    return total.to(torch.promote_types(scores.dtype, torch.float32))


def chain_log_partition_and_marginals(scores: Tensor, mask: BoolTensor) -> Tuple[Tensor, Tensor]:
    """
    Returns the log-partition and its gradient, the probabilities of parts, in the shape and type of
    `scores`. If gradients are enabled, the former is twice differentiable, the latter once.
    Parameters as in `best_sequence`.
    """
    check_scores(TAG_PAIRS, scores, mask)
    if not has_kernels(scores.device):
        return closed_form_autograd.value_and_gradient(chain_log_partition, scores, mask)
    from spigot_allennlp.nn.chain import cpu

    total, marginals = closed_form_autograd.log_partition_and_marginals(
        scores, mask, cpu.ChainInference()
    )
    return total.to(torch.promote_types(scores.dtype, torch.float32)), marginals
