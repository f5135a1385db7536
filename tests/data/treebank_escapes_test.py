import pytest

from spigot_allennlp.data.treebank_escapes import unescape


@pytest.mark.parametrize(
    "word, sign",
    [
        ("-LRB-", "("),
        ("-RRB-", ")"),
        ("-LSB-", "["),
        ("-RCB-", "}"),
        ("writer\\/director", "writer/director"),
        ("\\*\\*\\*", "***"),
        ("21\\/2", "21/2"),
        ("a-LRB-n-RRB-", "a(n)"),
    ],
)
def test_an_escape_is_undone_wherever_it_stands_in_a_word(word, sign):
    assert unescape(word) == sign


@pytest.mark.parametrize("word", ["well-made", "LRB", "-lrb-", "\\", "--", "``"])
def test_other_words_are_left_alone(word):
    assert unescape(word) == word
