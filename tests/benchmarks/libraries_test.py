"""The adapters: each as far as its library is installed, and ours."""

import pytest

from benchmarks import libraries
from benchmarks.judgement import OURS
from benchmarks.operation import OPERATIONS
from benchmarks.peers.library import NotOffered
from benchmarks.problem import Size

PEERS = [name for name in libraries.MODULES if name != OURS]
SIZE = Size(3, 5)


def result(library, operation, problem):
    call = library.prepare(operation, problem)
    return call.read(call.run())


def load(name):
    try:
        return libraries.load(name)
    except ImportError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_ours_is_right(operation):
    problem = OPERATIONS[operation].problem(SIZE, seed=3)
    try:
        results = {OURS: result(libraries.load(OURS), operation, problem)}
    except NotOffered as error:
        pytest.skip(str(error))
    truth = OPERATIONS[operation].truth
    errors = OPERATIONS[operation].judge(problem, results, truth(problem) if truth else None)
    assert OPERATIONS[operation].is_right(errors[OURS])


@pytest.mark.filterwarnings("ignore")  # theirs
@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_peer_is_asked_the_same_question_as_ours(peer, operation):
    library = load(peer)
    if not library.offers(operation):
        pytest.skip(f"{peer} does not offer {operation}")
    problem = OPERATIONS[operation].problem(SIZE, seed=3)
    before = problem.scores.clone()
    try:
        results = {OURS: result(libraries.load(OURS), operation, problem)}
    except NotOffered as error:
        pytest.skip(str(error))
    results[peer] = result(library, operation, problem)
    errors = OPERATIONS[operation].judge(problem, results, None)
    assert OPERATIONS[operation].is_right(errors[peer])
    assert problem.scores.equal(before) and not problem.scores.requires_grad


def test_a_library_that_cannot_be_imported_is_reported(monkeypatch):
    modules = {OURS: libraries.MODULES[OURS], "absent": "benchmarks.peers.absent"}
    monkeypatch.setattr(libraries, "MODULES", modules)
    libraries.load.cache_clear()
    found = libraries.find()
    assert list(found.libraries) == [OURS]
    assert "ModuleNotFoundError" in found.failures["absent"]


def test_an_exception_is_told_by_its_kind_and_first_line():
    assert libraries.describe(ValueError("first\nsecond")) == "ValueError: first"
    assert libraries.describe(MemoryError()) == "MemoryError"
