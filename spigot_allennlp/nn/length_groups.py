"""Groups of sequences of similar length, so that little of a batch is padding."""

from typing import List, Optional, Sequence

# A batch of fewer sequences costs a recurrent network more than padding does.
SMALL_GROUP = 16
# Of a group that is no longer small: positions for each token.
MOST_PADDING = 1.2
# Tokens of a group. More of them at once gain a processor nothing.
MOST_TOKENS = 2048


def length_groups(
    lengths: Sequence[int], most_tokens: int = MOST_TOKENS, most_pairs: Optional[int] = None
) -> List[List[int]]:
    """
    Returns positions in `lengths` in groups, from short sequences to long ones.

    # Parameters

    lengths : `Sequence[int]`
        The number of tokens of each sequence.
    most_tokens : `int`, optional (default = `2048`)
        Of a group, padding included, unless it is a single sequence.
    most_pairs : `int`, optional (default = `None`)
        The pairs of positions in all sequences of a group, padding included, unless it is a single
        sequence.
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
