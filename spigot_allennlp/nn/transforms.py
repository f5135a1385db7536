"""
Tells which tensors are under a transform of `torch.func`, where kernels cannot read numbers, and
keeps `torch.compile` away from kernels.
"""

import importlib
from functools import wraps
from typing import Any, Callable

import torch
from torch import Tensor


def _test_of_torch(name: str) -> Callable[[Tensor], bool]:
    """
    Returns the function of this name from PyTorch, where it is private, and has no public sibling.
    In a version without it no tensor counts as transformed, and what then fails does so in
    PyTorch's words.
    """
    try:
        return getattr(importlib.import_module("torch._C._functorch"), name)
    except (ImportError, AttributeError):
        return lambda tensor: False


# Both take a tensor, and nothing else: whether `vmap` maps over it, and whether any transform,
# `vmap` and `grad` among them, has wrapped it.
is_mapped_over = _test_of_torch("is_batchedtensor")
is_transformed = _test_of_torch("is_functorch_wrapped_tensor")


def uncompiled(operation: Callable[..., Any]) -> Callable[..., Any]:
    """
    Returns a function that does as `operation`, and runs as it is within what `torch.compile`
    compiles: kernels, and what reads numbers off tensors, would be many graphs, and some fail; a
    call of autograd within is not seen.
    """

    @wraps(operation)
    def run_uncompiled(*arguments: Any, **named: Any) -> Any:
        if torch.compiler.is_compiling():
            return torch.compiler.disable(operation)(*arguments, **named)
        return operation(*arguments, **named)

    return run_uncompiled
