import subprocess
import sys

import pytest

from benchmarks.measurement import (
    FEWEST_ROUNDS,
    MOST_ROUNDS,
    peak_memory,
    race,
    reset_peak_memory,
    summarize,
)

MEGABYTE = 1_000_000


class Clock:
    """A clock that advances when a worker works, and records the order of the workers."""

    def __init__(self):
        self.now = 0.0
        self.order = []

    def __call__(self):
        return self.now

    def worker(self, name, seconds):
        def work():
            self.now += seconds
            self.order.append(name)

        return work


def test_a_race_finds_the_seconds_of_each():
    clock = Clock()
    timings = race({"a": clock.worker("a", 0.25), "b": clock.worker("b", 0.5)}, 5.0, clock)
    assert timings["a"].seconds == pytest.approx(0.25)
    assert timings["b"].seconds == pytest.approx(0.5)
    assert (timings["a"].repetitions, timings["b"].repetitions) == (20, 10)


def test_they_take_turns_and_the_slower_one_does_so_all_along():
    clock = Clock()
    race({"a": clock.worker("a", 0.25), "b": clock.worker("b", 0.5)}, 5.0, clock)
    turns = "".join(clock.order[2:])
    assert turns == "aab" * 10


def test_what_is_slow_is_repeated_a_little_and_what_is_quick_not_for_ever():
    clock = Clock()
    timings = race(
        {"slow": clock.worker("slow", 9.0), "quick": clock.worker("quick", 2e-3)}, 1, clock
    )
    assert timings["slow"].repetitions == FEWEST_ROUNDS
    assert timings["quick"].repetitions == MOST_ROUNDS


def test_a_call_shorter_than_the_clock_can_tell_is_made_many_times():
    clock = Clock()
    timings = race({"a": clock.worker("a", 1e-5)}, 0.01, clock)
    assert timings["a"].seconds == pytest.approx(1e-5)
    assert len(clock.order) == 1 + 100 * timings["a"].repetitions


def test_nobody_in_a_race_is_no_error():
    assert race({}, 1.0, Clock()) == {}


def test_a_summary_is_the_median_with_quartiles():
    timing = summarize([5.0, 1.0, 2.0, 4.0, 3.0])
    assert (timing.low, timing.seconds, timing.high, timing.repetitions) == (2.0, 3.0, 4.0, 5)
    assert summarize([2.0]).seconds == 2.0


@pytest.mark.skipif(sys.platform != "linux", reason="the peak can be reset on Linux alone")
def test_the_peak_grows_by_what_was_in_use_and_can_be_reset():
    for size in (80 * MEGABYTE, 40 * MEGABYTE):
        reset_peak_memory()
        before = peak_memory()
        block = b"x" * size
        assert peak_memory() - before == pytest.approx(size, rel=0.1)
        del block


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no other number")
def test_a_process_does_not_begin_with_the_peak_of_the_one_that_started_it():
    block = b"x" * 300 * MEGABYTE
    code = "from benchmarks.measurement import peak_memory; print(peak_memory())"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < len(block) / 2
