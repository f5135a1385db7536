from collections import Counter

import pytest

from spigot_allennlp.data.synthetic.treebank.sampling import Sampler, Weighted, weighted, zipf


def test_the_choices_of_a_seed_are_the_same_everywhere():
    sampler = Sampler("1:1")
    letters = Weighted("abcd", [1, 2, 3, 4])
    assert "".join(sampler.choose(letters) for _ in range(20)) == "ddaddaacdccbdcdccbbc"


def test_an_item_is_chosen_in_proportion_to_its_weight():
    sampler = Sampler("weights")
    counts = Counter(sampler.choose(weighted(single=1, triple=3)) for _ in range(4000))
    assert counts["triple"] / counts["single"] == pytest.approx(3, rel=0.1)


def test_a_chance_is_a_probability():
    sampler = Sampler("chances")
    assert sum(sampler.chance(0.2) for _ in range(4000)) / 4000 == pytest.approx(0.2, abs=0.02)
    assert not sampler.chance(0.0)
    assert sampler.chance(1.0)


def test_the_frequency_falls_with_the_rank_within_each_group():
    # 1/3, 1/4 for the first group, scaled to 1; half as much, to be shared by one, for the second.
    choices = zipf("ab", "c", shares=[1.0, 0.5])
    assert choices.items == ("a", "b", "c")
    assert choices.cumulative == pytest.approx((4 / 7, 1.0, 1.5))


def test_the_groups_have_a_share_each():
    with pytest.raises(ValueError):
        zipf("ab", "c", shares=[1.0])
