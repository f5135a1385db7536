import pytest

from spigot_allennlp.data.errors import Fault, MalformedInputError
from spigot_allennlp.data.numbered_lines import Line
from spigot_allennlp.data.sentence_lines import sentence_lines


def lines_of(tmp_path, content: bytes) -> list:
    path = tmp_path / "data.txt"
    path.write_bytes(content)
    return list(sentence_lines(str(path), "sst"))


def test_a_line_comes_with_its_number(tmp_path):
    assert lines_of(tmp_path, b"one\ntwo\n") == [Line(1, "one"), Line(2, "two")]


@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n \n"])
def test_empty_lines_at_the_end_do_not_count(tmp_path, end):
    assert [line.text for line in lines_of(tmp_path, b"one\ntwo" + end)] == ["one", "two"]


def test_an_empty_line_before_a_sentence_is_an_error_that_names_it(tmp_path):
    first, one, third, fourth, two = lines_of(tmp_path, b"\none\n \n\ntwo\n")
    assert (one.text, two.text) == ("one", "two")
    for error, number in ((first, 1), (third, 3), (fourth, 4)):
        assert isinstance(error, MalformedInputError)
        assert (error.fault, error.line) == (Fault.EMPTY_LINE, number)


def test_a_line_with_a_fault_becomes_its_error(tmp_path):
    one, error = lines_of(tmp_path, b"one\ncaf\xe9\n")
    assert one.text == "one"
    assert (error.fault, error.line) == (Fault.ENCODING, 2)


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_a_file_without_a_sentence_is_an_error(tmp_path, content):
    (error,) = lines_of(tmp_path, content)
    assert error.fault is Fault.EMPTY_FILE
