"""How many bits a computation needs, whatever the type of what it is given."""

import torch
from torch import Tensor

from spigot_allennlp.nn.tensor_checks import FLOATS


def at_least_single(tensor: Tensor) -> Tensor:
    """
    `tensor` itself, or its copy in single precision where it has half precision; differentiable.
    """
    if tensor.dtype is torch.float32 or tensor.dtype is torch.float64:
        return tensor
    if tensor.dtype not in FLOATS:
        raise TypeError(f"Expected floating point numbers, but found {tensor.dtype}.")
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
