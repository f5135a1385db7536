import pytest

from spigot_allennlp.data.errors import Fault, MalformedInputError
from spigot_allennlp.data.sentiment_columns import scan_sentiment_columns
from spigot_allennlp.data.sentiment_sentence import classes_of_labels
from tests.data.sample_files import SST_COLUMNS

CLASSES = classes_of_labels("5-class")


def scan(tmp_path, *rows: str, classes=CLASSES) -> list:
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
    (sentence,) = scan(tmp_path, *rows)
    assert sentence.label == "3"


def test_a_label_may_have_a_name(tmp_path):
    (sentence,) = scan(tmp_path, "1\ta\t_\t_\tPositive", classes=classes_of_labels("2-class"))
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
def test_what_is_wrong_with_a_sentence_is_told_with_its_line(tmp_path, rows, fault, line, detail):
    (error,) = scan(tmp_path, *rows)
    assert isinstance(error, MalformedInputError)
    assert (error.fault, error.line) == (fault, line)
    with pytest.raises(MalformedInputError, match=detail):
        raise error
