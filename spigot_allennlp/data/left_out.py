"""The account of what was left out of a data set, and why."""

import logging
from collections import Counter, defaultdict
from typing import Counter as CounterType
from typing import DefaultDict, Dict, Iterable, Iterator, List, TypeVar

from spigot_allennlp.data.errors import Fault, MalformedInputError

# So many places are named for each fault, with so many characters of what was found there.
PLACES, DETAIL = 3, 200

Item = TypeVar("Item")

# What may be missing from a data set without much ado: three in a hundred.
FEW = 0.03


class LeftOut:
    """
    Counts the sentences that were left out, by fault, and remembers where the first were; `kept`
    counts the others, for the share.
    """

    def __init__(self) -> None:
        self.kept = 0
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

    @property
    def share(self) -> float:
        """Of what was left out in all sentences, between 0 and 1."""
        return len(self) / max(len(self) + self.kept, 1)

    @property
    def level(self) -> int:
        """At which to log the summary: as an error where much is missing."""
        return logging.ERROR if self.share > FEW else logging.WARNING

    def summary(self, path: str) -> str:
        """The report on the file `path`, and the share that is missing: loud if it is large."""
        share = f"That is {100 * self.share:.1f} % of the {len(self) + self.kept} sentences"
        if self.share > FEW:
            share = (
                f"WARNING: {share}: MUCH of the data is missing. A model does not learn from it, "
                "and figures on this file would be those of the rest"
            )
        return f"{len(self)} sentences of {path} were left out:\n{self.report()}\n{share}."

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
