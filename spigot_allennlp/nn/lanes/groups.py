"""Batches in groups, for kernels that work on several sentences at once (see `lanes.py`)."""

from typing import Callable, List, Optional, Union

import numpy
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.lanes.types import BYTES
from spigot_allennlp.nn.threads import share

# Sentences of a group, in single and in double precision.
SINGLE_LANES, DOUBLE_LANES = BYTES // 4, BYTES // 8
# Elementary steps from which on a second thread gains more than it costs.
MANY_STEPS = 500_000


def call_in_groups(
    kernel: Callable[..., None],
    lanes: int,
    steps: Callable[[int], int],
    scores: Tensor,
    mask: BoolTensor,
    *others: Union[Tensor, int],
    members: Optional[Tensor] = None,
) -> None:
    """
    Calls `kernel(group, lengths, scores, mask, *others)` for groups of as many sentences as there
    are `lanes`, from the longest to the shortest, so that those of one group are about as long.
    Tensors become arrays.

    # Parameters

    kernel : `Callable`
    lanes : `int`
    steps : `Callable[[int], int]`
        How many elementary steps a group of sentences of a length takes.
    scores, mask : `Tensor`
        Shape `(batch_size, length, ...)`, position 0 being the root.
    others : `Union[Tensor, int]`
    members : `Tensor`, optional
        The places in the batch of the sentences to work on. All, if there are none.
    """
    tensors = scores, mask.contiguous(), *others
    arrays = [each.numpy() if isinstance(each, Tensor) else each for each in tensors]
    lengths = sentence_lengths(tensors[1].flatten(2).numpy())
    groups = groups_by_length(lengths, lanes, None if members is None else members.numpy())
    many = len(groups) * steps(int(lengths.max(initial=0))) > MANY_STEPS
    share(lambda group: kernel(group, lengths, *arrays), groups, many)


def groups_by_length(
    lengths: numpy.ndarray, size: int, members: Optional[numpy.ndarray] = None
) -> List[numpy.ndarray]:
    """
    The places of the sentences (of `members`, if given) in groups of up to `size`, from the longest
    to the shortest.
    """
    chosen = numpy.arange(len(lengths)) if members is None else members
    order = chosen[numpy.argsort(-lengths[chosen], kind="stable")]
    return [order[start : start + size] for start in range(0, len(order), size)]


@entry
def sentence_lengths(mask):
    """
    The last position of each sentence that has any legal part, of a mask `(batch_size, length,
    parts)`; 0 if there is none.
    """
    lengths = numpy.zeros(len(mask), dtype=numpy.int64)
    for member in range(len(mask)):
        for position in range(mask.shape[1] - 1, 0, -1):
            if mask[member, position].any():
                lengths[member] = position
                break
    return lengths


@kernel
def longest(members, lengths):
    """The length of the longest sentence of a group."""
    found = 0
    for member in members:
        found = max(found, lengths[member])
    return found
