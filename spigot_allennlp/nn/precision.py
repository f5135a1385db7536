"""How many bits a computation needs, whatever the type of what it is given."""

import torch
from torch import Tensor


def at_least_single(tensor: Tensor) -> Tensor:
    """
    `tensor` itself, or its copy in single precision where it has half precision; differentiable.
    """
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
