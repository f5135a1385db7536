"""
Projective dependency trees: the best tree, the log-partition and samples, by one recurrence over
spans.

[Eisner (1996)](https://aclanthology.org/C96-1058) builds a tree from spans of two kinds, each
headed by one of its ends: *incomplete* ones, whose other end is a dependent of the head, and
*complete* ones, which also hold what that dependent has on its far side. An incomplete span joins
two complete ones; a complete span is an incomplete one and a complete one. Compiled kernels compute
with tensors on the CPU, vectorised torch with those on other devices; their results are the same.
"""

from functools import partial
from typing import Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn import closed_form_autograd, recurrence
from spigot_allennlp.nn.devices import has_kernels
from spigot_allennlp.nn.eisner.torch_fallback import span_recurrence
from spigot_allennlp.nn.tensor_checks import ARCS, check_scores


def best_projective_tree(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """
    Returns the arcs of the highest-scoring projective tree of each sentence, as zeros and ones.

    # Parameters

    scores : `Tensor`
        Shape `(batch_size, length, length)`, indexed `[batch, dependent, head]`, position 0 being
        the root; in nats.
    mask : `BoolTensor`
        The legal arcs, of the same shape. Tokens without any are padding.
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
        from spigot_allennlp.nn.eisner import cpu  # numba takes its time to be imported

        return cpu.best_tree(scores, mask, single_root)
    return recurrence.best(scores, mask, span_recurrence(mask, single_root))


def sample_projective_tree(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """
    Returns a random projective tree `z` for each sentence, with probability `exp <scores, z>`
    divided by the sum of these over all trees. Parameters and result as in `best_projective_tree`.
    """
    check_scores(ARCS, scores, mask)
    if has_kernels(scores.device):
        from spigot_allennlp.nn.eisner import cpu

        return cpu.sample_tree(scores, mask, single_root)
    return recurrence.sample(scores, mask, span_recurrence(mask, single_root))


def projective_log_partition(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """
    Returns `log sum_z exp <scores, z>` over the projective trees, in nats, shape `(batch_size,)`;
    minus infinity where there is none. It is differentiable twice, computed in double precision and
    returned in at least single. Parameters as in `best_projective_tree`.
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
    Returns the log-partition and its gradient, the probabilities of arcs, which has the shape and
    type of `scores`. Where gradients are enabled the former is differentiable twice, the latter
    once. Parameters as in `best_projective_tree`.
    """
    check_scores(ARCS, scores, mask)
    if not has_kernels(scores.device):
        return closed_form_autograd.value_and_gradient(
            partial(projective_log_partition, single_root=single_root), scores, mask
        )
    from spigot_allennlp.nn.eisner import cpu

    total, marginals = closed_form_autograd.log_partition_and_marginals(
        scores, mask, cpu.ProjectiveTreeInference(single_root)
    )
    return total.to(torch.promote_types(scores.dtype, torch.float32)), marginals
