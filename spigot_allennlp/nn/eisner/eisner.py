"""
Projective dependency trees: the best tree, the log-partition and a draw, by one recurrence over
spans.

[Eisner (1996)](https://aclanthology.org/C96-1058) builds a tree from spans of two kinds, each
headed by one of its ends: *incomplete* ones, whose other end is a dependent of the head, and
*complete* ones, which also hold what that dependent has on its far side. An incomplete span joins
two complete ones; a complete span is an incomplete one and a complete one. Where the tensors are
decides how: on the processor by compiled kernels, elsewhere by vectorised torch, with the same
results.
"""

from typing import Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn import analytic, recurrence
from spigot_allennlp.nn.devices import has_kernels
from spigot_allennlp.nn.eisner.sweep import span_recurrence
from spigot_allennlp.nn.tensor_checks import ARCS, check_scores


def best_projective_tree(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """
    The arcs of the highest-scoring projective tree of each sentence, as zeros and ones.

    # Parameters

    scores : `Tensor`
        Shape `(batch_size, length, length)`, indexed `[batch, dependent, head]`, position 0 being
        the root.
    mask : `BoolTensor`
        The arcs allowed, of the same shape. Tokens without any are padding.
    single_root : `bool`
        Whether the root has exactly one dependent.

    # Returns

    `Tensor`
        The shape and type of `scores`, without gradient. All zero where no tree is possible.

    # Raises

    `TypeError`, `ValueError`
        If scores or mask are anything else; see `nn/tensor_checks.py`. So do the functions below.
    """
    check_scores(ARCS, scores, mask)
    if has_kernels(scores.device):
        from spigot_allennlp.nn.eisner import processor  # numba takes its time to be imported

        return processor.best_tree(scores, mask, single_root)
    return recurrence.best(scores, mask, span_recurrence(mask, single_root))


def draw_projective_tree(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """
    A projective tree for each sentence, drawn with probability `exp <scores, z>` over the sum of
    these. Parameters and result as in `best_projective_tree`.
    """
    check_scores(ARCS, scores, mask)
    if has_kernels(scores.device):
        from spigot_allennlp.nn.eisner import processor

        return processor.draw_tree(scores, mask, single_root)
    return recurrence.draw(scores, mask, span_recurrence(mask, single_root))


def projective_log_partition(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """
    `log sum_z exp <scores, z>` over the projective trees, in nats, shape `(batch_size,)`; minus
    infinity where there is none. Differentiable twice. Computed in double precision, and returned
    in at least single. Parameters as in `best_projective_tree`.
    """
    check_scores(ARCS, scores, mask)
    if has_kernels(scores.device):
        return projective_log_partition_and_marginals(scores, mask, single_root)[0]
    total = recurrence.log_partition(scores, mask, span_recurrence(mask, single_root))
    return total.to(torch.promote_types(scores.dtype, torch.float32))


def projective_log_partition_and_marginals(
    scores: Tensor, mask: BoolTensor, single_root: bool
) -> Tuple[Tensor, Tensor]:
    """
    The log-partition and its gradient, the probabilities of arcs, of the shape and type of
    `scores`; differentiable where gradients are enabled, the former twice, the latter once.
    Parameters as in `best_projective_tree`.
    """
    check_scores(ARCS, scores, mask)
    if not has_kernels(scores.device):
        return analytic.value_and_gradient(
            lambda point: projective_log_partition(point, mask, single_root), scores
        )
    from spigot_allennlp.nn.eisner import processor

    total, marginals = processor.log_partition_and_marginals(scores, mask, single_root)
    return total.to(torch.promote_types(scores.dtype, torch.float32)), marginals
