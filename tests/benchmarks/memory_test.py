import sys

import pytest

from benchmarks import memory

MEGABYTE = 1_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="the peak can be reset on Linux alone")
def test_the_peak_grows_by_what_was_in_use_and_can_be_forgotten():
    for size in (80 * MEGABYTE, 40 * MEGABYTE):
        memory.forget_peak()
        before = memory.peak()
        block = b"x" * size
        assert memory.peak() - before == pytest.approx(size, rel=0.1)
        del block
