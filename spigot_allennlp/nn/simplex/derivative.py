"""
How the Euclidean projections onto the box, the simplex and the capped simplex move.

A projection is linear on every face: along it what is projected carries its projection along, at
right angles to it it does not. `point` is where the projection is now, `direction` where that which
is projected goes; entries off a mask are zero in `point`, and in the result. Each matrix is
symmetric, so that these are the backward passes, too. On the edge between two faces, where there is
no derivative, it is that of the smaller one.
"""

import torch
from torch import Tensor

from spigot_allennlp.nn.tensor_checks import ROWS, check_pair


def box_derivative(point: Tensor, direction: Tensor) -> Tensor:
    """Onto `0 <= z <= 1`, elementwise: what is inside moves."""
    check_pair(("point", "direction"), ROWS, point, direction)
    return direction.masked_fill((point <= 0) | (point >= 1), 0)


def simplex_derivative(point: Tensor, direction: Tensor) -> Tensor:
    """
    Onto `{z >= 0, sum z = 1}` in each row of the last dimension: on the support, `direction`
    without its mean there ([Martins & Astudillo, 2016](https://arxiv.org/abs/1602.02068), equation
    11).
    """
    check_pair(("point", "direction"), ROWS, point, direction)
    support = point > 0
    moved = direction.masked_fill(~support, 0)
    mean = moved.sum(dim=-1, keepdim=True) / support.sum(dim=-1, keepdim=True).clamp(min=1)
    return (moved - mean).masked_fill(~support, 0)


def capped_simplex_derivative(point: Tensor, direction: Tensor) -> Tensor:
    """
    Onto `{z >= 0, sum z <= 1}` in each row of the last dimension: as onto the simplex where the
    bound is reached, up to rounding, and otherwise `direction` on the support.
    """
    check_pair(("point", "direction"), ROWS, point, direction)
    rounding = point.size(-1) * torch.finfo(point.dtype).eps
    reached = point.sum(dim=-1, keepdim=True) >= 1 - rounding
    free = direction.masked_fill(point <= 0, 0)
    return torch.where(reached, simplex_derivative(point, direction), free)
