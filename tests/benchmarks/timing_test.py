import pytest

from benchmarks.timing import FEWEST_ROUNDS, MOST_ROUNDS, race, summarize


class Clock:
    """Time passes when somebody works, and is noted."""

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
    found = race({"a": clock.worker("a", 0.25), "b": clock.worker("b", 0.5)}, 5.0, clock)
    assert found["a"].seconds == pytest.approx(0.25)
    assert found["b"].seconds == pytest.approx(0.5)
    assert (found["a"].repetitions, found["b"].repetitions) == (20, 10)


def test_they_take_turns_and_the_slower_one_does_so_all_along():
    clock = Clock()
    race({"a": clock.worker("a", 0.25), "b": clock.worker("b", 0.5)}, 5.0, clock)
    turns = "".join(clock.order[2:])
    assert turns == "aab" * 10


def test_what_is_slow_is_repeated_a_little_and_what_is_quick_not_for_ever():
    clock = Clock()
    found = race(
        {"slow": clock.worker("slow", 9.0), "quick": clock.worker("quick", 2e-3)}, 1, clock
    )
    assert found["slow"].repetitions == FEWEST_ROUNDS
    assert found["quick"].repetitions == MOST_ROUNDS


def test_a_call_shorter_than_the_clock_can_tell_is_made_many_times():
    clock = Clock()
    found = race({"a": clock.worker("a", 1e-5)}, 0.01, clock)
    assert found["a"].seconds == pytest.approx(1e-5)
    assert len(clock.order) == 1 + 100 * found["a"].repetitions


def test_nobody_in_a_race_is_no_error():
    assert race({}, 1.0, Clock()) == {}


def test_a_summary_is_the_median_with_quartiles():
    found = summarize([5.0, 1.0, 2.0, 4.0, 3.0])
    assert (found.low, found.seconds, found.high, found.repetitions) == (2.0, 3.0, 4.0, 5)
    assert summarize([2.0]).seconds == 2.0
