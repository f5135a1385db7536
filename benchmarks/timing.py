"""Several calls timed against each other, in turns, so that a drift of the machine hits all."""

import gc
import math
import statistics
import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping

Clock = Callable[[], float]

# A call shorter than this is repeated until it is that long, lest the clock itself be measured.
LEAST_SECONDS = 1e-3
FEWEST_ROUNDS, MOST_ROUNDS = 2, 40


@dataclass(frozen=True)
class Timing:
    """Median and quartiles in seconds for one call, over `repetitions` measurements."""

    seconds: float
    low: float
    high: float
    repetitions: int


@dataclass(frozen=True)
class _Entrant:
    run: Callable[[], Any]
    calls_per_round: int
    rounds: int
    measured: List[float]


def clock(threads: int) -> Clock:
    """The processor's time, unless several threads would add up in it."""
    return time.process_time if threads == 1 else time.perf_counter


def race(calls: Mapping[str, Callable[[], Any]], budget: float, now: Clock) -> Dict[str, Timing]:
    """
    # Parameters

    calls : `Mapping[str, Callable[[], Any]]`
        What is to be timed; each has been called before, and is warm.
    budget : `float`
        Seconds for all repetitions of one of them; but for `FEWEST_ROUNDS` there is always time.
    now : `Clock`
    """
    entrants = {name: _enter(run, budget, now) for name, run in calls.items()}
    gc.collect()
    gc.disable()
    try:
        _take_turns(list(entrants.values()), now)
    finally:
        gc.enable()
    return {name: summarize(entrant.measured) for name, entrant in entrants.items()}


def summarize(measured: List[float]) -> Timing:
    if len(measured) == 1:
        return Timing(measured[0], measured[0], measured[0], 1)
    low, median, high = statistics.quantiles(measured, n=4, method="inclusive")
    return Timing(median, low, high, len(measured))


def _enter(run: Callable[[], Any], budget: float, now: Clock) -> _Entrant:
    estimate = max(_seconds(run, 1, now), 1e-9)
    calls_per_round = max(1, math.ceil(LEAST_SECONDS / estimate))
    rounds = int(budget / (estimate * calls_per_round))
    return _Entrant(run, calls_per_round, min(max(rounds, FEWEST_ROUNDS), MOST_ROUNDS), [])


def _take_turns(entrants: List[_Entrant], now: Clock) -> None:
    """Those with fewer rounds have theirs spread over the whole race."""
    total = max((entrant.rounds for entrant in entrants), default=0)
    for turn in range(total):
        for entrant in entrants:
            done_before = turn * entrant.rounds // total
            if (turn + 1) * entrant.rounds // total > done_before:
                seconds = _seconds(entrant.run, entrant.calls_per_round, now)
                entrant.measured.append(seconds / entrant.calls_per_round)


def _seconds(run: Callable[[], Any], times: int, now: Clock) -> float:
    start = now()
    for _ in range(times):
        run()
    return now() - start
