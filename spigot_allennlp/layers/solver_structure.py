"""Turns a solver, any function from scores to the best object, into a structure."""

import copy
import itertools
import math
from functools import partial
from typing import Any, Callable, List, Optional, Sequence, Tuple

import numpy as np
import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.devices import without_autocast
from spigot_allennlp.nn.instances import at_least_single, flatten_parts, per_instance
from spigot_allennlp.nn.invalid_scores import compute_valid, invalid_instances, is_score
from spigot_allennlp.nn.tensor_checks import PARTS, check_pair, check_scores
from spigot_allennlp.registrable import ConfigurationError
from spigot_allennlp.structures.structure import Structure

# The result of an integer program solver may be this far from whole numbers.
ROUNDING = 1e-4

NUMPY_INTEGERS = frozenset(map(np.dtype, np.typecodes["AllInteger"]))
TORCH_INTEGERS = frozenset(getattr(torch, dtype.name) for dtype in NUMPY_INTEGERS)


class SolverStructure(Structure):
    """
    The family of objects among which a solver finds the best: `argmax_z <scores, z>`, or the object
    of least cost with `maximize=False`.

    The solver gets scores (or costs) in single precision at least, on their device and without a
    gradient; with `numpy`, float64 arrays. They are a copy, so it may change them. Impossible parts
    score minus infinity (cost plus infinity), and must not be chosen. It never gets NaN or an empty
    batch; an instance without a possible part is all zeros, and its object does not count. A batch
    may be larger than the model's, since estimators ask for several samples in one call.

    If the solver returns something of the wrong type or shape, a number that is not finite, or an
    impossible part, a `ValueError` says what it returned.

    # Parameters

    solver : `Callable`
        From scores `(batch_size, *parts)` to objects of the same shape.
    batched : `bool`, optional (default = `True`)
        If False, the solver gets one instance, of shape `parts`, and returns one object.
    numpy : `bool`, optional (default = `False`)
        Whether the solver gets NumPy arrays. It may return arrays or tensors in any case.
    indices : `bool`, optional (default = `False`)
        Whether the solver returns the positions of an object's ones instead of the object: a tuple
        of index arrays that could index the scores, as from `scipy.optimize.linear_sum_assignment`
        and `numpy.nonzero`; or indices into the last dimension, several as from `topk` or a single
        one as from `argmax`.
    maximize : `bool`, optional (default = `True`)
        If False, all functions and the module that wraps them take costs, and the solver finds the
        object of least cost.
    binary : `bool`, optional (default = `True`)
        Whether objects are zeros and ones. A rounding error of up to 1e-4 is removed. If False,
        objects may hold any numbers, such as ranks; "sparsemap" needs zeros and ones.
    fixed_size : `bool`, optional (default = `False`)
        Whether the parts of all objects of an instance have the same sum: then a constant added to
        all scores changes nothing ("identity_with_projection" asks for this).
    sample : `Callable`, optional
        From scores to a sample of `p(z) ∝ exp <scores, z>`. This function and the next three take
        and return batches of tensors, whatever the solver takes.
    marginals : `Callable`, optional
        From scores to the mean object under `p`, or a substitute for it; differentiable. By default
        the gradient of `log_partition`.
    log_partition : `Callable`, optional
        From scores to `log sum_z exp <scores, z>`, shape `(batch_size,)`; differentiable.
    project : `Callable`, optional
        From any points to the nearest points of the convex hull of all objects, or of a set that
        contains it. Illegal parts are minus infinity.
    """

    def __init__(
        self,
        solver: Callable,
        *,
        batched: bool = True,
        numpy: bool = False,
        indices: bool = False,
        maximize: bool = True,
        binary: bool = True,
        fixed_size: bool = False,
        sample: Optional[Callable] = None,
        marginals: Optional[Callable] = None,
        log_partition: Optional[Callable] = None,
        project: Optional[Callable] = None,
    ) -> None:
        if not callable(solver):
            raise ConfigurationError(f"solver must be a function, but found {solver!r}.")
        self.name = _name(solver)
        self.maximize = maximize
        self.binary = binary
        self.fixed_size = fixed_size
        self._solver = solver
        self._batched = batched
        self._numpy = numpy
        self._indices = indices
        self._sample = sample
        self._marginals = marginals
        self._log_partition = log_partition
        self._project = project
        self._pieces: Optional[List[torch.Size]] = None

    def of_pieces(self, shapes: List[torch.Size]) -> "SolverStructure":
        """
        Returns the same family for scores `(batch_size, num_parts)`, the flattened parts of several
        tensors. All functions still get and return tensors of these `shapes`.
        """
        structure = copy.copy(self)
        structure._pieces = shapes
        return structure

    def provides(self, operation: str) -> bool:
        # Samples are useless without their log-probabilities.
        functions = {
            "log_partition": self._log_partition,
            "marginals": self._marginals or self._log_partition,
            "sample": self._sample and self._log_partition,
            "projected_step": self._project,
        }
        return functions.get(operation) is not None

    def part_mask(self, mask: BoolTensor, shape: torch.Size) -> BoolTensor:
        """Returns the legal parts, from a mask of the first dimensions of the scores."""
        return mask.reshape(mask.shape + (1,) * (len(shape) - mask.dim())).expand(shape)

    def contains(self, vertex: Tensor, mask: BoolTensor) -> BoolTensor:
        if not self.binary:
            raise NotImplementedError(f"What {self.name} may return is not known: {vertex.shape}.")
        return super().contains(vertex, mask)

    def lacks_objects(self, best: Tensor, mask: BoolTensor) -> BoolTensor:
        # Where parts are possible but there is no object, the solver's result was refused.
        return mask.new_zeros(len(mask))

    def argmax(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        return self._choose(self._solver, self._batched, scores, mask)

    def sample(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        assert self._sample is not None, "no such structure is let through"
        return self._choose(self._sample, True, scores, mask)

    def log_partition(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        if self._log_partition is None:
            raise NotImplementedError(f"Pass log_partition together with {self.name}.")
        check_scores(PARTS, scores, mask)
        possible = flatten_parts(mask & (scores != -torch.inf)).any(dim=-1)
        total = self._log_partition(*self._arguments(self._signed(scores, mask)))
        if total.shape != possible.shape:
            raise ValueError(_returned(self._log_partition, total, tuple(possible.shape)))
        is_lost = ~possible & flatten_parts(mask).any(dim=-1)
        return total.masked_fill(~possible, 0).masked_fill(is_lost, -torch.inf)

    def marginals(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        if self._marginals is None:
            return super().marginals(scores, mask)
        check_scores(PARTS, scores, mask)
        invalid = invalid_instances(mask, is_score, scores)
        return compute_valid(self._checked_marginals, invalid, mask, scores)

    def _checked_marginals(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        assert self._marginals is not None
        mean = self._joined(self._marginals(*self._arguments(self._signed(scores, mask))))
        if mean.shape != scores.shape:
            raise ValueError(_returned(self._marginals, mean, tuple(scores.shape)))
        return mean.masked_fill(~mask | (scores == -torch.inf), 0)

    def projected_step(self, origin: Tensor, step: Tensor, mask: BoolTensor) -> Tensor:
        assert self._project is not None, "no such structure is let through"
        check_pair(("origin", "step"), PARTS, origin, step, mask)
        point = (origin - step).masked_fill(~mask, -torch.inf)
        legal = per_instance(flatten_parts(mask).any(dim=-1), point)
        arguments = self._arguments(torch.where(legal, point, 0))
        with torch.no_grad():
            nearest = self._joined(self._project(*arguments))
        if nearest.shape != point.shape:
            raise ValueError(_returned(self._project, nearest, tuple(point.shape)))
        return (origin - nearest).masked_fill(~mask, 0)

    def _choose(
        self, function: Callable, batched: bool, scores: Tensor, mask: BoolTensor
    ) -> Tensor:
        """Returns the objects that `function` returns for these scores, after checking them."""
        check_scores(PARTS, scores, mask)
        if scores.numel() == 0:
            return torch.zeros_like(scores)
        points = self._signed(scores.detach(), mask)
        with torch.no_grad(), without_autocast(points.device):
            chosen = self._objects(function, batched, points)
        self._check_values(function, chosen)
        chosen = chosen.round() if self.binary else chosen
        possible = mask & (scores != -torch.inf)
        chosen = chosen.masked_fill(~per_instance(flatten_parts(possible).any(dim=-1), chosen), 0)
        if ((chosen != 0) & ~possible).any():
            raise ValueError(
                f"{_name(function)} chose a part that its mask, or a "
                f"{'score of minus' if self.maximize else 'cost of plus'} infinity, makes "
                "impossible. Let it leave such parts alone, or mask less, if no object is left."
            )
        return chosen.to(scores.dtype)

    def _signed(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        """
        Returns scores, or costs, for the functions: a copy in single precision at least, infinite
        on impossible parts; zeros where no part is possible.
        """
        possible = mask & (scores != -torch.inf)
        points = at_least_single(scores).masked_fill(~possible, -torch.inf)
        points = torch.where(per_instance(flatten_parts(possible).any(dim=-1), points), points, 0)
        return points if self.maximize else -points

    def _arguments(self, points: Tensor) -> List[Tensor]:
        """Returns the arguments of the functions for a batch of `points`."""
        if self._pieces is None:
            return [points]
        pieces = points.split([math.prod(shape) for shape in self._pieces], dim=1)
        return [
            piece.reshape(len(points), *shape)
            for piece, shape in zip(pieces, self._pieces, strict=True)
        ]

    def _joined(self, results: Any) -> Tensor:
        """Joins the results of a function in one tensor, the inverse of `_arguments`."""
        if self._pieces is None:
            return results
        return torch.cat([flatten_parts(result) for result in results], dim=1)

    def _objects(self, function: Callable, batched: bool, points: Tensor) -> Tensor:
        """Returns what `function` computes from `points`, in their shape and type."""
        arguments: List[Any] = self._arguments(points)
        if self._numpy and function is self._solver:
            arguments = [argument.double().cpu().numpy() for argument in arguments]
        if batched:
            objects = self._call(function, arguments)
        elif self._numpy and self._indices and self._pieces is None and function is self._solver:
            objects = [self._at_indices(*arguments)]
        else:
            instances = [
                [_copied(value) for value in self._call(function, parts)]
                for parts in zip(*arguments, strict=True)
            ]
            stack = np.stack if self._numpy else torch.stack
            objects = [stack(column) for column in zip(*instances, strict=True)]
        tensors = [_tensor(value).to(points) for value in objects]
        return self._joined(tensors if self._pieces else tensors[0])

    def _at_indices(self, points: np.ndarray) -> np.ndarray:
        """
        Returns the objects of a solver that takes one instance and returns indices. The indices of
        all instances are checked and set together: doing so per instance would take longer than
        solving a small problem.
        """
        answers = [_copied(self._solver(instance)) for instance in points]
        objects = _indicators(answers, points)
        if objects is not None:
            return objects
        pairs = zip(answers, points, strict=True)
        return np.stack([self._converted(self._solver, *pair) for pair in pairs])

    def _call(self, function: Callable, arguments: Sequence[Any]) -> List[Any]:
        """
        Returns an object for each argument, in its shape and kind: all tensors, or all arrays.
        """
        results = function(*arguments)
        if self._pieces is None:
            results = (results,)
        elif not isinstance(results, (tuple, list)) or len(results) != len(arguments):
            raise ValueError(
                f"{_name(function)} gets {len(arguments)} tensors and must return a tuple of as "
                f"many, but returned {_described(results)}."
            )
        pairs = zip(results, arguments, strict=True)
        return [self._converted(function, *pair) for pair in pairs]

    def _converted(self, function: Callable, result: Any, argument: Any) -> Any:
        """Returns the object that a result stands for, in the shape and kind of `argument`."""
        shape = tuple(argument.shape)
        try:
            if self._indices and function is self._solver:
                value = _indicator(result, argument)
            elif isinstance(argument, Tensor):
                value = _tensor(result).to(argument)
            else:
                value = np.asarray(result, argument.dtype)
        except (TypeError, ValueError, RuntimeError, IndexError) as error:
            raise ValueError(f"{_returned(function, result, shape)} ({error})") from error
        if value.shape != shape:
            raise ValueError(_returned(function, result, shape))
        return value

    def _check_values(self, function: Callable, chosen: Tensor) -> None:
        """Raises a `ValueError` unless all numbers are ones that objects may hold."""
        is_right = chosen.isfinite()
        if self.binary:
            is_right &= torch.minimum(chosen.abs(), (1 - chosen).abs()) <= ROUNDING
        if not is_right.all():
            wrong = chosen[~is_right].flatten()[0].item()
            expected = "zeros and ones (or pass binary=False)" if self.binary else "finite numbers"
            raise ValueError(f"{_name(function)} must return {expected}, but returned {wrong}.")


def _copied(answer: Any) -> Any:
    """
    Returns a copy of a solver's answer, as the solver may reuse the memory for its next answer.
    """
    if isinstance(answer, (tuple, list)):
        return (tuple if isinstance(answer, tuple) else list)(map(_copied, answer))
    if isinstance(answer, Tensor):
        return answer.clone()
    return answer.copy() if isinstance(answer, np.ndarray) else answer


def _indicators(answers: List[Any], like: np.ndarray) -> Optional[np.ndarray]:
    """
    Returns zeros of the shape of `like`, a batch, with ones at the indices that `answers` has for
    each instance. Returns `None` if some are wrong or they are of several kinds: then `_indicator`
    has to look at each.
    """
    num_tuples = sum(isinstance(answer, tuple) for answer in answers)
    if num_tuples == 0:
        arrays = [np.asarray(answer) for answer in answers]
        if any(array.dtype != arrays[0].dtype for array in arrays):
            return None
        try:
            return _indicator(np.stack(arrays), like)
        except (TypeError, ValueError, IndexError):
            return None
    if num_tuples < len(answers) or any(len(answer) != like.ndim - 1 for answer in answers):
        return None
    columns = list(zip(*answers, strict=True))
    for index in itertools.chain.from_iterable(columns):
        is_plain = isinstance(index, np.ndarray) and index.ndim == 1
        if not is_plain or index.dtype not in NUMPY_INTEGERS:
            return None
    lengths = [len(index) for index in columns[0]]
    if any([len(index) for index in column] != lengths for column in columns[1:]):
        return None
    indices = [np.concatenate(column) for column in columns]
    for index, size in zip(indices, like.shape[1:], strict=True):
        if index.size and (index.min() < 0 or index.max() >= size):
            return None
    objects = np.zeros_like(like)
    instances = np.repeat(np.arange(len(like)), lengths)
    where = [instances, *(index.astype(np.int64, copy=False) for index in indices)]
    objects[tuple(where)] = 1
    return objects


def _indicator(indices: Any, like: Any) -> Any:
    """
    Returns zeros of the shape and kind of `like`, a tensor or an array, with ones at `indices`, as
    in `SolverStructure`. Raises a `ValueError` for anything that is not an index.
    """
    on_tensor = isinstance(like, Tensor)
    zeros: Any = torch.zeros_like(like) if on_tensor else np.zeros_like(like)
    if isinstance(indices, tuple):
        if len(indices) > like.ndim:
            raise ValueError(f"{len(indices)} index arrays for {like.ndim} dimensions")
        zeros[tuple(_index(*pair, like) for pair in zip(indices, like.shape, strict=False))] = 1
        return zeros
    chosen = _index(indices, like.shape[-1], like)
    if chosen.ndim == like.ndim - 1:
        chosen = chosen[..., None]
    if chosen.shape[:-1] != like.shape[:-1]:
        raise ValueError("indices into the last dimension must fit the dimensions before it")
    if on_tensor:
        return zeros.scatter_(-1, chosen, 1)
    np.put_along_axis(zeros, chosen, 1, -1)
    return zeros


def _index(value: Any, size: int, like: Any) -> Any:
    """
    Returns `value` as a tensor or an array, whichever `like` is, of 64-bit integers. Raises a
    `ValueError` unless it held integers from 0 to `size - 1`. The type is not checked if it is
    empty.
    """
    on_tensor = isinstance(like, Tensor)
    index: Any = _tensor(value).to(like.device) if on_tensor else np.asarray(value)
    is_empty = 0 in index.shape
    if not is_empty and index.dtype not in (TORCH_INTEGERS if on_tensor else NUMPY_INTEGERS):
        raise ValueError(f"indices must be integers, but are of type {index.dtype}")
    index = index.long() if on_tensor else index.astype(np.int64, copy=False)
    # NumPy itself refuses indices that are too large.
    if not is_empty and (index.min() < 0 or (on_tensor and index.max() >= size)):
        wrong = index.min() if index.min() < 0 else index.max()
        raise ValueError(f"an index must be from 0 to {size - 1}, but found {wrong}")
    return index


def _tensor(value: Any) -> Tensor:
    # NumPy copies what torch would refuse: reversed and read-only arrays.
    return value if isinstance(value, Tensor) else torch.from_numpy(np.array(value))


def _name(function: Callable) -> str:
    while isinstance(function, partial):
        function = function.func
    return getattr(function, "__qualname__", type(function).__qualname__)


def _described(value: Any) -> str:
    shape = f" of shape {tuple(value.shape)}" if hasattr(value, "shape") else f": {value!r:.100}"
    return f"a {type(value).__name__}{shape}"


def _returned(function: Callable, value: Any, shape: Tuple[int, ...]) -> str:
    return (
        f"{_name(function)} must return numbers of shape {shape}, but returned {_described(value)}."
    )
