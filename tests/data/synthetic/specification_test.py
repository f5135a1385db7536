import re

import pytest

from spigot_allennlp.data.synthetic.specification import parse_specification


def test_what_is_left_out_has_its_default():
    assert parse_specification("synthetic:") == (1000, 1, 4, 35)
    assert parse_specification("synthetic:size=7") == (7, 1, 4, 35)
    text = "synthetic: seed=0, size=20, max_length=9, min_length=5"
    assert parse_specification(text) == (20, 0, 5, 9)


@pytest.mark.parametrize(
    "text, message",
    [
        ("train.sdp", "'train.sdp' names no embedded data set; write \"synthetic:size=2000"),
        ("synthetic:sise=3", "no key 'sise'; known are size, seed.* Did you mean \"size\"?"),
        ("synthetic:size=many", "size is 'many', but must be a whole number from 1 on; write"),
        ("synthetic:size=0", "size is '0', but must be a whole number from 1 on"),
        ("synthetic:seed=-1", "seed is '-1', but must be a whole number from 0 on"),
        ("synthetic:size", "size has no value, but must be"),
        ("synthetic:size=1.5", "size is '1.5'"),
        ("synthetic:size=3,size=4", "size is given twice; leave one out"),
        ("synthetic:min_length=40", "min_length is 40 and max_length is 35"),
        ("synthetic:max_length=3", "max_length is '3', but must be a whole number from 4 on"),
    ],
)
def test_a_specification_that_is_wrong_names_key_value_and_the_way_out(text, message):
    with pytest.raises(ValueError, match=re.sub(r"([?])", r"\\\1", message)):
        parse_specification(text)
