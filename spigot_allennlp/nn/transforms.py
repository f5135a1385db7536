"""
Detects tensors under a transform of `torch.func`, whose numbers kernels cannot read, keeps
`torch.compile` away from kernels, and tells who else runs a computation.
"""

import importlib
from functools import wraps
from typing import Any, Callable

import torch
from torch import Tensor
from torch.autograd import forward_ad


def _test_of_torch(name: str) -> Callable[[Tensor], bool]:
    """
    Returns a private PyTorch function of this name, which has no public equivalent. In a version
    without it, no tensor counts as transformed, and failures have PyTorch's own messages.
    """
    try:
        return getattr(importlib.import_module("torch._C._functorch"), name)
    except (ImportError, AttributeError):
        return lambda tensor: False


# Tells of a tensor whether any transform, including `vmap` and `grad`, has wrapped it.
is_transformed = _test_of_torch("is_functorch_wrapped_tensor")
_is_in_vmap = _test_of_torch("is_batchedtensor")
_is_batch_of_gradients = _test_of_torch("is_legacy_batchedtensor")


def is_mapped_over(tensor: Tensor) -> bool:
    """
    Tells whether `torch.func.vmap` maps over `tensor`, or `torch.autograd.grad` with
    `is_grads_batched`.
    """
    return _is_in_vmap(tensor) or _is_batch_of_gradients(tensor)


# Whether `torch.export` is at work, in versions of PyTorch that tell.
_is_exporting = getattr(torch.compiler, "is_exporting", lambda: False)
# The number of the backward pass in which this thread is, or -1; private, but `torch.utils`
# depends on it, too.
_backward_pass = getattr(torch._C, "_current_graph_task_id", lambda: -1)
# Whether this thread's backward pass keeps its graph; private, too.
_keeps_graph = getattr(torch._C._autograd, "_get_current_graph_task_keep_graph", lambda: True)


def is_in_backward_pass() -> bool:
    """
    Tells whether this runs within a backward pass. A forward pass that does so is a repetition,
    as by `torch.utils.checkpoint`.
    """
    return _backward_pass() != -1


def is_graph_kept() -> bool:
    """
    Tells, within a backward pass, whether another may follow; True if this PyTorch does not say.
    """
    return _keeps_graph()


def has_tangent(tensor: Tensor) -> bool:
    """
    Tells whether forward-mode differentiation follows `tensor` (`torch.autograd.forward_ad`, or
    `torch.func.jvp`).
    """
    return forward_ad.unpack_dual(tensor).tangent is not None


def check_untransformed(name: str, *tensors: Tensor) -> None:
    """
    Checks that no transform has wrapped one of the tensors of an operation, called `name` in the
    error.

    # Raises

    `NotImplementedError` that says what to call instead.
    """
    # The caller refuses what is no tensor at all.
    if any(isinstance(tensor, Tensor) and is_transformed(tensor) for tensor in tensors):
        raise NotImplementedError(
            f"torch.func (vmap, grad, jvp, ...) cannot transform {name}, whose gradient it does "
            "not see. In place of vmap, put what is mapped into the batch; in place of grad, call "
            "torch.autograd.grad."
        )


def uncompiled(operation: Callable[..., Any]) -> Callable[..., Any]:
    """
    Returns a function that does the same as `operation`, but that `torch.compile` leaves
    uncompiled: kernels, and code that reads numbers from tensors, would need many graphs, and some
    would fail; a call of autograd within would not be seen.

    It raises a `NotImplementedError` where PyTorch records what a model does, to repeat it without
    Python: the record would lack what kernels write, and the result would be zeros.
    """

    @wraps(operation)
    def run_uncompiled(*arguments: Any, **named: Any) -> Any:
        if torch.compiler.is_compiling():
            if _is_exporting():
                raise _not_recorded(operation)
            return torch.compiler.disable(operation)(*arguments, **named)
        if torch.jit.is_tracing():
            raise _not_recorded(operation)
        return operation(*arguments, **named)

    return run_uncompiled


def _not_recorded(operation: Callable[..., Any]) -> NotImplementedError:
    class_or_function = operation.__qualname__.split(".")[0]
    return NotImplementedError(
        f"torch.jit.trace, torch.export and torch.onnx cannot record {class_or_function}, whose "
        "kernels they do not see. Record what is before it and what is behind it, each as a module "
        "of its own, and call it between the two."
    )
