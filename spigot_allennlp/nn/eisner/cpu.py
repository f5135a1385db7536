"""Projective trees on the CPU: tensors to and from the kernels. Arguments as in `eisner.py`."""

from typing import Any, Callable

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.eisner import kernels, sums
from spigot_allennlp.nn.kernel_calls import (
    TreeInference,
    num_tree_steps,
    parts_by_kernel,
)
from spigot_allennlp.nn.semirings.batching import DOUBLE_LANES, SINGLE_LANES, call_in_groups


def best_tree(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """Returns the best tree of each sentence, in the type of `scores`."""
    is_single = scores.dtype != torch.float64
    call = _call_in_single_lanes if is_single else _call_in_double_lanes
    return parts_by_kernel(call, kernels.best_trees, scores, mask, single_root)


def sample_tree(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """Returns a random tree for each sentence, in the type of `scores`."""
    uniforms = scores.new_empty(scores.size(0), 2 * scores.size(1), dtype=torch.double).uniform_()
    others = single_root, uniforms
    return parts_by_kernel(_call_in_double_lanes, kernels.sample_trees, scores, mask, *others)


class ProjectiveTreeInference(TreeInference):
    """Sums over projective trees; `single_root` as in `TreeInference`."""

    def __init__(self, single_root: bool) -> None:
        super().__init__(sums, single_root)


def _call_in_single_lanes(kernel: Callable, *arguments: Any) -> None:
    """Calls a kernel that computes in single precision, where a group has more sentences."""
    call_in_groups(kernel, SINGLE_LANES, num_tree_steps, *arguments)


def _call_in_double_lanes(kernel: Callable, *arguments: Any) -> None:
    """Calls a kernel that computes in double precision."""
    call_in_groups(kernel, DOUBLE_LANES, num_tree_steps, *arguments)
