from collections import Counter

import pytest

from spigot_allennlp.data.synthetic.treebank.draw import Draw, Weighted, weighted, zipf


def test_the_draws_of_a_seed_are_the_same_everywhere():
    draw = Draw("1:1")
    letters = Weighted("abcd", [1, 2, 3, 4])
    assert "".join(draw.pick(letters) for _ in range(20)) == "ddaddaacdccbdcdccbbc"


def test_an_item_is_drawn_in_proportion_to_its_weight():
    draw = Draw("weights")
    counts = Counter(draw.pick(weighted(one=1, three=3)) for _ in range(4000))
    assert counts["three"] / counts["one"] == pytest.approx(3, rel=0.1)


def test_a_chance_is_a_probability():
    draw = Draw("chances")
    assert sum(draw.chance(0.2) for _ in range(4000)) / 4000 == pytest.approx(0.2, abs=0.02)
    assert not draw.chance(0.0)
    assert draw.chance(1.0)


def test_the_frequency_falls_with_the_rank_within_each_group():
    # 1/3, 1/4 for the first group, scaled to 1; half as much, to be shared by one, for the second.
    choices = zipf("ab", "c", shares=[1.0, 0.5])
    assert choices.items == ("a", "b", "c")
    assert choices.cumulative == pytest.approx((4 / 7, 1.0, 1.5))


def test_the_groups_have_a_share_each():
    with pytest.raises(ValueError):
        zipf("ab", "c", shares=[1.0])
