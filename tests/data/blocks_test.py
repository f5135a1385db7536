import pytest

from spigot_allennlp.data.blocks import identifier_of, read_blocks
from spigot_allennlp.data.errors import Fault, MalformedInputError


def blocks_of(tmp_path, text: str):
    path = tmp_path / "file"
    path.write_text(text, encoding="utf-8", newline="")
    return list(read_blocks(str(path), "sdp"))


def test_an_empty_line_ends_a_sentence(tmp_path):
    first, second = blocks_of(tmp_path, "#a\n1\tx\n2\ty\n\n1\tz\n\n")
    assert (first.comments, first.rows, first.lines) == (("#a",), ("1\tx", "2\ty"), (2, 3))
    assert (second.comments, second.rows, second.lines) == ((), ("1\tz",), (5,))
    assert first.fault is None and second.fault is None


def test_the_last_empty_line_may_be_missing(tmp_path):
    for text in ("1\tx\n\n", "1\tx\n", "1\tx", "1\tx\n\n\n\n"):
        (block,) = blocks_of(tmp_path, text)
        assert block.rows == ("1\tx",)
        assert block.fault is None


def test_further_empty_lines_are_kept_with_the_comments(tmp_path):
    _, block = blocks_of(tmp_path, "1\tx\n\n\n#a\n\n1\ty\n")
    assert block.comments == ("", "#a", "")


@pytest.mark.parametrize("start", ["#b\n1\tz", "1\tz", "1-2\tz\n1\tz", "0.1\tz\n1\tz"])
def test_a_missing_empty_line_is_a_fault_of_both_sentences_and_of_no_other(tmp_path, start):
    text = f"1\tx\n2\ty\n{start}\n\n1\tw\n\n"
    first, second, third = blocks_of(tmp_path, text)
    assert first.rows == ("1\tx", "2\ty")
    assert first.fault.fault is second.fault.fault is Fault.MISSING_EMPTY_LINE
    assert first.fault.line == second.fault.line == 3
    assert third.fault is None


def test_ranges_and_empty_nodes_before_the_first_word_start_no_second_sentence(tmp_path):
    (block,) = blocks_of(tmp_path, "0.1\tx\n1-2\tx\n1\tx\n2\tx\n10-11\tx\n")
    assert block.fault is None


@pytest.mark.parametrize("space", [" ", "\t", "\u00a0"])
def test_white_space_on_an_empty_line_is_a_fault_and_still_ends_the_sentence(tmp_path, space):
    first, second = blocks_of(tmp_path, f"1\tx\n{space}\n1\ty\n\n")
    assert (first.fault.fault, first.fault.line) == (Fault.WHITE_SPACE_LINE, 2)
    assert second.fault is None


def test_comments_at_the_end_are_a_fault(tmp_path):
    _, block = blocks_of(tmp_path, "1\tx\n\n#cut\n")
    assert (block.rows, block.fault.fault, block.fault.line) == ((), Fault.NO_TOKENS, 3)


def test_a_fault_of_a_line_is_that_of_its_sentence(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"1\tx\r\n\r\n1\ty\n\n1\t\xe9\n")
    faults = [block.fault and block.fault.fault for block in read_blocks(str(path), "sdp")]
    assert faults == [Fault.CARRIAGE_RETURN, None, Fault.ENCODING]


def test_cells_refuses_an_empty_column(tmp_path):
    (block,) = blocks_of(tmp_path, "1\tx\n2\t\tz\n")
    with pytest.raises(MalformedInputError, match=":2: an empty column: column 2"):
        block.cells()


@pytest.mark.parametrize(
    "comments, identifier",
    [
        (["#SDP 2015", "#20001001"], "20001001"),
        (["# newpar", "# sent_id = a = b", "# text = x"], "a = b"),
        (["#one", "# sent_id=two"], "two"),
        (["# newdoc", "# text = x", "", "#"], None),
        ([], None),
    ],
)
def test_the_identifier_is_sent_id_or_a_comment_of_one_word(comments, identifier):
    assert identifier_of(comments) == identifier
