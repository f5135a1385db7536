import pickle

import pytest

from spigot_allennlp.data.errors import MalformedInputError, attempt
from spigot_allennlp.data.faults import Fault


def test_the_message_names_file_line_reason_finding_and_way_out():
    text = str(MalformedInputError("a.sdp", 7, Fault.CYCLE, "2 -> 3 -> 2"))
    assert text.startswith("a.sdp:7: a cycle in the tree: 2 -> 3 -> 2. Every token must reach")
    assert '"on_error": "skip"' in text


def test_leaving_out_sentences_is_no_way_out_for_a_whole_file():
    error = MalformedInputError("a.sdp", 1, Fault.EMPTY_FILE, "no line has a token")
    assert "on_error" not in str(error)


@pytest.mark.parametrize(
    "place, line, location",
    [
        (7, 7, "a.tar:7"),
        ("member 7_theo_0.wav", None, "a.tar: member 7_theo_0.wav"),
        (None, None, "a.tar"),
    ],
)
def test_a_place_is_a_line_or_a_few_words_or_the_whole_file(place, line, location):
    error = MalformedInputError("a.tar", place, Fault.RECORDING, "it has 3 bytes")
    assert (error.line, error.location) == (line, location)
    assert str(error).startswith(location + ": a recording that cannot be read: it has 3 bytes.")
    assert "leaves such recordings out" in str(error)


@pytest.mark.parametrize("place", [7, "byte 16", None])
def test_the_error_crosses_processes_whole(place):
    error = MalformedInputError("a.sdp", place, Fault.CYCLE, "2 -> 3 -> 2")
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.path, copy.place, copy.fault, copy.detail) == error.args
    assert (copy.line, copy.location) == (error.line, error.location)
    assert str(copy) == str(error)


@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_has_its_own_reason_and_a_way_out(fault):
    assert [other.reason for other in Fault].count(fault.reason) == 1
    assert fault.remedy.endswith((".", "FILE", "OUT.wav"))


def test_attempt_returns_an_error_among_the_arguments():
    error = MalformedInputError("a.sdp", 7, Fault.CYCLE, "2 -> 3 -> 2")
    assert attempt(lambda left, right: left + right, 1, error) is error


def test_attempt_returns_what_was_raised_if_it_is_malformed_input_only():
    error = MalformedInputError("a.sdp", 7, Fault.CYCLE, "2 -> 3 -> 2")

    def fail(raised):
        raise raised

    assert attempt(lambda: fail(error)) is error
    assert attempt(int, "3") == 3
    with pytest.raises(ZeroDivisionError):
        attempt(lambda: fail(ZeroDivisionError()))
