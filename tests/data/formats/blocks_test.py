import logging

import pytest

from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats import blocks
from spigot_allennlp.data.formats.blocks import (
    Block,
    head_of,
    identifier_of,
    join_columns,
    number_of,
    parse_blocks,
    read_blocks,
)


def blocks_of(tmp_path, text: str):
    path = tmp_path / "file"
    path.write_text(text, encoding="utf-8", newline="")
    return list(read_blocks(str(path)))


def test_an_empty_line_ends_a_sentence(tmp_path):
    first, second = blocks_of(tmp_path, "#a\n1\tx\n2\ty\n\n1\tz\n\n")
    assert (first.comments, first.rows, first.line_numbers) == (("#a",), ("1\tx", "2\ty"), (2, 3))
    assert (second.comments, second.rows, second.line_numbers) == ((), ("1\tz",), (5,))
    assert first.error is None and second.error is None


def test_the_last_empty_line_may_be_missing(tmp_path):
    for text in ("1\tx\n\n", "1\tx\n", "1\tx", "1\tx\n\n\n\n"):
        (block,) = blocks_of(tmp_path, text)
        assert block.rows == ("1\tx",)
        assert block.error is None


def test_further_empty_lines_are_kept_with_the_comments(tmp_path):
    _, block = blocks_of(tmp_path, "1\tx\n\n\n\n# of no one\n1\ty\n")
    assert block.comments == ("", "", "# of no one")
    assert block.error is None


def test_what_stands_at_the_beginning_of_a_file_may_be_parted_by_an_empty_line(tmp_path):
    (block,) = blocks_of(tmp_path, "# a header\n\n# of no one\n\n1\ty\n")
    assert block.comments == ("# a header", "", "# of no one", "")
    assert block.error is None


@pytest.mark.parametrize("comment", ["# of no one", "#b1\tYes\t_"])
def test_comments_of_which_an_empty_line_makes_a_sentence_of_none(tmp_path, comment):
    _, block, _ = blocks_of(tmp_path, f"1\tx\n\n{comment}\n\n1\ty\n")
    assert (block.comments[0], block.error.fault) == (comment, Fault.NO_TOKENS)
    first, _ = blocks_of(tmp_path, "#b1\tYes\t_\n\n1\ty\n")
    assert first.error.fault is Fault.NO_TOKENS


@pytest.mark.parametrize("name", ["#a", "# sent_id = a"])
def test_a_name_that_an_empty_line_parts_from_the_tokens_is_a_sentence_without_any(tmp_path, name):
    text = f"#b\n1\tx\n\n{name}\n\n# sent_id = c\n1\ty\n\n"
    first, empty, last = blocks_of(tmp_path, text)
    assert [identifier_of(block.comments) for block in (first, empty, last)] == ["b", "a", "c"]
    assert (empty.rows, empty.error.fault, empty.error.line) == ((), Fault.NO_TOKENS, 4)
    assert first.error is last.error is None


def test_two_names_by_sent_id_are_a_fault_and_the_same_twice_is_none(tmp_path):
    (block,) = blocks_of(tmp_path, "# sent_id = a\n# sent_id = a\n1\tx\n\n")
    (two,) = blocks_of(tmp_path, "# sent_id = a\n# sent_id = b\n1\tx\n\n")
    assert block.error is None
    assert (two.error.fault, two.error.line) == (Fault.SENTENCE_ID, 3)


@pytest.mark.parametrize(
    "between, fault, line",
    [
        ("\n", Fault.EMPTY_LINE_WITHIN, 3),
        ("\n\n\n", Fault.EMPTY_LINE_WITHIN, 3),
        ("\n# note here\n", Fault.EMPTY_LINE_WITHIN, 3),
        ("# note here\n", Fault.COMMENT_WITHIN, 3),
        ("# note here\n\n", Fault.COMMENT_WITHIN, 3),
        (" \n", Fault.WHITE_SPACE_LINE, 3),
    ],
)
@pytest.mark.parametrize(
    "go_on", ["3\tz", "3-4\tz\n3\tz\n4\tz", "2.1\tz\n3\tz", "\tARG1\n3\tz", "RG1"]
)
def test_where_the_ids_go_on_it_is_one_sentence_with_the_fault(
    tmp_path, between, fault, line, go_on
):
    text = f"1\tx\n2\ty\n{between}{go_on}\n\n1\tw\n\n"
    broken, sound = blocks_of(tmp_path, text)
    assert broken.rows == ("1\tx", "2\ty", *go_on.split("\n"))
    assert (broken.error.fault, broken.error.line) == (fault, line)
    assert (sound.rows, sound.error) == (("1\tw",), None)


@pytest.mark.parametrize("start", ["#b\n3\tz", "4\tz", "2\tz", "03\tz", "#b\nx\tz"])
def test_a_sentence_that_does_not_continue_another_does_not_spoil_it(tmp_path, start):
    first, _ = blocks_of(tmp_path, f"1\tx\n2\ty\n\n{start}\n\n")
    assert first.rows == ("1\tx", "2\ty")
    assert first.error is None


def test_rows_that_are_none_do_not_take_a_sound_sentence_with_them(tmp_path):
    bad, sound = blocks_of(tmp_path, "nothing of the kind\n\n1\tx\n\n")
    assert (bad.rows, sound.rows, sound.error) == (("nothing of the kind",), ("1\tx",), None)


def test_a_sentence_that_is_too_long_is_not_kept_and_the_next_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "SENTENCE_LIMIT", 1000)
    rows = "".join(f"{number}\tx\n" for number in range(1, 50))
    long, sound = blocks_of(tmp_path, f"{rows}\n1\ty\n\n")
    assert len(long.rows) < 10
    assert (long.error.fault, long.error.line) == (Fault.SENTENCE_TOO_LONG, len(long.rows) + 1)
    assert (sound.rows, sound.error) == (("1\ty",), None)


@pytest.mark.parametrize(
    "text, reason",
    [
        ("1\tx\n", "the file ends without the empty line that ends a sentence"),
        ("1\tx", "the file ends without a line feed"),
        ("1\tx\n\n", None),
    ],
)
def test_a_missing_end_of_a_file_is_warned_of_once_the_sentence_is_read(
    tmp_path, caplog, text, reason
):
    (tmp_path / "file").write_text("1\tw\n\n" + text)
    path = str(tmp_path / "file")
    with caplog.at_level(logging.WARNING):
        assert len(list(parse_blocks(path, read_blocks(path), Block.columns))) == 2
    messages = [record.getMessage() for record in caplog.records]
    assert [message.startswith(f"{path}:3: {reason}. ") for message in messages] == [True] * bool(
        reason
    )


@pytest.mark.parametrize("start", ["#b\n1\tz", "1\tz", "1-2\tz\n1\tz", "0.1\tz\n1\tz"])
def test_a_missing_empty_line_is_a_fault_of_both_sentences_and_of_no_other(tmp_path, start):
    text = f"1\tx\n2\ty\n{start}\n\n1\tw\n\n"
    first, second, third = blocks_of(tmp_path, text)
    assert first.rows == ("1\tx", "2\ty")
    assert first.error.fault is second.error.fault is Fault.MISSING_EMPTY_LINE
    assert first.error.line == second.error.line == 3
    assert third.error is None


def test_ranges_and_empty_nodes_before_the_first_word_start_no_second_sentence(tmp_path):
    (block,) = blocks_of(tmp_path, "0.1\tx\n1-2\tx\n1\tx\n2\tx\n10-11\tx\n")
    assert block.error is None


@pytest.mark.parametrize("space", [" ", "\t", "\u00a0"])
def test_white_space_on_an_empty_line_is_a_fault_and_still_ends_the_sentence(tmp_path, space):
    first, second = blocks_of(tmp_path, f"1\tx\n{space}\n1\ty\n\n")
    assert (first.error.fault, first.error.line) == (Fault.WHITE_SPACE_LINE, 2)
    assert second.error is None


def test_comments_at_the_end_are_a_fault(tmp_path):
    _, block = blocks_of(tmp_path, "1\tx\n\n#cut\n")
    assert (block.rows, block.error.fault, block.error.line) == ((), Fault.NO_TOKENS, 3)


def test_a_fault_of_a_line_is_that_of_its_sentence(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"1\tx\r\n\r\n1\ty\n\n1\t\xe9\n")
    faults = [block.error and block.error.fault for block in read_blocks(str(path))]
    assert faults == [Fault.CARRIAGE_RETURN, None, Fault.ENCODING]


def test_columns_refuses_an_empty_column(tmp_path):
    (block,) = blocks_of(tmp_path, "1\tx\n2\t\tz\n")
    with pytest.raises(MalformedInputError, match=":2: an empty column: column 2"):
        block.columns()


@pytest.mark.parametrize(
    "comments, identifier",
    [
        (["#SDP 2015", "#20001001"], "20001001"),
        (["# newpar", "# sent_id = a = b", "# text = x"], "a = b"),
        (["#one", "# sent_id=two"], "two"),
        (["# sent_id=two", "#one"], "two"),
        (["#20001002", "#20001003"], "20001003"),
        (["# newdoc", "# text = x", "", "#"], None),
        ([], None),
    ],
)
def test_the_identifier_is_sent_id_or_a_comment_of_one_word(comments, identifier):
    assert identifier_of(comments) == identifier


@pytest.mark.parametrize("text, number", [("0", 0), ("7", 7), ("999999999", 999999999)])
def test_a_number_is_what_a_computer_writes(text, number):
    assert number_of(text) == number


@pytest.mark.parametrize(
    "text", ["", "01", "+1", "-1", "1_0", " 1", "1\n", "１", "²", "٢", "1.0", "1" * 10, "9" * 5000]
)
def test_no_other_text_is_a_number(text):
    assert number_of(text) is None


BLOCK = Block("file", (), ("1\ta", "2\tb"), (4, 5))


@pytest.mark.parametrize("column, head", [("_", None), ("0", 0), ("2", 2)])
def test_a_head_is_a_number_or_not_given(column, head):
    assert head_of(BLOCK, 0, column, length=2) == head


@pytest.mark.parametrize("column", ["3", "-1", "+1", "02", "1.0", "x", "²", "٢"])
def test_no_other_text_is_a_head(column):
    with pytest.raises(MalformedInputError, match="file:5: no such head"):
        head_of(BLOCK, 1, column, length=2)


def test_columns_are_parted_by_tabs():
    assert join_columns(["1", "a b", "_"]) == "1\ta b\t_"


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("column", ["", "\t", "a\tb", "a\n", "\r", "\0", " a", "a ", " ", "\ud83d"])
def test_a_column_that_is_none_is_not_written(column, place):
    columns = ["1", "a b"]
    columns.insert(place, column)
    with pytest.raises(ValueError, match="cannot be a column"):
        join_columns(columns)
    with pytest.raises(ValueError, match="cannot be a column"):
        join_columns([column])
