"""What came out: for every operation and size an entry of each library."""

from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

from benchmarks import judgement
from benchmarks.judgement import OURS
from benchmarks.operation import OPERATIONS
from benchmarks.problem import Size
from benchmarks.timing import Timing


@dataclass(frozen=True)
class Entry:
    """
    One library in one cell.

    # Parameters

    timing : `Timing`, optional (default = `None`)
    megabytes : `float`, optional (default = `None`)
        By how much memory grew during the call, its result included.
    error : `float`, optional (default = `None`)
        See `judgement.py`.
    failure : `str`, optional (default = `None`)
        Why there is nothing of the above.
    """

    timing: Optional[Timing] = None
    megabytes: Optional[float] = None
    error: Optional[float] = None
    failure: Optional[str] = None


@dataclass(frozen=True)
class Cell:
    """One operation at one size; `entries` by library."""

    operation: str
    size: Size
    entries: Dict[str, Entry]

    @property
    def ours(self) -> Entry:
        return self.entries[OURS]

    @property
    def best_peer(self) -> Optional[Tuple[str, Entry]]:
        """The fastest of the others whose result is right."""
        running = [
            (entry.timing.seconds, name)
            for name, entry in self.entries.items()
            if name != OURS and entry.timing is not None and self.is_right(entry)
        ]
        if not running:
            return None
        name = min(running)[1]
        return name, self.entries[name]

    @property
    def ratio(self) -> Optional[float]:
        """How many times as long as ours the best peer takes; `None` also if ours is wrong."""
        best = self.best_peer
        if best is None or best[1].timing is None or self.ours.timing is None:
            return None
        if not self.is_right(self.ours):
            return None
        return best[1].timing.seconds / self.ours.timing.seconds

    def is_right(self, entry: Entry) -> bool:
        return entry.error is not None and OPERATIONS[self.operation].is_right(entry.error)

    def complaints(self) -> List[Tuple[str, str]]:
        """The libraries that failed or are wrong, each with how."""
        found = []
        for name, entry in self.entries.items():
            if entry.failure is not None:
                found.append((name, entry.failure))
            elif entry.error is not None and not self.is_right(entry):
                found.append((name, judgement.describe(entry.error)))
        return found
