import pytest

from spigot_allennlp.data.errors import Fault, MalformedInputError
from spigot_allennlp.data.sentiment_lines import scan_sentiment_lines
from spigot_allennlp.data.sentiment_sentence import classes_of_labels
from tests.data.sample_files import SST_LINES


def scan(tmp_path, text: str, granularity: str = "2-class") -> list:
    path = tmp_path / "lines.tsv"
    path.write_text(text, encoding="utf-8")
    return list(scan_sentiment_lines(str(path), classes_of_labels(granularity, granularity)))


def test_a_line_is_a_label_and_words():
    sentences = list(scan_sentiment_lines(str(SST_LINES), classes_of_labels("5-class")))
    assert len(sentences) == 10
    assert sentences[6].words == "They arrived at noon .".split()
    assert (sentences[6].label, sentences[6].source) == ("2", f"{SST_LINES}:7")
    assert sentences[6].lemmas is sentences[6].pos is None


def test_numbers_count_the_classes_and_names_are_as_good(tmp_path):
    text = "0\tdull\n1\tgood\npositive\tgood\nVery Negative\tdull\nneutral\tthere\n"
    assert [sentence.label for sentence in scan(tmp_path, text)] == ["0", "1", "1", "0", None]


def test_words_are_parted_by_spaces_alone(tmp_path):
    (sentence,) = scan(tmp_path, "1\t 2\xa01/2  stars \n")
    assert sentence.words == ["2\xa01/2", "stars"]


@pytest.mark.parametrize(
    "line, fault, detail",
    [
        ("2\tgood", Fault.LABEL, "the label '2' is not one of 0, 1, very negative"),
        ("good\tfilm", Fault.LABEL, "the label 'good' is not one of"),
        ("good\t1", Fault.COLUMN_ORDER, "'1' after the tab, and 'good' before it"),
        ("good \tPositive ", Fault.COLUMN_ORDER, "'Positive ' after the tab"),
        ("1 good", Fault.NO_TAB, "no tab between label and text: '1 good'"),
        ("1\tgood\t", Fault.TRAILING_TAB, "3 columns"),
        ("1\tgood\tfilm", Fault.COLUMN_COUNT, "3 columns"),
        ("1\t ", Fault.NO_WORDS, "nothing after the label"),
        ("1\t", Fault.NO_WORDS, "nothing after the label"),
    ],
)
def test_what_is_wrong_with_a_line_is_told_with_its_number(tmp_path, line, fault, detail):
    _, error = scan(tmp_path, f"0\tdull\n{line}\n")
    assert isinstance(error, MalformedInputError)
    assert (error.fault, error.line) == (fault, 2)
    with pytest.raises(MalformedInputError, match=detail):
        raise error


@pytest.mark.parametrize("between", ["", "\n", " \n\n"])
def test_a_line_feed_within_a_sentence_costs_both_halves(tmp_path, between):
    results = scan(tmp_path, f"0\tdull\n1\tvery\n{between}good\n1\tfine\n")
    kept = [one.words for one in results if not isinstance(one, MalformedInputError)]
    faults = [one.fault for one in results if isinstance(one, MalformedInputError)]
    assert kept == [["dull"], ["fine"]]
    assert faults == [Fault.EMPTY_LINE] * between.count("\n") + [Fault.LINE_WITHIN]


@pytest.mark.parametrize(
    "header, fault",
    [
        ("label\tsentence", Fault.HEADER_LINE),
        ("sentence\tlabel", Fault.TEXT_BEFORE_LABEL),
        ("Review\tSentiment", Fault.TEXT_BEFORE_LABEL),
        ("index\tsentence", Fault.NO_LABELS),
    ],
)
def test_a_header_is_told_as_what_it_is(tmp_path, header, fault):
    error, *_ = scan(tmp_path, f"{header}\n1\tgood\n")
    assert (error.fault, error.line) == (fault, 1)


def test_the_words_of_a_header_are_words_in_any_other_line(tmp_path):
    _, sentence = scan(tmp_path, "1\tgood\n0\tsentence\n")
    assert sentence.words == ["sentence"]
