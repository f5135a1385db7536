import random

import pytest

from spigot_allennlp.nn.length_groups import MOST_PADDING, SMALL_GROUP, length_groups


@pytest.mark.parametrize("most_pairs", [None, 500])
def test_every_sequence_is_in_one_group_and_none_is_too_large(most_pairs):
    random.seed(1)
    lengths = [random.randint(1, 60) for _ in range(300)]
    groups = length_groups(lengths, most_tokens=200, most_pairs=most_pairs)
    assert sorted(position for group in groups for position in group) == list(range(300))
    for group in groups:
        longest = max(lengths[position] for position in group)
        if len(group) > 1:
            assert len(group) * longest <= 200
            assert most_pairs is None or len(group) * longest**2 <= most_pairs
        if len(group) > SMALL_GROUP:
            tokens = sum(lengths[position] for position in group)
            assert len(group) * longest <= MOST_PADDING * tokens


def test_a_small_group_is_not_divided_for_its_padding():
    assert length_groups([40, 1, 20]) == [[1, 2, 0]]


def test_no_sequences_are_no_groups_and_a_long_one_is_alone():
    assert length_groups([]) == []
    assert length_groups([5000, 5000]) == [[0], [1]]


def test_equal_sequences_stay_in_their_order():
    assert length_groups([3, 3, 3]) == [[0, 1, 2]]
