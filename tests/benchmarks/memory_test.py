import subprocess
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


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no other figure")
def test_a_process_does_not_begin_with_the_peak_of_the_one_that_started_it():
    block = b"x" * 300 * MEGABYTE
    command = [sys.executable, "-c", "from benchmarks import memory; print(memory.peak())"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(found.stdout) < len(block) / 2
