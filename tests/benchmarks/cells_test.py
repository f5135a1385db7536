import pytest

from benchmarks.cells import Bench
from benchmarks.judgement import OURS
from benchmarks.libraries import Found
from benchmarks.operation import OPERATIONS
from benchmarks.problem import Size
from benchmarks.settings import Settings
from benchmarks.trial import Trial
from tests.benchmarks.stand_ins import Doubling, Failing, InThisProcess, Wrong

MARGINALS = OPERATIONS["projective_marginals"]


def bench(libraries, seconds=0.0, **settings):
    chosen = Settings(["projective_marginals"], (2,), (3, 6), budget=0.01, **settings)
    return Bench(chosen, Found(libraries, {}), InThisProcess(libraries, seconds))


def test_every_library_has_its_entry():
    found = bench({OURS: Doubling(), "peer": Doubling()}).cell(MARGINALS, Size(2, 3))
    assert set(found.entries) == {OURS, "peer"}
    assert all(entry.timing is not None and entry.error == 0 for entry in found.entries.values())
    assert found.ratio is not None


def test_a_peer_that_fails_does_not_stop_the_others():
    libraries = {OURS: Doubling(), "failing": Failing(), "wrong": Wrong(), "peer": Doubling()}
    found = bench(libraries).cell(MARGINALS, Size(2, 3))
    assert found.best_peer is not None and found.best_peer[0] == "peer"
    complaints = dict(found.complaints())
    assert set(complaints) == {"failing", "wrong"}
    assert "must match" in complaints["failing"] and complaints["wrong"].startswith("wrong by")


def test_a_peer_that_fails_only_later_does_not_stop_the_others_either():
    libraries = {OURS: Doubling(), "peer": Failing()}
    one = bench(libraries)
    one.trials = InThisProcess({OURS: Doubling(), "peer": Doubling()})
    assert dict(one.cell(MARGINALS, Size(2, 3)).complaints())["peer"].startswith("RuntimeError")


def test_what_will_take_too_long_is_left_out_and_why():
    one = bench({OURS: Doubling(), "peer": Doubling()}, seconds=4.0, patience=10.0)
    small, large = one.cells("projective_marginals")
    assert small.ours.timing is not None and small.ours.timing.repetitions == 1
    assert large.ours.failure == "left out: 4.0 s at 2x3 lets expect 16 s or more"


def test_what_was_waited_for_in_vain_is_left_out_at_larger_sizes(monkeypatch):
    one = bench({OURS: Doubling(), "peer": Doubling()}, patience=10.0)
    gave_up = Trial(failure="takes longer than 10 s", seconds=10.0)
    monkeypatch.setattr(one.trials, "run", lambda task: gave_up)
    small, large = one.cells("projective_marginals")
    assert small.entries["peer"].failure == "takes longer than 10 s"
    assert large.entries["peer"].failure.startswith("left out: 10.0 s at 2x3")


def test_an_operation_that_ours_lacks_is_named():
    assert "Doubling" in bench({OURS: Doubling()}).missing("chain_argmax")
    assert "RuntimeError" in bench({OURS: Failing()}).missing("projective_marginals")
    assert bench({OURS: Doubling()}).missing("projective_marginals") is None


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_same_problem_is_drawn_every_time(name):
    first, second = (OPERATIONS[name].problem(Size(2, 3), seed=5, scale=2.0) for _ in range(2))
    assert first.scores.equal(second.scores) and first.direction.equal(second.direction)
