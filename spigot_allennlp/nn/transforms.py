"""
Detects tensors under a transform of `torch.func`, whose numbers kernels cannot read, and keeps
`torch.compile` away from kernels.
"""

import importlib
from functools import wraps
from typing import Any, Callable

import torch
from torch import Tensor


def _test_of_torch(name: str) -> Callable[[Tensor], bool]:
    """
    Returns a private PyTorch function of this name, which has no public equivalent. In a version
    without it, no tensor counts as transformed, and failures have PyTorch's own messages.
    """
    try:
        return getattr(importlib.import_module("torch._C._functorch"), name)
    except (ImportError, AttributeError):
        return lambda tensor: False


# Both take only a tensor, and tell whether `vmap` maps over it, and whether any transform,
# including `vmap` and `grad`, has wrapped it.
is_mapped_over = _test_of_torch("is_batchedtensor")
is_transformed = _test_of_torch("is_functorch_wrapped_tensor")


def uncompiled(operation: Callable[..., Any]) -> Callable[..., Any]:
    """
    Returns a function that does the same as `operation`, but that `torch.compile` leaves
    uncompiled: kernels, and code that reads numbers from tensors, would need many graphs, and some
    would fail; a call of autograd within would not be seen.
    """

    @wraps(operation)
    def run_uncompiled(*arguments: Any, **named: Any) -> Any:
        if torch.compiler.is_compiling():
            return torch.compiler.disable(operation)(*arguments, **named)
        return operation(*arguments, **named)

    return run_uncompiled
