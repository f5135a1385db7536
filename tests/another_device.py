"""
A device without hardware. Its tensors lie in memory, and the CPU computes with them; but they say
that they are elsewhere, and operations that are given tensors of both devices fail as on a GPU:
unless they move a tensor, or read a tensor of the CPU that has no dimension.

So a test can see, without a GPU, what of a computation is made on the wrong device, what is copied
between devices, and what takes a way that kernels for the CPU do not take. It does not see what is
done in other threads or by `torch.func.jvp`, and says nothing of speed or of rounding on a GPU.
Like some real devices it has no `torch.autocast`.
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
# These take no tensor of the CPU, not even one without dimension.
_STRICT = {aten.cat.default, aten.stack.default}


class MixedDevices(RuntimeError):
    """An operation had tensors of two devices."""


class ElsewhereTensor(Tensor):
    """
    A tensor on `DEVICE`.

    # Parameters

    content : `Tensor`
        A tensor on the CPU with the same values.
    """

    content: Tensor
    #: It has data, unlike tensors that PyTorch itself has made on "meta".
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
        return self.cpu().tolist()

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
    the shape of each tensor that is copied to the CPU. Numbers that Python reads do not count.
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
    """Computes what makes or moves a tensor, and notes what is moved to the CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.copied: List[torch.Size] = []

    def __torch_dispatch__(
        self, function: Any, types: Any, arguments: Sequence[Any] = (), options: Any = None
    ) -> Any:
        results = _compute(function, tuple(arguments), options or {})
        if function in _MOVES and not isinstance(results, ElsewhereTensor):
            if any(isinstance(argument, ElsewhereTensor) for argument in arguments):
                self.copied.append(results.shape)
        return results


def _without_lists(index: Any) -> Any:
    """Makes lists tensors on the CPU; PyTorch would make tensors on "meta" itself of them."""
    if isinstance(index, tuple):
        return tuple(map(_without_lists, index))
    return torch.tensor(index) if isinstance(index, list) else index


def _compute(function: Any, arguments: Sequence[Any], options: Dict[str, Any]) -> Any:
    """Returns the results of an operation, on `DEVICE` if it takes or makes tensors there."""
    tensors = [x for x in pytree.tree_leaves((arguments, options)) if isinstance(x, Tensor)]
    is_on_device = any(isinstance(tensor, ElsewhereTensor) for tensor in tensors)
    if is_on_device:
        _check_devices(function, arguments, tensors)
    inner_arguments, inner_options = pytree.tree_map(_content, (arguments, dict(options)))
    gives_on_device = is_on_device
    if options.get("device") is not None:
        gives_on_device = torch.device(options["device"]) == DEVICE
        inner_options["device"] = torch.device("cpu")
    if gives_on_device and options.get("generator") is not None:
        raise MixedDevices(f"{function}: the generator is not on {DEVICE}")
    results = function(*inner_arguments, **inner_options)
    if function is aten.copy_.default:
        return arguments[0]
    if not gives_on_device:
        return results
    if function is _PACK:
        return ElsewhereTensor(results[0]), results[1]
    results = pytree.tree_map(_on_device, results)
    if is_on_device:
        return return_and_correct_aliasing(function, arguments, options, results)
    return results


def _content(value: Any) -> Any:
    return value.content if isinstance(value, ElsewhereTensor) else value


def _on_device(value: Any) -> Any:
    return ElsewhereTensor(value) if isinstance(value, Tensor) else value


def _check_devices(function: Any, arguments: Sequence[Any], tensors: List[Tensor]) -> None:
    """
    # Raises

    `MixedDevices` if a tensor is not where it has to be; `AssertionError` if PyTorch has made a
    tensor on "meta" itself, which has no values.
    """
    on_cpu = [tensor for tensor in tensors if not isinstance(tensor, ElsewhereTensor)]
    assert all(tensor.device != DEVICE for tensor in on_cpu), f"{function}: a tensor without values"
    if function in _MOVES:
        return
    if function in _PACKED:
        is_wrong = isinstance(arguments[1], ElsewhereTensor)
    else:
        if function in _INDEXED:
            indices = [id(index) for index in arguments[1] if index is not None]
            on_cpu = [tensor for tensor in on_cpu if id(tensor) not in indices]
        is_wrong = any(tensor.dim() for tensor in on_cpu) or bool(on_cpu and function in _STRICT)
        is_wrong |= any(id(written) in map(id, on_cpu) for written in _written(function, arguments))
    if is_wrong:
        shapes = [(tuple(tensor.shape), str(tensor.device)) for tensor in tensors]
        raise MixedDevices(f"{function}: shapes and devices {shapes}")


def _written(function: Any, arguments: Sequence[Any]) -> List[Any]:
    """Returns the arguments that the operation writes to."""
    described = zip(function._schema.arguments, arguments, strict=False)
    return [value for argument, value in described if argument.is_write]
