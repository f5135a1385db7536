import pytest

from benchmarks.comparison import Comparison
from benchmarks.library import OURS, Libraries
from benchmarks.operation import OPERATIONS
from benchmarks.problem import Size
from benchmarks.results import Settings
from benchmarks.trial import Trial
from tests.benchmarks.stand_ins import Doubling, Failing, InThisProcess, Wrong

MARGINALS = OPERATIONS["projective_marginals"]


def comparison(libraries, seconds=0.0, **settings):
    chosen = Settings(("projective_marginals",), (2,), (3, 6), budget=0.01, **settings)
    return Comparison(chosen, Libraries(libraries, {}), InThisProcess(libraries, seconds))


def test_every_library_has_its_entry():
    cell = comparison({OURS: Doubling(), "peer": Doubling()}).cell(MARGINALS, Size(2, 3))
    assert set(cell.entries) == {OURS, "peer"}
    assert all(entry.timing is not None and entry.error == 0 for entry in cell.entries.values())
    assert cell.ratio is not None


def test_a_peer_that_fails_does_not_stop_the_others():
    libraries = {OURS: Doubling(), "failing": Failing(), "wrong": Wrong(), "peer": Doubling()}
    cell = comparison(libraries).cell(MARGINALS, Size(2, 3))
    assert cell.best_peer is not None and cell.best_peer.name == "peer"
    complaints = cell.complaints()
    assert set(complaints) == {"failing", "wrong"}
    assert "must match" in complaints["failing"] and complaints["wrong"].startswith("wrong by")


def test_a_peer_that_fails_only_later_does_not_stop_the_others_either():
    libraries = {OURS: Doubling(), "peer": Failing()}
    compared = comparison(libraries)
    compared.trials = InThisProcess({OURS: Doubling(), "peer": Doubling()})
    assert compared.cell(MARGINALS, Size(2, 3)).complaints()["peer"].startswith("RuntimeError")


def test_what_will_take_too_long_is_left_out_and_why():
    compared = comparison({OURS: Doubling(), "peer": Doubling()}, seconds=4.0, patience=10.0)
    small, large = compared.cells("projective_marginals")
    assert small.ours.timing is not None and small.ours.timing.repetitions == 1
    assert large.ours.failure == "left out: 4.0 s at 2x3 lets expect 16 s or more"


def test_what_did_not_end_is_left_out_at_larger_sizes(monkeypatch):
    compared = comparison({OURS: Doubling(), "peer": Doubling()}, patience=10.0)
    gave_up = Trial(failure="takes longer than 10 s", seconds=10.0)
    monkeypatch.setattr(compared.trials, "run", lambda task: gave_up)
    small, large = compared.cells("projective_marginals")
    assert small.entries["peer"].failure == "takes longer than 10 s"
    assert large.entries["peer"].failure.startswith("left out: 10.0 s at 2x3")


def test_an_operation_that_ours_lacks_is_named():
    assert "Doubling" in comparison({OURS: Doubling()}).missing("chain_argmax")
    with pytest.raises(RuntimeError):
        comparison({OURS: Failing()}).missing("projective_marginals")
    assert comparison({OURS: Doubling()}).missing("projective_marginals") is None


def test_all_kernels_of_ours_are_compiled_before_a_trial_can_run_out_of_patience(monkeypatch):
    largest = []

    def projective_marginals(problem):
        largest.append(float(problem.scores.abs().max()))
        return Doubling().projective_marginals(problem)

    ours = Doubling()
    monkeypatch.setattr(ours, "projective_marginals", projective_marginals)
    assert comparison({OURS: ours}).missing("projective_marginals") is None
    assert max(largest) > 500 * min(largest)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_same_problem_is_sampled_every_time(name):
    first, second = (OPERATIONS[name].problem(Size(2, 3), seed=5, scale=2.0) for _ in range(2))
    assert first.scores.equal(second.scores) and first.direction.equal(second.direction)
