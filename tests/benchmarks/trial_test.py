"""Real processes, forked from this one, which need not import anything."""

import numpy
import pytest

from benchmarks import library
from benchmarks.operation import OPERATIONS
from benchmarks.problem import Size
from benchmarks.trial import Task, Trials
from tests.benchmarks.stand_ins import Crashing, Doubling, Failing, Sleeping


@pytest.fixture
def try_out(monkeypatch):
    def run(adapter, patience=20.0):
        monkeypatch.setattr(library, "load", lambda name: adapter)
        trials = Trials([], threads=1, patience=patience, method="fork")
        return trials.run(Task("library", "projective_marginals", Size(3, 4), seed=1))

    return run


def test_a_trial_brings_back_the_result(try_out):
    trial = try_out(Doubling())
    problem = OPERATIONS["projective_marginals"].problem(Size(3, 4), seed=1)
    assert trial.failure is None
    numpy.testing.assert_array_equal(trial.result, (2 * problem.scores).numpy())


def test_an_exception_is_reported(try_out):
    failure = try_out(Failing()).failure
    assert failure.startswith("RuntimeError: The size of tensor a (2) must match")


def test_a_crash_is_reported(try_out):
    assert try_out(Crashing()).failure == "its process ended by SIGKILL"


def test_a_call_without_end_is_ended(try_out):
    assert try_out(Sleeping(), patience=0.2).failure == "takes longer than 0.2 s"
