"""Every kind of malformed input: one error under raise, an account under skip."""

import gzip
import logging
from typing import NamedTuple

import pytest

from spigot_allennlp.data.dataset_readers.conll import ConllReader
from spigot_allennlp.data.dataset_readers.sdp import SdpReader
from spigot_allennlp.data.dataset_readers.sentence_reader import SentenceReader
from spigot_allennlp.data.dataset_readers.sst import SstReader
from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import Fault

SDP = SdpReader
CONLL = ConllReader
SST = SstReader

# A sound sentence of each format, with its empty line; `N` and `M` are found again in what is left.
SDP_SOUND = (
    "1\t{0}\t_\tN\t-\t-\t_\t_\tARG1\n2\tb\t_\tV\t+\t+\t_\t_\t_\n3\tc\t_\tV\t-\t+\t_\t_\t_\n\n"
)
CONLL_SOUND = "1\t{0}\t_\t_\t_\t_\t2\tsubj\t2:subj\t_\n2\tb\t_\t_\t_\t_\t0\troot\t0:root\t_\n\n"
SOUND = {SDP: SDP_SOUND, CONLL: CONLL_SOUND, SST: "(3 (3 {0}) (2 !))\n"}


class Case(NamedTuple):
    """
    A sound sentence `N`, then `bad`, then a sound sentence `M`. The fault shows at `line` of the
    bad sentence. Under skip `left` of them are left out in all.
    """

    fault: Fault
    reader: type
    bad: str
    line: int = 1
    left: int = 1
    options: dict = {}
    encoding: str = "utf-8"


def conll(*heads: object) -> str:
    rows = [f"{i}\tx\t_\t_\t_\t_\t{head}\t_\t_\t_\n" for i, head in enumerate(heads, 1)]
    return "".join(rows) + "\n"


FLAGS = ("+\t+\t_\t_", "-\t-\t_\tARG1", "-\t-\t_\tARG1")

CASES = {
    "latin-1": Case(Fault.ENCODING, SDP, "1\tcafé\t_\tN\t+\t-\t_\n\n", encoding="latin-1"),
    "carriage return": Case(Fault.CARRIAGE_RETURN, SDP, "1\ta\t_\tN\t+\t-\t_\r\n\r\n"),
    "carriage return within": Case(
        Fault.CARRIAGE_RETURN_WITHIN, CONLL, conll(0, 1).replace("\n", "\r", 1)
    ),
    "byte order mark of a second file": Case(
        Fault.BYTE_ORDER_MARK_WITHIN, SDP, "\ufeff1\ta\t_\tN\t+\t-\t_\n\n"
    ),
    "a NUL": Case(Fault.NUL, SDP, "1\ta\0\t_\tN\t+\t-\t_\n\n"),
    "Cyrillic": Case(
        Fault.ENCODING_UNKNOWN, SDP, "1\tпривет\t_\tN\t+\t-\t_\n\n", encoding="koi8-r"
    ),
    "damaged UTF-8": Case(
        Fault.ENCODING_MIXED,
        SDP,
        "1\tÃ©\t_\tN\t+\t-\t_\n2\tÃ\t_\tN\t-\t-\t_\n\n",
        line=2,
        encoding="latin-1",
    ),
    "a line of four megabytes": Case(Fault.LINE_TOO_LONG, SST, f"(3 {'x' * 2**22})\n"),
    "an empty line within": Case(
        Fault.EMPTY_LINE_WITHIN, CONLL, conll(0, 1).replace("\n", "\n\n", 1), 2
    ),
    "a comment within": Case(
        Fault.COMMENT_WITHIN, CONLL, conll(0, 1).replace("\n", "\n# note\n", 1), 2
    ),
    "a name without tokens": Case(Fault.NO_TOKENS, SDP, "#1\n\n"),
    "two names": Case(Fault.SENTENCE_ID, CONLL, "# sent_id = 1\n# sent_id = 2\n" + conll(0), 3),
    "a tab at the end": Case(Fault.TRAILING_TAB, SDP, "1\ta\t_\tN\t+\t-\t_\t\n\n"),
    "a space before a tab": Case(Fault.COLUMN_SPACE, SDP, "1\ta\t_\tN\t+\t+\t_\t_ \n\n"),
    "white space": Case(Fault.WHITE_SPACE_LINE, SDP, "1\ta\t_\tN\t+\t-\t_\n \n", line=2),
    "missing empty line": Case(
        Fault.MISSING_EMPTY_LINE, SDP, "1\ta\t_\tN\t+\t-\t_\n1\ta\t_\tN\t+\t-\t_\n\n", 2, left=2
    ),
    "missing empty line before a comment": Case(
        Fault.MISSING_EMPTY_LINE, CONLL, conll(0).strip() + "\n# sent_id = 2\n" + conll(0), 2, 2
    ),
    "ids with a gap": Case(Fault.TOKEN_ID, SDP, "1\ta\t_\tN\t+\t-\t_\n3\tb\t_\tN\t-\t-\t_\n\n", 2),
    "ids from two": Case(Fault.TOKEN_ID, CONLL, conll(0).replace("1\t", "2\t", 1)),
    "unequal lines": Case(
        Fault.COLUMN_COUNT, SDP, "1\ta\t_\tN\t+\t-\t_\n2\tb\t_\tN\t-\t-\t_\t_\n\n", 2
    ),
    "too few columns": Case(Fault.COLUMN_COUNT, SDP, "1\ta\t_\tN\t+\t-\n\n"),
    "spaces for tabs": Case(Fault.COLUMN_COUNT, CONLL, "1 a _ _ _ _ 0 _ _ _\n\n"),
    "eleven columns": Case(Fault.COLUMN_COUNT, CONLL, conll(0).replace("\n", "\t_\n", 1)),
    "an empty column": Case(Fault.EMPTY_COLUMN, SDP, "1\ta\t\tN\t+\t-\t_\n\n"),
    "a bad top flag": Case(Fault.FLAG, SDP, "1\ta\t_\tN\t0\t-\t_\n\n"),
    "a bad predicate flag": Case(
        Fault.FLAG, SDP, "1\ta\t_\tN\t+\t-\t_\n2\tb\t_\tN\t-\t*\t_\n\n", 2
    ),
    "an argument column with no predicate": Case(
        Fault.ARGUMENT_COLUMNS, SDP, "1\ta\t_\tN\t+\t+\t_\t_\t_\n\n"
    ),
    "a predicate with no argument column": Case(
        Fault.ARGUMENT_COLUMNS, SDP, "1\ta\t_\tN\t+\t+\t_\n\n"
    ),
    "a head out of range": Case(Fault.HEAD, CONLL, conll(0, 3), 2),
    "a head that is no number": Case(Fault.HEAD, CONLL, conll("root", 1)),
    "a word without head": Case(Fault.HEAD, CONLL, conll(0, "_"), 2),
    "a cycle": Case(Fault.CYCLE, CONLL, conll(0, 3, 2), 2),
    "a word that heads itself": Case(Fault.CYCLE, CONLL, conll(0, 2), 2),
    "two roots": Case(Fault.ROOTS, CONLL, conll(0, 1, 0), 3),
    "crossing arcs": Case(
        Fault.NON_PROJECTIVE, CONLL, conll(0, 4, 1, 1), 3, options={"projective": True}
    ),
    "a role twice": Case(
        Fault.ROLE_TWICE,
        SDP,
        "".join(f"{i}\ta\t_\tN\t{flags}\n" for i, flags in enumerate(FLAGS, 1)) + "\n",
        3,
        options={"deterministic_roles": ["ARG1"]},
    ),
    "an enhanced graph that is none": Case(
        Fault.ENHANCED_GRAPH,
        CONLL,
        "1\tx\t_\t_\t_\t_\t0\troot\t0\t_\n\n",
        options={"enhanced_graph": True},
    ),
    "a tree that was cut": Case(Fault.BRACKETS, SST, "(3 (2 It) (3 wor\n"),
    "more after a tree": Case(Fault.BRACKETS, SST, "(3 (2 It) (3 works)) .\n"),
    "a label 7": Case(Fault.LABEL, SST, "(3 (2 It) (7 works))\n"),
    "an empty line": Case(Fault.EMPTY_LINE, SST, "\n"),
    "two empty lines": Case(Fault.EMPTY_LINE, SST, "\n \n", left=2),
    "a label without words": Case(Fault.NO_WORDS, SST, "3\t \n", options={"layout": "lines"}),
    "a label before a space": Case(Fault.NO_TAB, SST, "3 a b\n", options={"layout": "lines"}),
    "a label after its text": Case(
        Fault.COLUMN_ORDER, SST, "a b\t3\n", options={"layout": "lines"}
    ),
    "a line feed within": Case(
        Fault.LINE_WITHIN, SST, "3\ta\nb c\n", line=2, options={"layout": "lines"}
    ),
    "a column with no label": Case(
        Fault.LABEL, SST, "1\ta\t_\t_\t_\n\n", options={"layout": "columns"}
    ),
}

SKIPPABLE = {f for f in Fault if not f.is_of_file and f.items == "sentences"}

# Those that take more than a sentence between two sound ones.
MET_ELSEWHERE = {
    Fault.ANNOTATION,  # of a reader that is not ours
    Fault.BYTE_ORDER_MARK,
    Fault.COMPANION,
    Fault.HEADER_LINE,
    Fault.ROLE_TWICE,
    Fault.SENTENCE_TOO_LONG,
}


def sound_of(case: Case) -> str:
    """A sound sentence in the layout of the bad one."""
    of_layout = {"lines": "3\t{0} !\n", "columns": "1\t{0}\t_\t_\t3\n\n"}
    return of_layout.get(case.options.get("layout"), SOUND[case.reader])


def write(tmp_path, case: Case) -> str:
    sound = sound_of(case)
    path = tmp_path / "data.txt"
    bad = case.bad.encode(case.encoding)
    path.write_bytes(sound.format("N").encode() + bad + sound.format("M").encode())
    return str(path)


def reader_of(case: Case, on_error: str) -> SentenceReader:
    return case.reader(on_error=on_error, **case.options)


@pytest.mark.parametrize("name", CASES)
def test_it_is_an_error_that_names_file_line_reason_and_way_out(tmp_path, name):
    case = CASES[name]
    path = write(tmp_path, case)
    line = case.line + sound_of(case).count("\n")
    with pytest.raises(MalformedInputError) as caught:
        list(reader_of(case, "raise").read(path))
    assert caught.value.fault is case.fault
    assert str(caught.value).startswith(f"{path}:{line}: {case.fault.reason}: ")
    assert case.fault.remedy in str(caught.value)


@pytest.mark.parametrize("name", CASES)
def test_it_is_left_out_and_reported_under_skip(tmp_path, name, caplog):
    case = CASES[name]
    path = write(tmp_path, case)
    with caplog.at_level(logging.WARNING):
        instances = list(reader_of(case, "skip").read(path))
    assert [instance["tokens"][0].text for instance in instances] == ["N", "M"]
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{case.left} sentences of {path} were left out:\n")
    assert f"{case.left} x {case.fault.reason} ({path}:" in record.getMessage()


def test_a_byte_order_mark_costs_the_first_sentence(tmp_path, caplog):
    path = tmp_path / "data.txt"
    path.write_bytes(b"\xef\xbb\xbf" + (SDP_SOUND.format("N") + SDP_SOUND.format("M")).encode())
    with pytest.raises(MalformedInputError, match="data.txt:1: the file begins with a byte order"):
        list(SDP().read(path))
    with caplog.at_level(logging.WARNING):
        (instance,) = SDP(on_error="skip").read(path)
    assert instance["tokens"][0].text == "M"
    assert "1 x the file begins with a byte order mark" in caplog.text


def test_comments_at_the_end_are_reported(tmp_path, caplog):
    path = tmp_path / "data.txt"
    path.write_text(SDP_SOUND.format("N") + "#cut\n")
    with pytest.raises(MalformedInputError, match="data.txt:5: a sentence without tokens: '#cut'"):
        list(SDP().read(path))
    with caplog.at_level(logging.WARNING):
        assert len(list(SDP(on_error="skip").read(path))) == 1
    assert "1 x a sentence without tokens" in caplog.text


def test_a_companion_that_does_not_match_is_reported(tmp_path, caplog):
    (tmp_path / "a.sdp").write_text("1\ta\t_\t_\t-\t-\t_\n\n1\tb\t_\t_\t-\t-\t_\n\n")
    (tmp_path / "a.conll").write_text(conll(0).replace("x", "a") + conll(0).replace("x", "c"))
    with pytest.raises(MalformedInputError, match="a.sdp:3: .* 'b', but 'c' at .*a.conll:3"):
        list(SDP(companion=".conll").read(tmp_path / "a.sdp"))
    with caplog.at_level(logging.WARNING):
        assert len(list(SDP(companion=".conll", on_error="skip").read(tmp_path / "a.sdp"))) == 1
    assert "1 x the companion file does not match" in caplog.text


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("reader", [SDP, CONLL, SST])
@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file_ends_the_run(tmp_path, reader, text, on_error):
    path = tmp_path / "data.txt"
    path.write_text(text)
    with pytest.raises(MalformedInputError, match="data.txt:1: the file holds no sentence"):
        list(reader(on_error=on_error).read(path))


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_a_damaged_archive_ends_the_run(tmp_path, on_error):
    path = tmp_path / "data.txt"
    path.write_bytes(gzip.compress(SDP_SOUND.format("N").encode())[:-12])
    with pytest.raises(MalformedInputError, match="the compressed file is damaged"):
        list(SDP(on_error=on_error).read(path))


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("text", ["1\ta\n3\tb\n", "1\ta\t_\t_\t1\n\n1\tb\t_\t_\t3\n\n"])
def test_a_file_of_more_classes_ends_the_run_rather_than_give_wrong_ones(tmp_path, text, on_error):
    # The label 1 is negative among five classes, and positive among two.
    path = tmp_path / "data.txt"
    path.write_text(text)
    with pytest.raises(MalformedInputError, match="data.txt:[23]: .*'3'.*file_granularity"):
        list(SST("2-class", on_error=on_error).read(path))
    labels = [i["label"].label for i in SST("2-class", file_granularity="5-class").read(path)]
    assert labels == ["0", "1"]


def test_a_file_with_carriage_returns_throughout_ends_the_run_and_says_how_to_convert(tmp_path):
    path = tmp_path / "data.txt"
    path.write_bytes((SDP_SOUND * 4).format("N").replace("\n", "\r\n").encode())
    with pytest.raises(MalformedInputError, match="left out: 4 x a carriage return.* `sed 's/"):
        list(SDP(on_error="skip").read(path))


def test_every_fault_of_a_sentence_is_met_here():
    met = {case.fault for case in CASES.values()}
    assert met | MET_ELSEWHERE == SKIPPABLE
