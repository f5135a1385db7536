"""
Projective dependency trees: the best tree, the log-partition and samples, by one recurrence over
spans.

[Eisner (1996)](https://aclanthology.org/C96-1058) builds a tree from spans of two kinds, each
headed by one of its ends: in *incomplete* spans, the other end is a dependent of the head;
*complete* spans also include everything on the far side of that dependent. An incomplete span joins
two complete ones; a complete span joins an incomplete one and a complete one. Compiled kernels
handle tensors on the CPU, vectorised torch those on other devices; their results are the same.
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
        The same shape and type as `scores`, without gradient. All zero if no tree is possible.

    # Raises

    `TypeError`, `ValueError`
        If scores or mask are anything else; see `nn/tensor_checks.py`. This also holds for the
        functions below.
    """
    check_scores(ARCS, scores, mask)
    if has_kernels(scores.device):
        from spigot_allennlp.nn.eisner import cpu  # numba is slow to import

        return cpu.best_tree(scores, mask, single_root)
    return recurrence.best(scores, mask, span_recurrence(mask, single_root))


def sample_projective_tree(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """
    Returns a random projective tree `z` for each sentence, with probability `exp <scores, z>`
    divided by the sum of these terms over all trees. Parameters and result as in
    `best_projective_tree`.
    """
    check_scores(ARCS, scores, mask)
    if has_kernels(scores.device):
        from spigot_allennlp.nn.eisner import cpu

        return cpu.sample_tree(scores, mask, single_root)
    return recurrence.sample(scores, mask, span_recurrence(mask, single_root))


def projective_log_partition(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """
    Returns `log sum_z exp <scores, z>` over the projective trees, in nats, shape `(batch_size,)`;
    minus infinity if there are none. It is twice differentiable, computed in double precision, and
    returned in at least single precision. Parameters as in `best_projective_tree`.
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
    Returns the log-partition and its gradient, the probabilities of arcs, in the shape and type of
    `scores`. If gradients are enabled, the former is twice differentiable, the latter once.
    Parameters as in `best_projective_tree`.
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
