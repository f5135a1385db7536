import re

import pytest

from spigot_allennlp.data.sst_format import SentimentTree, format_sst, parse_sst
from tests.data.sample_files import FIXTURES, REPOSITORY

LINES = (FIXTURES / "sst.txt").read_text(encoding="utf-8").splitlines()


def test_a_line_becomes_a_tree():
    tree = parse_sst("(3 (2 It) (4 (3 works) (2 .)))")
    works = SentimentTree(4, children=(SentimentTree(3, "works"), SentimentTree(2, ".")))
    assert tree == SentimentTree(3, children=(SentimentTree(2, "It"), works))
    assert tree.words == ["It", "works", "."]
    assert [phrase.label for phrase in tree.phrases()] == [3, 2, 4, 3, 2]


def test_brackets_are_escaped_in_the_file_alone():
    tree = parse_sst(LINES[8])
    assert tree.words == "A sketch ( in two parts ) .".split()
    assert format_sst(tree) == LINES[8]


def test_the_sample_sentences_are_the_same_when_they_are_written_again():
    assert [format_sst(parse_sst(line)) for line in LINES] == LINES
    assert {parse_sst(line).label for line in LINES} == {0, 1, 2, 3, 4}


def test_the_stanford_treebank_is_the_same_when_it_is_written_again():
    path = REPOSITORY.parent / "shared" / "data" / "sst" / "dev.txt"
    if not path.exists():
        pytest.skip("the Stanford Sentiment Treebank is not here")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [format_sst(parse_sst(line)) for line in lines] == lines


@pytest.mark.parametrize(
    "line, message",
    [
        ("", "the line is empty"),
        ("(3 (2 It) (3 works", "the line ends before the bracket of character 11 is closed"),
        ("(7 It)", "the label '7' at character 2 is not one of 0, 1, 2, 3, 4"),
        ("(3 (2 It) (3 works)) .", "more after the tree, from character 22 on"),
        ("It works", "'It' at character 1 is outside the brackets"),
        ("(3)", "the phrase of character 1 holds no word"),
        ("()", "the phrase of character 1 has no label"),
        ("(3 It works)", "'works' at character 7 is one word too many for a phrase"),
        ("(3 (2 It) works)", "'works' at character 11 is one word too many for a phrase"),
        ("(3 It (3 works))", "the phrase of character 1 holds a word and phrases"),
        ("((2 It) (3 works))", "the phrase of character 1 has no label"),
    ],
)
def test_what_is_wrong_with_a_line_is_told_with_its_place(line, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_sst(line)


@pytest.mark.parametrize(
    "tree, message",
    [
        (SentimentTree(5, "good"), "the label 5 is not one of"),
        (SentimentTree(3, ""), "'' cannot be a word"),
        (SentimentTree(3, "two words"), "'two words' cannot be a word"),
    ],
)
def test_a_tree_that_cannot_be_read_again_is_not_written(tree, message):
    with pytest.raises(ValueError, match=message):
        format_sst(tree)
