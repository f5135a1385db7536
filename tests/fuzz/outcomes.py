"""What may come of an input, counted for the table, and what may not."""

import contextlib
import logging
import re
import signal
from collections import Counter, defaultdict
from types import FrameType
from typing import Counter as CounterType
from typing import DefaultDict, Iterator, List, Optional

# By the name of what was fuzzed. Printed by `conftest.py` at the end of the run.
TABLE: DefaultDict[str, CounterType[str]] = defaultdict(Counter)

# An input is a few kilobytes, and read in milliseconds. What takes so many seconds hangs.
PATIENCE = 20
# A message is read by people.
LONGEST_MESSAGE = 4000


class Silent(AssertionError):
    """The data are not what the file says, and nobody said so."""


class Hangs(AssertionError):
    """No outcome within `PATIENCE` seconds."""


@contextlib.contextmanager
def no_hang() -> Iterator[None]:
    """Raises `Hangs` in the block, where that takes too long."""

    def ring(number: int, frame: Optional[FrameType]) -> None:
        raise Hangs(f"no outcome after {PATIENCE} seconds")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


class _Keeper(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: List[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextlib.contextmanager
def warnings_of_ours() -> Iterator[List[str]]:
    """The warnings that our package logs in the block."""
    logger, keeper = logging.getLogger("spigot_allennlp"), _Keeper()
    logger.addHandler(keeper)
    try:
        yield keeper.messages
    finally:
        logger.removeHandler(keeper)


def count_skipped(messages: List[str]) -> int:
    """How many pieces the warnings say were left out."""
    counts = [re.match(r"(\d+)\b.* left out", message) for message in messages]
    return sum(int(match.group(1)) for match in counts if match)


def check_message(error: Exception, *names: str) -> None:
    """An error says which file it is about, and is short enough to be read."""
    message = str(error)
    if not any(name in message for name in names):
        raise AssertionError(f"the message names none of {names}: {message[:500]}") from error
    if len(message) > LONGEST_MESSAGE:
        raise AssertionError(f"a message of {len(message)} characters") from error
