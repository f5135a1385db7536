import pytest

from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.sentiment import (
    GRADES,
    classes_of_labels,
    find_sentiment_layout,
    scan_sentiment_columns,
    scan_sentiment_lines,
)
from tests.data.sample_files import SST, SST_COLUMNS, SST_LINES

CLASSES = classes_of_labels("5-class")


def scan_columns(tmp_path, *rows: str, classes=CLASSES) -> list:
    path = tmp_path / "columns.txt"
    path.write_text("".join(row + "\n" for row in rows))
    return list(scan_sentiment_columns(str(path), classes))


def test_a_sentence_has_words_lemmas_tags_and_one_label():
    sentences = list(scan_sentiment_columns(str(SST_COLUMNS), CLASSES))
    assert len(sentences) == 10
    sentence = sentences[3]
    assert sentence.words == "Its plot is dull and dreadful .".split()
    assert sentence.lemmas == "its plot be dull and dreadful .".split()
    assert sentence.pos == "PRP$ NN VBZ JJ CC JJ .".split()
    assert (sentence.label, sentence.identifier) == ("0", "sst_4")
    assert sentence.source == f"{SST_COLUMNS}:24"


@pytest.mark.parametrize("labels", ["33", "3_", "_3"])
def test_a_label_may_be_left_out_where_another_line_has_it(tmp_path, labels):
    rows = (f"{number}\ta\t_\t_\t{label}" for number, label in enumerate(labels, 1))
    (sentence,) = scan_columns(tmp_path, *rows)
    assert sentence.label == "3"


def test_a_label_may_have_a_name(tmp_path):
    (sentence,) = scan_columns(
        tmp_path, "1\ta\t_\t_\tPositive", classes=classes_of_labels("2-class")
    )
    assert sentence.label == "1"


@pytest.mark.parametrize(
    "rows, fault, line, detail",
    [
        (["1\ta\t_\t_\t3", "2\tb\t_\t_\t4"], Fault.LABEL, 2, "'4', where an earlier line .* '3'"),
        (["1\ta\t_\t_\t7"], Fault.LABEL, 1, "'7' is not one of 0, 1, 2, 3, 4, very negative"),
        (["1\ta\t_\t_\t_", "2\tb\t_\t_\t_"], Fault.LABEL, 1, "no line of the sentence has one"),
        (["1\ta\t_\t3"], Fault.COLUMN_COUNT, 1, "4 columns, where there are 5: id form lemma pos"),
        (["1\ta\t_\t_\t3", "3\tb\t_\t_\t3"], Fault.TOKEN_ID, 2, "'3' where 2 is due"),
        (["1\t\t_\t_\t3"], Fault.EMPTY_COLUMN, 1, "column 2"),
        ([""], Fault.EMPTY_FILE, 1, "no line has a token"),
    ],
)
def test_a_fault_of_a_sentence_has_its_line(tmp_path, rows, fault, line, detail):
    (error,) = scan_columns(tmp_path, *rows)
    assert isinstance(error, MalformedInputError)
    assert (error.fault, error.line) == (fault, line)
    with pytest.raises(MalformedInputError, match=detail):
        raise error


def scan_lines(tmp_path, text: str, granularity: str = "2-class") -> list:
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
    assert [sentence.label for sentence in scan_lines(tmp_path, text)] == ["0", "1", "1", "0", None]


def test_words_are_parted_by_spaces_alone(tmp_path):
    (sentence,) = scan_lines(tmp_path, "1\t 2\xa01/2  stars \n")
    assert sentence.words == ["2\xa01/2", "stars"]


@pytest.mark.parametrize(
    "line, fault, detail",
    [
        ("2\tgood", Fault.FINER_LABELS, "the label '2' is not one of 0, 1, very negative"),
        ("7\tgood", Fault.LABEL, "the label '7' is not one of 0, 1, very negative"),
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
def test_a_fault_of_a_line_has_its_number(tmp_path, line, fault, detail):
    _, error = scan_lines(tmp_path, f"0\tdull\n{line}\n")
    assert isinstance(error, MalformedInputError)
    assert (error.fault, error.line) == (fault, 2)
    with pytest.raises(MalformedInputError, match=detail):
        raise error


@pytest.mark.parametrize("between", ["", "\n", " \n\n"])
def test_a_line_feed_within_a_sentence_costs_both_halves(tmp_path, between):
    results = scan_lines(tmp_path, f"0\tdull\n1\tvery\n{between}good\n1\tfine\n")
    kept = [result.words for result in results if not isinstance(result, MalformedInputError)]
    faults = [result.fault for result in results if isinstance(result, MalformedInputError)]
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
def test_a_header_is_recognised(tmp_path, header, fault):
    error, *_ = scan_lines(tmp_path, f"{header}\n1\tgood\n")
    assert (error.fault, error.line) == (fault, 1)


def test_the_words_of_a_header_are_words_in_any_other_line(tmp_path):
    _, sentence = scan_lines(tmp_path, "1\tgood\n0\tsentence\n")
    assert sentence.words == ["sentence"]


@pytest.mark.parametrize(
    "path, layout", [(SST, "trees"), (SST_COLUMNS, "columns"), (SST_LINES, "lines")]
)
def test_the_layout_of_a_file_is_found(path, layout):
    assert find_sentiment_layout(str(path)) == layout


@pytest.mark.parametrize(
    "path, layout", [(SST, "trees"), (SST_COLUMNS, "columns"), (SST_LINES, "lines")]
)
def test_a_malformed_beginning_does_not_hide_it(tmp_path, path, layout):
    text = "3 (3 (2 It)\t works\t\n1\ta\tb\n\n" + path.read_text(encoding="utf-8")
    (tmp_path / "data").write_text(text, encoding="utf-8")
    assert find_sentiment_layout(str(tmp_path / "data")) == layout


@pytest.mark.parametrize("text", ["", "\n\n", "no layout at all\n"])
def test_trees_are_the_layout_where_no_line_decides(tmp_path, text):
    (tmp_path / "data").write_text(text)
    assert find_sentiment_layout(str(tmp_path / "data")) == "trees"


@pytest.mark.parametrize(
    "granularity, of_file, expected",
    [
        ("5-class", "5-class", "01234"),
        ("3-class", "5-class", "00122"),
        ("2-class", "5-class", "00-11"),
        ("3-class", "3-class", "012"),
        ("2-class", "3-class", "0-1"),
        ("2-class", "2-class", "01"),
    ],
)
def test_a_number_of_the_file_becomes_a_class_that_is_as_negative(granularity, of_file, expected):
    classes = classes_of_labels(granularity, of_file)
    numbers = [str(number) for number in range(len(expected))]
    assert [classes[number] or "-" for number in numbers] == list(expected)
    assert set(classes) == {*numbers, *GRADES}


@pytest.mark.parametrize("of_file", ["2-class", "3-class", "5-class"])
def test_a_name_means_the_same_in_every_file(of_file):
    classes = classes_of_labels("2-class", of_file)
    assert [classes[name] for name in GRADES] == ["0", "0", None, "1", "1"]


@pytest.mark.parametrize(
    "granularity, of_file", [("5-class", "3-class"), ("5-class", "2-class"), ("3-class", "2-class")]
)
def test_a_file_cannot_tell_more_classes_than_it_has(granularity, of_file):
    with pytest.raises(ValueError, match=f"{of_file} labels cannot tell .* {granularity}"):
        classes_of_labels(granularity, of_file)
