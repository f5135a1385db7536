"""Divides a batch into groups of instances, for kernels that process one in each lane."""

from typing import Callable, NamedTuple, Optional, Union

import numpy
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.devices import call_in_threads
from spigot_allennlp.nn.semirings.code import MIN_LOGARITHM
from spigot_allennlp.nn.semirings.numbers import BYTES, allocate, exponential, load, tropical
from spigot_allennlp.nn.transforms import check_untransformed

# The number of instances in a group, in single and double precision.
SINGLE_LANES, DOUBLE_LANES = BYTES // 4, BYTES // 8
# The number of elementary steps from which on a second thread gains more than it costs.
MANY_STEPS = 500_000


class InstanceGroup(NamedTuple):
    """
    The instances that a kernel works on, one in each lane, and the data of the whole batch.

    # Parameters

    members : `numpy.ndarray`
        Shape `(group_size,)`, int64: the indices in the batch of the instances of this group.
    lengths : `numpy.ndarray`
        Shape `(batch_size,)`, int64: the last position of each instance with a legal part. If
        position 0 is the root of a sentence, this is the number of its tokens.
    scores : `numpy.ndarray`
        Shape `(batch_size, rows, columns)`, float32 or float64, in nats: the scores of parts. Those
        in a row are alternatives, such as the heads of a dependent.
    mask : `numpy.ndarray`
        Shape `(batch_size, rows, columns)`, bool: the legal parts.
    direction : `Optional[numpy.ndarray]`
        Shape `(batch_size, rows, columns)`, in the type of `scores`: how the scores move, for
        numbers with a tangent; otherwise `None`.
    """

    members: numpy.ndarray
    lengths: numpy.ndarray
    scores: numpy.ndarray
    mask: numpy.ndarray
    direction: Optional[numpy.ndarray] = None


class ScoreRow(NamedTuple):
    """
    The scores of one row of parts, for all instances of a group, as tropical numbers.

    # Parameters

    scores : `numpy.ndarray`
        Shape `(1, columns, 1, lanes)`, in nats; minus infinity for illegal parts.
    tangents : `numpy.ndarray`
        Shape `(1, columns, 1, lanes)`: how the scores move; zero if they do not.
    """

    scores: numpy.ndarray
    tangents: numpy.ndarray


def call_in_groups(
    kernel: Callable[..., None],
    lanes: int,
    num_steps: Callable[[int], int],
    scores: Tensor,
    mask: BoolTensor,
    *others: Union[Tensor, int],
    members: Optional[Tensor] = None,
) -> None:
    """
    Calls `kernel(members, lengths, scores, mask, *others)` for groups of `lanes` instances, from
    the longest to the shortest, so that those in a group have about the same length; in several
    threads if that pays off. Tensors become arrays.

    # Parameters

    kernel : `Callable`
        Its first arguments are the fields of an `InstanceGroup`.
    lanes : `int`
        The size of a group.
    num_steps : `Callable[[int], int]`
        Returns the number of elementary steps for a group of instances of a length.
    scores, mask : `Tensor`
        Shape `(batch_size, num_positions, ...)`. The length of an instance is its last position
        with a legal part: the number of tokens, if position 0 is the root.
    others : `Union[Tensor, int]`
        Further arguments of the kernel.
    members : `Tensor`, optional
        Shape `(num_members,)`, int64: the indices of the instances to work on; by default all.

    # Raises

    `NotImplementedError` under transforms of `torch.func`.
    """
    check_untransformed("a structure", scores)
    mask = mask.contiguous()
    arguments = [
        argument.numpy() if isinstance(argument, Tensor) else argument
        for argument in (scores, mask, *others)
    ]
    lengths, order = lengths_and_order(mask.flatten(2).numpy())
    if members is not None:
        order = order[numpy.isin(order, members.numpy())]
    groups = [order[start : start + lanes] for start in range(0, len(order), lanes)]
    longest_length = int(lengths[order[0]]) if len(order) else 0
    is_worth_it = len(groups) * num_steps(longest_length) > MANY_STEPS
    call_in_threads(lambda group: kernel(group, lengths, *arguments), groups, is_worth_it)


@entry
def lengths_and_order(mask):
    """
    Returns the last position of each instance with a legal part in a mask
    `(batch_size, num_positions, parts)`, or 0 if there is none; and the indices of all instances
    from the longest to the shortest, in a stable order. Both have the shape `(batch_size,)`, int64.
    """
    lengths = numpy.zeros(len(mask), dtype=numpy.int64)
    for member in range(len(mask)):
        for position in range(mask.shape[1] - 1, 0, -1):
            if mask[member, position].any():
                lengths[member] = position
                break
    # counting sort: how many instances are longer than each length
    begins = numpy.zeros(mask.shape[1] + 1, dtype=numpy.int64)
    for member in range(len(mask)):
        begins[lengths[member]] += 1
    num_longer = 0
    for length in range(mask.shape[1], -1, -1):
        num_instances = begins[length]
        begins[length] = num_longer
        num_longer += num_instances
    order = numpy.empty(len(mask), dtype=numpy.int64)
    for member in range(len(mask)):
        order[begins[lengths[member]]] = member
        begins[lengths[member]] += 1
    return lengths, order


@kernel
def longest(members, lengths):
    """Returns the length of the longest instance of a group."""
    length = 0
    for member in members:
        length = max(length, lengths[member])
    return length


@kernel
def new_score_row(like, columns):
    """Returns a `ScoreRow` without legal parts, in the precision of the array `like`."""
    scores = allocate(tropical(like, 0.0), 1, columns)
    tangents = allocate(tropical(like, 0.0), 1, columns)
    scores[:] = -numpy.inf
    tangents[:] = 0
    return ScoreRow(scores, tangents)


@kernel
def fill_score_row(group, position, row, columns, padding, score_row):
    """
    Copies a `row` of parts at a `position`, for all instances of a group, into `score_row`.
    Instances that end before the position get a single part, in the column `padding`, with score
    zero; none ends before position 0. The row has `columns` columns or, if that is `None`, one for
    each position of the instance.
    """
    for lane, member in enumerate(group.members):
        count = group.lengths[member] + 1 if columns is None else columns
        score_row.scores[0, :, 0, lane] = -numpy.inf
        if position > group.lengths[member]:
            score_row.scores[0, padding, 0, lane] = 0
            score_row.tangents[0, :, 0, lane] = 0
            continue
        for column in range(count):
            if group.mask[member, row, column]:
                score_row.scores[0, column, 0, lane] = group.scores[member, row, column]
            write_tangent(group.direction, member, row, column, lane, score_row)


@kernel
def write_tangent(direction, member, row, column, lane, score_row):
    """
    Copies the movement of a single score of an instance, if there is a `direction`, into its lane;
    zero if the part is practically impossible.
    """
    # with `direction` as an argument, None removes the branch at compile time
    if direction is not None:
        is_possible = score_row.scores[0, column, 0, lane] > MIN_LOGARITHM
        tangent = direction[member, row, column] if is_possible else 0
        score_row.tangents[0, column, 0, lane] = tangent


@kernel
def weight_of(score_row, column, like):
    """Returns the weight of a part in a `ScoreRow`, a number of the kind of `like`."""
    score = load(score_row.scores, 0, column, tropical(score_row.scores, 0.0))
    return exponential(score, load(score_row.tangents, 0, column, score), like)
