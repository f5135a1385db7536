"""
Checks the tensors that enter a public function of `nn`, once.

A kernel trusts its arguments, and writes beyond the end of an array that is too short. So every
public function of `nn` begins with one of these checks, which take one to two microseconds. A
`TypeError` means that something is not a tensor, or has the wrong type of numbers; a `ValueError`
means that shapes or devices do not fit, or that a tensor has no data in plain strides (a sparse
tensor, or one on the device "meta"). Both say what was expected, and describe all tensors of the
call.
"""

from typing import Any, Dict, FrozenSet, NamedTuple, Optional, Tuple

import torch
from torch import BoolTensor, Tensor

FLOATS = frozenset({torch.float16, torch.bfloat16, torch.float32, torch.float64})
TRUTH_VALUES = frozenset({torch.bool})
INTEGERS = frozenset({torch.int64})
ANY_TYPE = FLOATS | TRUTH_VALUES | INTEGERS | {torch.int8, torch.int16, torch.int32, torch.uint8}


class Dimensions(NamedTuple):
    """
    The dimensions of scores, and of other points of their shape.

    # Parameters

    names : `Tuple[str, ...]`
        The names of the dimensions. If the last is "...", there may be any number of others.
    number : `int`
        The number of dimensions or, if the last name is "...", the minimum number.
    equal : `Tuple[int, int]`, optional (default = `(0, 0)`)
        Two dimensions of equal size.
    least : `int`, optional (default = `0`)
        The minimum size of the last dimension.
    """

    names: Tuple[str, ...]
    number: int
    equal: Tuple[int, int] = (0, 0)
    least: int = 0

    def fit(self, shape: Tuple[int, ...]) -> bool:
        """Tells whether a tensor of this `shape` has these dimensions."""
        number, (first, second) = len(shape), self.equal
        if number != self.number and (number < self.number or self.names[-1] != "..."):
            return False
        return shape[first] == shape[second] and (self.least == 0 or shape[-1] >= self.least)


PARTS = Dimensions(("batch_size", "size", "..."), 2)
ROWS = Dimensions(("size", "..."), 1)
ARCS = Dimensions(("batch_size", "length", "length"), 3, (1, 2))
PAIRS = Dimensions(("batch_size", "rows", "columns"), 3)
LABELLED_ARCS = Dimensions(("batch_size", "length", "length", "num_labels"), 4, (1, 2))
LABELLED_PAIRS = Dimensions(("batch_size", "dependent", "head", "num_labels"), 4)
TAG_PAIRS = Dimensions(("batch_size", "length", "num_tags", "num_tags > 0"), 4, (2, 3), 1)


def check_scores(
    dimensions: Dimensions, scores: Tensor, mask: BoolTensor, name: str = "scores"
) -> None:
    """
    Checks that `scores`, called `name` in errors, are floats with these `dimensions`, and that
    `mask` holds truth values of the same shape on the same device.

    # Raises

    `TypeError`, `ValueError`
        See above.
    """
    try:
        shape = scores.shape
        if (
            scores.dtype in FLOATS
            and mask.dtype is torch.bool
            and mask.shape == shape
            and scores.device == mask.device
            and dimensions.fit(shape)
            and scores.layout is torch.strided
            and mask.layout is torch.strided
            and not scores.is_meta
        ):
            return
    except AttributeError:  # something is not a tensor
        pass
    points = Argument(name, FLOATS, dimensions.names), Argument("mask", TRUTH_VALUES, ())
    raise _error(points, (scores, mask))


def check_pair(
    names: Tuple[str, str],
    dimensions: Dimensions,
    first: Tensor,
    second: Tensor,
    mask: Optional[BoolTensor] = None,
) -> None:
    """
    Checks two points of equal shape, called `names` in errors, like scores. The mask may be
    missing.

    # Raises

    `TypeError`, `ValueError`
        See above.
    """
    try:
        shape = first.shape
        device = first.device
        if (
            first.dtype in FLOATS
            and second.dtype in FLOATS
            and second.shape == shape
            and second.device == device
            and dimensions.fit(shape)
            and first.layout is second.layout is torch.strided
            and not first.is_meta
            and (
                mask is None
                or (
                    mask.dtype is torch.bool
                    and mask.shape == shape
                    and mask.device == device
                    and mask.layout is torch.strided
                )
            )
        ):
            return
    except AttributeError:
        pass
    points = [Argument(name, FLOATS, dimensions.names) for name in names]
    raise _error((*points, Argument("mask", TRUTH_VALUES, (), True)), (first, second, mask))


def check_token_mask(dimensions: Dimensions, mask: BoolTensor, shape: torch.Size) -> None:
    """
    Checks that `shape` has these `dimensions`, and that `mask` holds truth values in the shape of
    the first two, batch and length.

    # Raises

    `TypeError`, `ValueError`
        See above.
    """
    try:
        if (
            mask.dtype is torch.bool
            and mask.shape == shape[:2]
            and dimensions.fit(shape)
            and mask.layout is torch.strided
            and not mask.is_meta
        ):
            return
    except (AttributeError, TypeError):
        pass
    actual = tuple(shape) if isinstance(shape, (tuple, list)) else shape
    raise _type_or_value_error(isinstance(mask, Tensor) and mask.dtype is torch.bool)(
        f"Expected scores of shape {_written(dimensions.names)} and a mask of their tokens, bool, "
        f"of shape (batch_size, length), but found scores of shape {actual} and a mask "
        f"{_described(mask)}."
    )


class Argument(NamedTuple):
    """
    The requirements for a tensor.

    # Parameters

    name : `str`
    dtypes : `FrozenSet[torch.dtype]`
    dimensions : `Tuple[str, ...]`
        In a `Signature`, dimensions with the same name have the same size. If the first or the last
        is "...", it stands for any number of others. No names stand for the dimensions of the
        previous argument.
    is_optional : `bool`, optional (default = `False`)
        Whether the argument may be `None`.
    """

    name: str
    dtypes: FrozenSet[torch.dtype]
    dimensions: Tuple[str, ...]
    is_optional: bool = False


class Signature:
    """The tensors that a function takes, all on the same device, and their common sizes."""

    def __init__(self, *arguments: Argument) -> None:
        self._arguments = arguments

    def check(self, *tensors: Optional[Tensor], **sizes: int) -> None:
        """
        Checks the `tensors`, in the order of the arguments. `sizes` are the sizes of named
        dimensions that are known from elsewhere.

        # Raises

        `TypeError`, `ValueError`
            See above.
        """
        known, device = dict(sizes), None
        try:
            for (_, dtypes, dimensions, is_optional), tensor in zip(
                self._arguments, tensors, strict=True
            ):
                if tensor is None and is_optional:
                    continue
                shape: Tuple[int, ...] = tensor.shape  # type: ignore[union-attr]
                if dimensions[0] == "...":
                    dimensions = dimensions[1:]
                    shape = shape[max(len(shape) - len(dimensions), 0) :]
                elif dimensions[-1] == "...":
                    dimensions = dimensions[:-1]
                    shape = shape[: len(dimensions)]
                is_right = tensor.dtype in dtypes  # type: ignore[union-attr]
                fits = is_right and len(shape) == len(dimensions)
                if fits:
                    for name, size in zip(dimensions, shape, strict=True):
                        if known.setdefault(name, size) != size:
                            fits = False
                here = tensor.device  # type: ignore[union-attr]
                device = device or here
                if not fits or here != device or not _has_data(tensor):
                    raise _error(self._arguments, tensors, sizes)
        except AttributeError:  # something is not a tensor
            raise _error(self._arguments, tensors, sizes) from None


def _has_data(tensor: Any) -> bool:
    return tensor.layout is torch.strided and not tensor.is_meta


def _error(
    arguments: Tuple[Argument, ...],
    tensors: Tuple[Optional[Tensor], ...],
    sizes: Optional[Dict[str, int]] = None,
) -> Exception:
    """Returns the error about tensors, at least one of which is wrong."""
    expected, actual, conversions = [], [], []
    for argument, tensor in zip(arguments, tensors, strict=True):
        if tensor is None and argument.is_optional:
            continue
        dimensions = [str((sizes or {}).get(name, name)) for name in argument.dimensions]
        shape = _written(tuple(dimensions)) if dimensions else "the same"
        kind = KINDS[argument.dtypes]
        expected.append(f"{argument.name} of shape {shape} ({kind})")
        actual.append(f"{argument.name} {_described(tensor)}")
        if not isinstance(tensor, Tensor) or tensor.dtype not in argument.dtypes:
            conversions.append(f"{argument.name} is to be {kind}")
    return _type_or_value_error(not conversions)(
        f"Expected {', '.join(expected)}, all with data and on one device, but found "
        f"{', '.join(actual)}.{''.join(f' {conversion}.' for conversion in conversions)}"
    )


def _type_or_value_error(types_are_right: bool) -> type:
    return ValueError if types_are_right else TypeError


KINDS = {
    FLOATS: "floating point",
    TRUTH_VALUES: "bool",
    INTEGERS: "int64",
    FLOATS | TRUTH_VALUES: "floating point or bool",
    ANY_TYPE: "real numbers",
}


def _written(dimensions: Tuple[str, ...]) -> str:
    return f"({', '.join(dimensions)}{',' if len(dimensions) == 1 else ''})"


def _described(value: Any) -> str:
    if not isinstance(value, Tensor):
        shape = f" of shape {tuple(value.shape)}" if hasattr(value, "shape") else ""
        return f"a {type(value).__name__}{shape}, which is no tensor"
    layout = "" if value.layout is torch.strided else f", {value.layout}"
    return f"of shape {tuple(value.shape)} ({value.dtype}, on {value.device}{layout})"
