import re

import pytest

from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.sentiment import classes_of_labels
from spigot_allennlp.data.formats.sst import (
    SentimentLabelError,
    SentimentTree,
    format_sst,
    parse_sst,
    scan_sst,
    unescape,
)
from tests.data.sample_files import SST, stanford

LINES = SST.read_text(encoding="utf-8").splitlines()
CLASSES = classes_of_labels("3-class")


def test_a_line_becomes_a_tree():
    tree = parse_sst("(3 (2 It) (4 (3 works) (2 .)))")
    works = SentimentTree(4, children=(SentimentTree(3, "works"), SentimentTree(2, ".")))
    assert tree == SentimentTree(3, children=(SentimentTree(2, "It"), works))
    assert tree.words == ["It", "works", "."]
    assert [phrase.label for phrase in tree.phrases()] == [3, 2, 4, 3, 2]


def test_words_are_kept_as_they_stand_in_the_file():
    assert parse_sst(LINES[8]).words == "A sketch -LRB- in two parts -RRB- .".split()


def test_a_word_may_have_a_no_break_space_in_it():
    line = "(3 (2 2\xa01\\/2) (3 stars))"
    assert parse_sst(line).words == ["2\xa01\\/2", "stars"]
    assert format_sst(parse_sst(line)) == line


def test_the_sample_sentences_are_the_same_when_they_are_written_again():
    assert [format_sst(parse_sst(line)) for line in LINES] == LINES
    assert {parse_sst(line).label for line in LINES} == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("name, count", [("train.txt", 8544), ("dev.txt", 1101)])
def test_the_stanford_treebank_is_the_same_when_it_is_written_again(name, count):
    text = stanford(name).read_text(encoding="utf-8")
    lines = text.split("\n")[:-1]
    assert len(lines) == count
    assert "".join(format_sst(parse_sst(line)) + "\n" for line in lines) == text


def test_each_line_of_a_file_is_a_sentence_with_its_class_and_its_place():
    sentences = list(scan_sst(str(SST), CLASSES))
    assert [sentence.label for sentence in sentences] == list("2200201210")
    assert sentences[3].words == "Its plot is dull and dreadful .".split()
    assert sentences[3].source == f"{SST}:4"


def test_each_phrase_of_a_tree_is_a_sentence_where_that_is_asked_for():
    sentences = list(scan_sst(str(SST), CLASSES, phrases=True))
    assert [(" ".join(sentence.words), sentence.label) for sentence in sentences[:6]] == [
        ("Lovely !", "2"),
        ("Lovely", "2"),
        ("!", "1"),
        ("The old play is simply superb .", "2"),
        ("The old play", "1"),
        ("The", "1"),
    ]
    assert sentences[5].source == f"{SST}:2"
    # A binary tree of n words has 2n - 1 phrases.
    assert len(sentences) == sum(2 * len(parse_sst(line).words) - 1 for line in LINES)


def test_a_line_that_cannot_be_read_is_an_error_in_the_place_of_its_sentences(tmp_path):
    path = tmp_path / "sst.txt"
    path.write_text(f"{LINES[0]}\n(3 (7 It) (3 works))\n{LINES[1][:-9]}")
    sentence, label, cut = scan_sst(str(path), CLASSES)
    assert sentence.words == ["Lovely", "!"]
    assert isinstance(label, MalformedInputError)
    assert (label.fault, label.line) == (Fault.LABEL, 2)
    assert (cut.fault, cut.line) == (Fault.BRACKETS, 3)
    assert "the line ends before the bracket of character" in str(cut)


def test_a_wrong_label_is_distinguished_from_a_wrong_bracket():
    with pytest.raises(SentimentLabelError):
        parse_sst("(7 It)")


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
def test_what_is_wrong_with_a_line_is_reported_with_its_place(line, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_sst(line)


@pytest.mark.parametrize(
    "tree, message",
    [
        (SentimentTree(5, "good"), "the label 5 is not one of"),
        (SentimentTree(3, ""), "'' cannot be a word"),
        (SentimentTree(3, "two words"), "'two words' cannot be a word"),
        (SentimentTree(3, "("), r"'\(' cannot be a word: .* A bracket is written -LRB-"),
    ],
)
def test_a_tree_that_cannot_be_read_again_is_not_written(tree, message):
    with pytest.raises(ValueError, match=message):
        format_sst(tree)


def test_a_tree_may_be_far_deeper_than_python_calls_functions():
    depth = 10_000
    line = "(3 (2 It) " * depth + "(3 works)" + ")" * depth
    tree = parse_sst(line)
    assert len(tree.words) == depth + 1
    assert sum(phrase.label == 3 for phrase in tree.phrases()) == depth + 1
    assert format_sst(tree) == line


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
