"""Ours and the LSTM, on a few sentences; the peers as far as they are installed."""

import sys

import pytest

from benchmarks import end_to_end
from benchmarks.end_to_end import LSTM, PEERS, build, in_turns
from benchmarks.goals import MEGABYTES, RATIO, SECONDS
from benchmarks.library import OURS, PeerFailure
from benchmarks.parsers import KINDS
from benchmarks.results import Settings
from benchmarks.sentences import sample, sample_of_length, write_sentences
from tests.benchmarks.measurement_test import Clock

ALONE = Settings((), without=PEERS, sentences=16, parses=1)


@pytest.fixture(autouse=True)
def semantic_alone(monkeypatch):
    """Has one parser trained, for a few steps, in all tests of this file."""
    monkeypatch.setattr(end_to_end, "KINDS", ("semantic",))
    monkeypatch.setattr(end_to_end, "_STEPS", 1)


@pytest.fixture(scope="module", autouse=True)
def forget_what_was_trained():
    yield
    end_to_end.contest.cache_clear()


def test_calls_take_turns_and_the_first_of_each_is_not_timed():
    clock = Clock()
    calls = {name: clock.worker(name, seconds) for name, seconds in (("a", 1.0), ("b", 2.0))}
    seconds = in_turns(calls, 2, clock)
    assert seconds == {"a": [1.0, 1.0], "b": [2.0, 2.0]}
    assert "".join(clock.order) == "abbaab"


def test_no_further_turn_begins_when_patience_is_over():
    clock = Clock()
    assert in_turns({"a": clock.worker("a", 3.0)}, 5, clock, patience=8.0) == {"a": [3.0, 3.0]}
    assert in_turns({"a": clock.worker("a", 3.0)}, 5, clock, patience=1.0) == {"a": [3.0]}


def test_the_failure_of_a_peer_is_not_taken_for_one_of_ours():
    def fail():
        raise ValueError("no")

    with pytest.raises(PeerFailure, match="supar fails: ValueError: no"):
        in_turns({"supar": fail}, 1, Clock())
    with pytest.raises(ValueError):
        in_turns({OURS: fail}, 1, Clock())


def test_training_is_compared_with_that_of_the_lstm_alone():
    [metric] = end_to_end.training(ALONE)
    assert metric.label == "semantic, a step / the LSTM's own"
    assert metric.unit == RATIO and metric.value > 0
    seconds = end_to_end.contest("semantic", ALONE).seconds
    assert set(seconds) == {OURS, LSTM} and all(len(turns) == 2 for turns in seconds.values())


def test_parsing_is_compared_and_all_sentences_are_parsed():
    [metric] = end_to_end.parsing(ALONE)
    assert metric.label == "semantic, of the LSTM's own" and metric.value > 0
    trained = end_to_end.contest("semantic", ALONE)
    blocks = (trained.path / "parsed").read_text().strip().split("\n\n")
    assert len(blocks) == ALONE.sentences


def test_peers_are_compared_by_the_median_of_turns():
    seconds = {OURS: [1.0, 2.0, 4.0], "supar": [2.0, 8.0, 12.0], LSTM: [1.0, 1.0, 1.0]}
    [metric] = end_to_end._beside_others("parsing", "semantic", seconds, sentences=100)
    assert (metric.label, metric.value) == ("semantic, beside supar", 3.0)
    assert metric.detail.startswith("ours 50 sentences/s, supar 12 sentences/s")


def test_the_memory_of_parsing_is_that_of_a_file_with_a_long_sentence(monkeypatch):
    lengths = []

    def peak(name, kind, saved, folder):
        blocks = (folder / "long.conllu").read_text().strip().split("\n\n")
        lengths.extend(sum(line[0].isdigit() for line in block.split("\n")) for block in blocks)
        return 5_000_000

    monkeypatch.setattr(end_to_end, "_peak_in_fresh_process", peak)
    [metric] = end_to_end.parsing_memory(ALONE)
    assert (metric.label, metric.value, metric.unit) == (f"semantic, {OURS}", 5.0, MEGABYTES)
    assert max(lengths) == 250 and sorted(lengths)[-2] <= 35 and len(lengths) == 64


@pytest.mark.skipif(sys.platform != "linux", reason="the peak can be reset on Linux alone")
def test_a_process_prints_by_how_much_parsing_raises_its_peak(tmp_path, capsys):
    write_sentences(tmp_path / "short", sample(2, seed=1))
    write_sentences(tmp_path / "long", sample_of_length(200, 2, seed=1))
    saved = end_to_end.contest("semantic", ALONE).parsers[OURS].save()
    end_to_end.main([OURS, "semantic", str(saved), *(str(tmp_path / n) for n in ("short", "long"))])
    assert int(capsys.readouterr().out) > 2 * 201**2 * 4


def test_a_process_that_fails_says_why(tmp_path):
    code = "import sys; sys.exit('no memory')"
    with pytest.raises(RuntimeError, match="no memory"):
        end_to_end.output_of([sys.executable, "-c", code])
    assert end_to_end.output_of([sys.executable, "-c", "print(1)"]) == "1\n"


def test_starts_are_measured(monkeypatch):
    monkeypatch.setattr(end_to_end, "_STARTS", 1)
    commands = []
    monkeypatch.setattr(
        end_to_end.subprocess, "run", lambda command, **options: commands.append(command)
    )
    metrics = end_to_end.start_up(ALONE)
    assert [metric.label for metric in metrics][0] == "allennlp --help"
    assert all(metric.unit == SECONDS for metric in metrics)
    assert all(command[0] == sys.executable for command in commands) and len(commands) == 3


@pytest.mark.filterwarnings("ignore")  # theirs
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_learns_and_parses_the_same_sentences(peer, kind, tmp_path):
    pytest.importorskip({"supar": "supar", "allennlp": "allennlp_models"}[peer])
    settings = Settings((), without=tuple({*PEERS} - {peer}))
    files = write_sentences(tmp_path / "some", sample(8, seed=1))
    parsers = build(kind, settings, files, tmp_path, batch_size=4)
    assert list(parsers) == [OURS, peer, LSTM]
    parsers[peer].train(3)  # more than there are
    parsers[peer].parse(files, tmp_path / "parsed", batch_size=3)
    text = (tmp_path / "parsed").read_text()
    first = files.conllu.read_text().split("\n")[2].split("\t")[1]
    assert first in text and parsers[peer].save().exists()
