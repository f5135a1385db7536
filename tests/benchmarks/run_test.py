from dataclasses import replace

import pytest

from benchmarks import library, run
from benchmarks.library import OURS, PeerFailure
from benchmarks.results import Entry, Metric, Results, Settings
from tests.benchmarks.stand_ins import Doubling, Failing, cell, entry


@pytest.fixture
def measure(monkeypatch):
    """Runs rows with libraries that are made here, and returns the results."""

    def measure(row, ours=None, metrics=None, **settings):
        monkeypatch.setattr(library, "ADAPTERS", {OURS: "ours"})
        monkeypatch.setattr(library, "load", lambda name: ours or Doubling())
        monkeypatch.setattr(Doubling, "version", "1.0", raising=False)
        monkeypatch.setattr(Failing, "version", "1.0", raising=False)
        if metrics is not None:
            monkeypatch.setitem(run.METRICS, row, metrics)
        return run.run(Settings((row,), (2,), (3,), **settings))

    return measure


def test_a_row_without_its_only_peer_is_missing_and_ours_does_not_fail(measure, monkeypatch):
    monkeypatch.setattr(library, "OTHERS", {"snntorch": "no_such_module"})
    results = measure("spiking_step", metrics=lambda settings: pytest.fail("not to be called"))
    assert results.missing["spiking_step"].startswith("its peer snntorch cannot be imported")
    assert not results.failed
    [reason] = results.reasons_to_fail()
    assert "snntorch" in reason and "ours" not in reason


def test_a_peer_that_was_left_out_on_purpose_is_no_reason_to_fail(measure, monkeypatch):
    monkeypatch.setattr(library, "OTHERS", {"snntorch": "no_such_module"})
    results = measure("spiking_step", without=("snntorch",))
    assert results.missing["spiking_step"] == "its peer snntorch is left out"
    assert results.reasons_to_fail() == []


def test_a_peer_that_no_row_needs_is_not_looked_for(measure, monkeypatch):
    monkeypatch.setattr(library, "OTHERS", {"snntorch": "no_such_module"})
    results = measure("start_up", metrics=lambda settings: [])
    assert "snntorch" not in results.failures and results.reasons_to_fail() == []


def test_a_peer_that_cannot_be_built_is_no_reason_to_fail(measure):
    results = measure("start_up", metrics=lambda settings: [])
    assert "lp-sparsemap" in results.failures and results.reasons_to_fail() == []


def test_a_row_in_which_ours_fails_is_a_reason_to_fail(measure):
    def fail(settings):
        raise ValueError("no")

    results = measure("start_up", metrics=fail)
    assert results.reasons_to_fail() == ["start_up: ours fails: ValueError: no"]
    results = measure("projective_marginals", ours=Failing())
    [reason] = results.reasons_to_fail()
    assert reason.startswith("projective_marginals: ours fails: RuntimeError")


def test_a_row_in_which_a_peer_fails_names_the_peer(measure):
    def fail(settings):
        raise PeerFailure("supar fails: ValueError: no")

    results = measure("training", metrics=fail)
    assert results.reasons_to_fail() == ["training: supar fails: ValueError: no"]


def test_the_rows_beside_operations_are_told_what_is_missing(measure):
    seen = []

    def metrics(settings):
        seen.extend(settings.without)
        return [Metric("training", "semantic", 1.0, "s", "")]

    results = measure("training", metrics=metrics, without=("supar",))
    assert "supar" in seen and len(results.metrics) == 1
    assert results.settings.without == ("supar",)


def test_an_operation_that_ours_lacks_is_missing_and_no_failure(measure):
    results = measure("chain_argmax")
    assert "Doubling offers no chain_argmax" in results.missing["chain_argmax"]
    assert results.reasons_to_fail() == []


def reasons(ours):
    results = Results(Settings(()), {}, {}, {}, cells=[cell(ours, supar=entry(2.0))])
    return results.reasons_to_fail()


def test_a_cell_in_which_ours_fails_or_is_wrong_is_a_reason_to_fail():
    assert reasons(entry(1.0)) == []
    assert reasons(entry(1.0, error=0.5)) == ["projective_argmax 32x20: ours: wrong by 0.5"]
    failing = Entry(failure="ValueError: no")
    assert reasons(failing) == ["projective_argmax 32x20: ours: ValueError: no"]
    assert reasons(replace(failing, failure="takes longer than 20 s", too_slow=True)) == []
