"""
A device without hardware. Its tensors lie in memory, are computed with by the processor, and can be
read; but they say that they are elsewhere, and PyTorch's rules for tensors on two devices hold: an
operation with tensors of both is an error, unless it moves a tensor or the other has no dimension;
and there is no array of a tensor that has not been moved back.

So a test can see, without a GPU, what of a computation is made on the wrong device, and what takes
a way that kernels for the processor do not take. It says nothing of speed or of rounding on a GPU.
"""

from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Sequence

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing

#: PyTorch computes no values on "meta" itself, and has it in every build.
DEVICE = torch.device("meta")

aten = torch.ops.aten
_MOVES = {aten._to_copy.default, aten.copy_.default}
# Indices may lie on the processor.
_INDEXED = {
    aten.index.Tensor,
    aten.index_put.default,
    aten.index_put_.default,
    aten._index_put_impl_.default,
    aten._unsafe_index.Tensor,
}
# Lengths, and sizes of batches, are always on the processor.
_PACK = aten._pack_padded_sequence.default
_PACKED = {_PACK, aten._pad_packed_sequence.default}


class MixedDevices(RuntimeError):
    """An operation had tensors of two devices."""


class ElsewhereTensor(Tensor):
    """
    A tensor on `DEVICE`.

    # Parameters

    content : `Tensor`
        What it holds, on the processor.
    """

    content: Tensor
    #: It has data, other than tensors that PyTorch itself has made on "meta".
    is_meta = False

    @staticmethod
    def __new__(cls, content: Tensor) -> "ElsewhereTensor":
        self = Tensor._make_wrapper_subclass(
            cls,
            content.size(),
            strides=content.stride(),
            storage_offset=content.storage_offset(),
            dtype=content.dtype,
            device=DEVICE,
        )
        self.content = content
        return self

    def __getitem__(self, index: Any) -> Tensor:
        return super().__getitem__(_without_lists(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(_without_lists(index), value)

    def new_tensor(self, data: Any) -> Tensor:
        return torch.tensor(data, dtype=self.dtype).to(DEVICE)

    def tolist(self) -> Any:
        return self.content.tolist()

    def __repr__(self) -> str:  # type: ignore[override]
        return f"ElsewhereTensor({self.content!r})"

    @classmethod
    def __torch_dispatch__(
        cls, function: Any, types: Any, arguments: Sequence[Any] = (), options: Any = None
    ) -> Any:
        return _compute(function, tuple(arguments), options or {})


@contextmanager
def another_device() -> Iterator[List[torch.Size]]:
    """
    Gives a context in which tensors can be made on `DEVICE`, and moved to it; and a list that gets
    the shape of each tensor that is copied to the processor.
    """
    operations = _Operations()
    with operations, _Constructors():
        yield operations.copied


class _Constructors(TorchFunctionMode):
    """Makes tensors of Python's numbers, which PyTorch does before it asks for the operation."""

    def __torch_function__(
        self, function: Any, types: Any, arguments: Sequence[Any] = (), options: Any = None
    ) -> Any:
        options = options or {}
        if function in (torch.tensor, torch.as_tensor) and options.get("device") is not None:
            device = torch.device(options.pop("device"))
            return function(*arguments, **options).to(device)
        return function(*arguments, **options)


class _Operations(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.copied: List[torch.Size] = []

    def __torch_dispatch__(
        self, function: Any, types: Any, arguments: Sequence[Any] = (), options: Any = None
    ) -> Any:
        results = _compute(function, tuple(arguments), options or {})
        if function is aten._to_copy.default and isinstance(arguments[0], ElsewhereTensor):
            if not isinstance(results, ElsewhereTensor):
                self.copied.append(results.shape)
        return results


def _without_lists(index: Any) -> Any:
    """Makes lists tensors on the processor; PyTorch would make tensors on "meta" itself of them."""
    if isinstance(index, tuple):
        return tuple(map(_without_lists, index))
    return torch.tensor(index) if isinstance(index, list) else index


def _compute(function: Any, arguments: Sequence[Any], options: Dict[str, Any]) -> Any:
    tensors = [x for x in pytree.tree_leaves((arguments, options)) if isinstance(x, Tensor)]
    elsewhere = [tensor for tensor in tensors if isinstance(tensor, ElsewhereTensor)]
    here = [tensor for tensor in tensors if not isinstance(tensor, ElsewhereTensor)]
    if any(tensor.device == DEVICE for tensor in here):
        raise AssertionError(f"{function}: a tensor was made on {DEVICE} that has no content")
    if elsewhere and function not in _MOVES | _PACKED:
        _check_others(function, arguments, here)
    contents, inner_options = pytree.tree_map(_content, (arguments, dict(options)))
    is_there = bool(elsewhere)
    if options.get("device") is not None:
        is_there = torch.device(options["device"]) == DEVICE
        inner_options["device"] = torch.device("cpu")
    results = function(*contents, **inner_options)
    if function is aten.copy_.default:
        return arguments[0]
    if not is_there:
        return results
    if function is _PACK:
        return ElsewhereTensor(results[0]), results[1]
    results = pytree.tree_map(_elsewhere, results)
    if elsewhere:
        return return_and_correct_aliasing(function, arguments, options, results)
    return results


def _content(value: Any) -> Any:
    return value.content if isinstance(value, ElsewhereTensor) else value


def _elsewhere(value: Any) -> Any:
    return ElsewhereTensor(value) if isinstance(value, Tensor) else value


def _check_others(function: Any, arguments: Sequence[Any], here: List[Tensor]) -> None:
    """
    # Raises

    `MixedDevices` if a tensor that is on the processor may not take part.
    """
    if function in _INDEXED:
        indices = [id(index) for index in arguments[1] if index is not None]
        here = [tensor for tensor in here if id(tensor) not in indices]
    if any(tensor.dim() for tensor in here):
        shapes = [tuple(tensor.shape) for tensor in here]
        raise MixedDevices(f"{function}: tensors of shapes {shapes} are not on {DEVICE}")
