import gzip
import lzma

import pytest

from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.lines import Line, numbered_lines, sentence_lines


def lines_of(tmp_path, content: bytes):
    path = tmp_path / "file"
    path.write_bytes(content)
    return list(numbered_lines(str(path)))


def test_lines_are_numbered_from_one_and_have_no_end(tmp_path):
    lines = lines_of(tmp_path, b"a\n\nb")
    assert [line[:3] for line in lines] == [(1, "a", None), (2, "", None), (3, "b", None)]


@pytest.mark.parametrize("content, is_ended", [(b"a\nb", False), (b"a\nb\n", True)])
def test_the_last_line_says_whether_a_line_feed_ends_it(tmp_path, content, is_ended):
    first, last = lines_of(tmp_path, content)
    assert first.is_ended
    assert last.is_ended == is_ended


def test_only_a_line_feed_ends_a_line(tmp_path):
    # Next line, line separator, vertical tab, form feed, file separator.
    text = "a\u0085b\u2028c\vd\fe\x1cf"
    assert [line.text for line in lines_of(tmp_path, text.encode() + b"\n")] == [text]


def test_a_byte_order_mark_is_a_fault_of_the_first_line_only(tmp_path):
    first, second = lines_of(tmp_path, b"\xef\xbb\xbfa\nb\n")
    assert (first.text, first.error.fault, first.error.line) == ("a", Fault.BYTE_ORDER_MARK, 1)
    assert second.error is None


def test_a_carriage_return_is_a_fault_wherever_it_stands(tmp_path):
    end, middle, clean = lines_of(tmp_path, b"a\r\nb\rc\nd\n")
    assert (end.text, end.error.fault) == ("a", Fault.CARRIAGE_RETURN)
    assert (middle.error.fault, middle.error.line) == (Fault.CARRIAGE_RETURN_WITHIN, 2)
    assert clean.error is None


def test_latin_1_is_a_fault_that_names_the_byte_and_keeps_the_columns(tmp_path):
    (line,) = lines_of(tmp_path, "1\tcafé\t_\n".encode("latin-1"))
    assert line.error.fault is Fault.ENCODING
    assert "E9 as byte 6" in line.error.detail
    assert line.text.split("\t") == ["1", "café", "_"]


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress])
def test_a_damaged_archive_is_an_error_of_the_same_kind(tmp_path, compress):
    content = b"".join(b"%d\n" % number for number in range(20000))
    with pytest.raises(MalformedInputError, match="compressed file is damaged") as caught:
        lines_of(tmp_path, compress(content)[:-40])
    assert caught.value.fault is Fault.DAMAGED_ARCHIVE


def test_a_file_is_read_as_a_stream(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(b"a\n" * 100000)[:-9])
    lines = numbered_lines(str(path))
    # The damage at the end is not met by those who read the beginning.
    assert next(lines).text == "a"


def sentence_lines_of(tmp_path, content: bytes) -> list:
    path = tmp_path / "data.txt"
    path.write_bytes(content)
    return list(sentence_lines(str(path)))


def test_a_line_comes_with_its_number(tmp_path):
    assert sentence_lines_of(tmp_path, b"one\ntwo\n") == [Line(1, "one"), Line(2, "two")]


@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n \n"])
def test_empty_lines_at_the_end_do_not_count(tmp_path, end):
    assert [line.text for line in sentence_lines_of(tmp_path, b"one\ntwo" + end)] == ["one", "two"]


def test_an_empty_line_before_a_sentence_is_an_error_that_names_it(tmp_path):
    first, second, third, fourth, last = sentence_lines_of(tmp_path, b"\none\n \n\ntwo\n")
    assert (second.text, last.text) == ("one", "two")
    for error, number in ((first, 1), (third, 3), (fourth, 4)):
        assert isinstance(error, MalformedInputError)
        assert (error.fault, error.line) == (Fault.EMPTY_LINE, number)


def test_a_line_with_a_fault_becomes_its_error(tmp_path):
    line, error = sentence_lines_of(tmp_path, b"one\ncaf\xe9\n")
    assert line.text == "one"
    assert (error.fault, error.line) == (Fault.ENCODING, 2)


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_a_file_without_a_sentence_is_an_error(tmp_path, content):
    (error,) = sentence_lines_of(tmp_path, content)
    assert error.fault is Fault.EMPTY_FILE
