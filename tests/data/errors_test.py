import pickle

import pytest

from spigot_allennlp.data.errors import Fault, MalformedInputError, attempt


def test_the_message_names_file_line_reason_finding_and_way_out():
    text = str(MalformedInputError("a.sdp", 7, Fault.CYCLE, "2 -> 3 -> 2"))
    assert text.startswith("a.sdp:7: a cycle in the tree: 2 -> 3 -> 2. Every token must reach")
    assert '"on_error": "skip"' in text


def test_leaving_out_sentences_is_no_way_out_for_a_whole_file():
    error = MalformedInputError("a.sdp", 1, Fault.EMPTY_FILE, "no line has a token")
    assert "on_error" not in str(error)


def test_the_error_crosses_processes_whole():
    error = MalformedInputError("a.sdp", 7, Fault.CYCLE, "2 -> 3 -> 2")
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.path, copy.line, copy.fault, copy.detail) == error.args
    assert str(copy) == str(error)


@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_has_its_own_reason_and_a_way_out(fault):
    assert [other.reason for other in Fault].count(fault.reason) == 1
    assert fault.remedy.endswith((".", "FILE"))


def test_attempt_hands_on_an_error_among_the_arguments():
    error = MalformedInputError("a.sdp", 7, Fault.CYCLE, "2 -> 3 -> 2")
    assert attempt(lambda one, two: one + two, 1, error) is error


def test_attempt_returns_what_was_raised_if_it_is_malformed_input_only():
    error = MalformedInputError("a.sdp", 7, Fault.CYCLE, "2 -> 3 -> 2")

    def fail(raised):
        raise raised

    assert attempt(lambda: fail(error)) is error
    assert attempt(int, "3") == 3
    with pytest.raises(ZeroDivisionError):
        attempt(lambda: fail(ZeroDivisionError()))
