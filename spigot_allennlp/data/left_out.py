"""The account of what was left out of a data set, and why."""

from collections import Counter, defaultdict
from typing import Counter as CounterType
from typing import DefaultDict, Dict, Iterable, Iterator, List, TypeVar

from spigot_allennlp.data.errors import Fault, MalformedInputError

# So many places are named for each fault, with so many characters of what was found there.
PLACES, DETAIL = 3, 200

Item = TypeVar("Item")


class LeftOut:
    """Counts the sentences that were left out, by fault, and remembers where the first were."""

    def __init__(self) -> None:
        self._counts: CounterType[Fault] = Counter()
        self._places: DefaultDict[Fault, List[str]] = defaultdict(list)
        self._remedies: Dict[Fault, str] = {}

    def __len__(self) -> int:
        return sum(self._counts.values())

    def add(self, error: MalformedInputError) -> None:
        """Notes one sentence."""
        self._counts[error.fault] += 1
        if self._counts[error.fault] <= PLACES:
            cut = "..." if len(error.detail) > DETAIL else ""
            detail = f"{error.detail[:DETAIL]}{cut}"
            self._places[error.fault].append(f"{error.location}: {detail}")
            self._remedies.setdefault(error.fault, error.remedy)

    def report(self) -> str:
        """The totals, the most frequent fault first, each with the first places."""
        lines = []
        for fault, count in self._counts.most_common():
            places = "; ".join(self._places[fault])
            more = "; ..." if count > PLACES else ""
            lines.append(f"{count} x {fault.reason} ({places}{more}). {self._remedies[fault]}")
        return "\n".join(lines)


def not_empty(items: Iterable[Item], path: str) -> Iterator[Item]:
    """
    The same items, all that a reader finds at `path`, before they are shared among processes.

    # Raises

    `MalformedInputError` at the end, if there was none.
    """
    is_empty = True
    for item in items:
        is_empty = False
        yield item
    if is_empty:
        raise MalformedInputError(path, None, Fault.NO_INSTANCES, "it gives no instance")
