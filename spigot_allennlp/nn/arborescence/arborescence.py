"""
Dependency trees, with or without crossing arcs, that is, spanning arborescences: the best tree, the
log-partition and samples.

Three classic algorithms share the idea that cycles are resolved as they arise: the contraction of
[Tarjan (1977)](https://doi.org/10.1002/net.3230070103) finds the best tree; the elimination of
[Grassmann et al. (1985)](https://doi.org/10.1287/opre.33.5.1107) sums over all trees, instead of
the usual determinant of a Laplacian; and the walk of [Wilson
(1996)](https://doi.org/10.1145/237814.237880) samples a tree. On the CPU, compiled kernels compute
all three. On other devices, vectorised torch computes the sums, with the same results; for the
other two, the scores are copied to the CPU.
"""

from typing import Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn import closed_form_autograd
from spigot_allennlp.nn.arborescence.torch_fallback import LogarithmicInference
from spigot_allennlp.nn.devices import has_kernels
from spigot_allennlp.nn.tensor_checks import ARCS, check_scores
from spigot_allennlp.nn.transforms import has_tangent


def best_arborescence(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """
    Returns the arcs of the highest-scoring tree of each sentence, as zeros and ones.

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
    from spigot_allennlp.nn.arborescence import cpu  # numba is slow to import

    return cpu.best_tree(scores.detach().cpu(), mask.cpu(), single_root).to(scores.device)


def sample_arborescence(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """
    Returns a random tree `z` for each sentence, with probability `exp <scores, z>` divided by the
    sum of these terms over all trees, from torch's default generator. Parameters and result as in
    `best_arborescence`.
    """
    check_scores(ARCS, scores, mask)
    if scores.size(1) == 0:
        return torch.zeros_like(scores)
    from spigot_allennlp.nn.arborescence import cpu

    return cpu.sample_tree(scores.detach().cpu(), mask.cpu(), single_root).to(scores.device)


def arborescence_log_partition(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """
    Returns `log sum_z exp <scores, z>` over all trees, in nats, shape `(batch_size,)`; minus
    infinity if there are none. It is twice differentiable, computed in double precision, and
    returned in at least single precision. Parameters as in `best_arborescence`.
    """
    check_scores(ARCS, scores, mask)
    is_differentiated = torch.is_grad_enabled() and scores.requires_grad or has_tangent(scores)
    if has_kernels(scores.device) and not is_differentiated:
        from spigot_allennlp.nn.arborescence import cpu

        total = cpu.log_partition(scores, mask, single_root)
        return total.to(torch.promote_types(scores.dtype, torch.float32))
    return arborescence_log_partition_and_marginals(scores, mask, single_root)[0]


def arborescence_log_partition_and_marginals(
    scores: Tensor, mask: BoolTensor, single_root: bool
) -> Tuple[Tensor, Tensor]:
    """
    Returns the log-partition and its gradient, the probabilities of arcs, in the shape and type of
    `scores`. If gradients are enabled, the former is twice differentiable, the latter once.
    Parameters as in `best_arborescence`.
    """
    check_scores(ARCS, scores, mask)
    inference: closed_form_autograd.Inference = LogarithmicInference(single_root)
    if has_kernels(scores.device):
        from spigot_allennlp.nn.arborescence import cpu

        inference = cpu.ArborescenceInference(single_root)
    total, marginals = closed_form_autograd.log_partition_and_marginals(scores, mask, inference)
    return total.to(torch.promote_types(scores.dtype, torch.float32)), marginals
