"""
The time of calls, measured against each other, and the memory of a process.

Calls are timed in turns, in one process, so that a drift of the machine hits all of them, and their
ratio stays; a framework that runs one benchmark after another, such as pytest-benchmark, would
compare a quiet minute with a busy one.

The peak of memory: what the allocator has been given back it may keep, and hand out again unseen;
so it is asked to return it first. The peak that the kernel remembers is then reset to what is in
use, where the kernel can do that (Linux); elsewhere a call that stays below an earlier peak seems
to need nothing.
"""

import contextlib
import ctypes
import gc
import math
import resource
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping

Clock = Callable[[], float]

#: How often a call is measured, at least and at most.
FEWEST_ROUNDS, MOST_ROUNDS = 2, 40
# A call shorter than this is repeated until it is that long, lest the clock itself be measured.
_LEAST_SECONDS = 1e-3

# Written to `/proc/self/clear_refs`, this has Linux reset the peak.
_RESET_PEAK = "5"
# The share of the free memory that a call may take.
_SHARE_OF_FREE = 0.85


@dataclass(frozen=True)
class Timing:
    """The median and the quartiles, in seconds for one call, of `repetitions` measurements."""

    seconds: float
    low: float
    high: float
    repetitions: int


def clock(threads: int) -> Clock:
    """Returns the processor's clock, unless several threads would add up in it."""
    return time.process_time if threads == 1 else time.perf_counter


def race(calls: Mapping[str, Callable[[], Any]], budget: float, now: Clock) -> Dict[str, Timing]:
    """
    Times calls in turns.

    # Parameters

    calls : `Mapping[str, Callable[[], Any]]`
        Each has been called before, and is warm.
    budget : `float`
        Seconds for all repetitions of a call; but `FEWEST_ROUNDS` are always made.
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
    """Returns the median and the quartiles of some seconds."""
    if len(measured) == 1:
        return Timing(measured[0], measured[0], measured[0], 1)
    low, median, high = statistics.quantiles(measured, n=4, method="inclusive")
    return Timing(median, low, high, len(measured))


@dataclass(frozen=True)
class _Entrant:
    """A call in a race, with the seconds that it has taken so far."""

    run: Callable[[], Any]
    calls_per_round: int
    rounds: int
    measured: List[float]


def _enter(run: Callable[[], Any], budget: float, now: Clock) -> _Entrant:
    estimate = max(_seconds(run, 1, now), 1e-9)
    calls_per_round = max(1, math.ceil(_LEAST_SECONDS / estimate))
    rounds = int(budget / (estimate * calls_per_round))
    return _Entrant(run, calls_per_round, min(max(rounds, FEWEST_ROUNDS), MOST_ROUNDS), [])


def _take_turns(entrants: List[_Entrant], now: Clock) -> None:
    """Lets all have their rounds; those with fewer rounds have them spread over the whole race."""
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


def peak_memory() -> int:
    """Returns the most memory that this process has had at one time, in bytes."""
    # The resource usage of a process that was just started still has its parent's peak in it.
    with contextlib.suppress(OSError):
        return _in_bytes("/proc/self/status", "VmHWM")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def reset_peak_memory() -> None:
    """Gives unused memory back, and makes what is in use the peak."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text(_RESET_PEAK)


def limit_memory() -> None:
    """
    Makes this process fail to allocate what the machine does not have, instead of being killed or
    driving others out; only where the system says how much there is (Linux).
    """
    with contextlib.suppress(OSError, ValueError):
        own_pages = int(Path("/proc/self/statm").read_text().split()[0])
        free = _in_bytes("/proc/meminfo", "MemAvailable")
        most = own_pages * resource.getpagesize() + int(_SHARE_OF_FREE * free)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _in_bytes(file: str, entry: str) -> int:
    """Returns an entry of a file of the kernel's that has them in kilobytes, one in a line."""
    for line in Path(file).read_text().splitlines():
        name, _, value = line.partition(":")
        if name == entry:
            return int(value.split()[0]) * 1024
    raise OSError(f"{entry} is not in {file}")
