"""The adapters: each as far as its library is installed, and ours."""

import pytest

from benchmarks import library
from benchmarks.library import OURS, NotOffered
from benchmarks.operation import OPERATIONS
from benchmarks.problem import NUM_SAMPLES, Size

PEERS = [name for name in library.ADAPTERS if name != OURS]
SIZE = Size(3, 5)


def result(adapter, operation, problem):
    call = adapter.prepare(operation, problem)
    return call.read(call.run())


def load(name):
    try:
        return library.load(name)
    except ImportError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_ours_is_right(operation):
    problem = OPERATIONS[operation].problem(SIZE, seed=3)
    try:
        results = {OURS: result(library.load(OURS), operation, problem)}
    except NotOffered as error:
        pytest.skip(str(error))
    truth = OPERATIONS[operation].truth
    errors = OPERATIONS[operation].check(problem, results, truth(problem) if truth else None)
    assert OPERATIONS[operation].is_right(errors[OURS])


@pytest.mark.filterwarnings("ignore")  # theirs
@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_peer_is_asked_the_same_question_as_ours(peer, operation):
    adapter = load(peer)
    if not adapter.offers(operation):
        pytest.skip(f"{peer} does not offer {operation}")
    problem = OPERATIONS[operation].problem(SIZE, seed=3)
    before = problem.scores.clone()
    try:
        results = {OURS: result(library.load(OURS), operation, problem)}
    except NotOffered as error:
        pytest.skip(str(error))
    results[peer] = result(adapter, operation, problem)
    errors = OPERATIONS[operation].check(problem, results, None)
    assert OPERATIONS[operation].is_right(errors[peer])
    assert problem.scores.equal(before) and not problem.scores.requires_grad


@pytest.mark.filterwarnings("ignore")  # theirs
@pytest.mark.parametrize(
    ("peer", "operation"),
    [
        ("torch", "subset_perturbed"),
        ("pyepo", "matching_perturbed"),
        ("pyepo", "solver_perturbed"),
        ("pyepo", "solver_implicit_mle"),
    ],
)
def test_a_peer_draws_its_noise_from_the_same_distribution(peer, operation):
    problem = OPERATIONS[operation].problem(Size(8, 12), seed=3)
    ours, theirs = (
        result(adapter, operation, problem)[2:] for adapter in (library.load(OURS), load(peer))
    )
    assert len(ours) == len(theirs) == NUM_SAMPLES
    # There are 11,520 numbers: the standard errors of mean and standard deviation are 0.01 at most.
    assert ours.mean().item() == pytest.approx(theirs.mean().item(), abs=0.05)
    assert ours.std().item() == pytest.approx(theirs.std().item(), abs=0.05)


def test_a_library_that_cannot_be_imported_is_reported(monkeypatch):
    adapters = {OURS: library.ADAPTERS[OURS], "absent": "benchmarks.peers.absent.Absent"}
    monkeypatch.setattr(library, "ADAPTERS", adapters)
    library.load.cache_clear()
    libraries = library.load_all()
    assert list(libraries.installed) == [OURS]
    assert "ModuleNotFoundError" in libraries.failures["absent"]


def test_a_library_that_is_left_out_is_not_imported(monkeypatch):
    monkeypatch.setattr(library, "load", lambda name: pytest.fail(f"{name} is imported"))
    libraries = library.load_all(without=tuple(library.ADAPTERS))
    assert not libraries.installed
    assert libraries.failures["supar"] == "is left out"


def test_an_exception_is_described_by_its_kind_and_first_line():
    assert library.describe_exception(ValueError("first\nsecond")) == "ValueError: first"
    assert library.describe_exception(MemoryError()) == "MemoryError"
