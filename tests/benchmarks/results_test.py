import pytest

from benchmarks.results import Entry
from tests.benchmarks.stand_ins import cell, entry


def test_the_ratio_is_that_to_the_fastest_peer():
    measured = cell(entry(2.0), slow=entry(100.0), fast=entry(50.0))
    assert measured.best_peer is not None and measured.best_peer.name == "fast"
    assert measured.ratio == pytest.approx(25.0)


def test_a_peer_that_is_wrong_is_no_rival():
    measured = cell(entry(2.0), right=entry(100.0), wrong=entry(1.0, error=0.5))
    assert measured.ratio == pytest.approx(50.0)
    assert measured.complaints() == {"wrong": "wrong by 0.5"}


def test_ours_that_is_wrong_has_no_ratio():
    assert cell(entry(2.0, error=0.5), peer=entry(100.0)).ratio is None


def test_without_a_peer_there_is_no_ratio():
    assert cell(entry(2.0)).ratio is None
    assert cell(entry(2.0), broken=Entry(failure="ValueError: no")).ratio is None


def test_a_failure_is_reported():
    measured = cell(entry(2.0), broken=Entry(failure="ValueError: no"))
    assert measured.complaints() == {"broken": "ValueError: no"}
