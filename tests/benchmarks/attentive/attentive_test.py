import sys

import pytest

from benchmarks.attentive.peaks import growth, measure
from benchmarks.attentive.speed import speeds


def test_growth_is_that_between_the_two_longest():
    assert growth({100: 5, 300: 250, 200: 50}) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="the peak can be reset on Linux alone")
def test_full_backpropagation_keeps_what_windows_do_not():
    assert measure("full", 600) > 2 * measure("truncated", 600)


def test_encoders_are_timed_in_turns():
    found = speeds(["truncated", "nn.LSTM"], length=12, budget=0.01)
    assert list(found) == ["truncated", "nn.LSTM"] and min(found.values()) > 0
