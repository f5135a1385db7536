"""Groups of sequences of similar length, so that little of a batch is padding."""

from typing import List, Optional, Sequence

# A batch with fewer sequences costs a recurrent network more than padding does.
SMALL_GROUP = 16
# The limit of positions per token, for a group that is no longer small.
MOST_PADDING = 1.2
# The tokens in a group. Larger groups are no faster.
MOST_TOKENS = 2048


def length_groups(
    lengths: Sequence[int], most_tokens: int = MOST_TOKENS, most_pairs: Optional[int] = None
) -> List[List[int]]:
    """
    Returns positions in `lengths`, grouped from short sequences to long ones.

    # Parameters

    lengths : `Sequence[int]`
        The number of tokens of each sequence.
    most_tokens : `int`, optional (default = `2048`)
        The limit per group, including padding, unless it is a single sequence.
    most_pairs : `int`, optional (default = `None`)
        The limit of pairs of positions in all sequences of a group, including padding, unless it is
        a single sequence.
    """
    groups: List[List[int]] = []
    tokens = 0
    for position in sorted(range(len(lengths)), key=lengths.__getitem__):
        length = lengths[position]
        number = len(groups[-1]) + 1 if groups else 1
        is_full = number * length > most_tokens
        is_full |= most_pairs is not None and number * length**2 > most_pairs
        is_full |= number > SMALL_GROUP and number * length > MOST_PADDING * (tokens + length)
        if not groups or is_full:
            groups.append([])
            tokens = 0
        groups[-1].append(position)
        tokens += length
    return groups
