"""
Handles input that a reader cannot read: an error ends the run, or is skipped and reported.

Every reader with an `on_error` uses `skip_faulty` to handle the errors that the formats yield in
place of sentences and recordings.
"""

import logging
from collections import Counter, defaultdict
from typing import Counter as CounterType
from typing import DefaultDict, Dict, Iterable, Iterator, List, Mapping, Optional, TypeVar, Union

from allennlp.data import DatasetReader

from spigot_allennlp.config_checks import PlainConfigurationError
from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import SENTENCES, Fault

logger = logging.getLogger(__name__)

Item = TypeVar("Item")

ON_ERROR = ("raise", "skip")

# The number of places named for each fault, and of characters shown from each detail.
SHOWN_PLACES, SHOWN_CHARACTERS = 3, 200

# If more than this share of a data set is skipped, it is logged as an error.
MUCH = 0.03


def check_on_error(on_error: str, item: str) -> None:
    """
    # Raises

    `ConfigurationError` unless `on_error`, the treatment of an unreadable `item`, is one of
    `ON_ERROR`.
    """
    if on_error not in ON_ERROR:
        raise PlainConfigurationError(
            f'on_error is "{on_error}", but must be "raise" (end the run at a {item} that '
            'cannot be read) or "skip" (leave it out, and report it).'
        )


def skip_faulty(
    results: Iterable[Union[Item, MalformedInputError]],
    path: str,
    reader: DatasetReader,
    on_error: str,
    items: str = SENTENCES,
    on_faults: Optional[Mapping[Fault, str]] = None,
) -> Iterator[Optional[Item]]:
    """
    Yields everything that could be read, and `None` in place of skipped items. At the end, even if
    iteration stops early, it logs what was skipped and why. Only one of the processes that read the
    same data does so.

    # Parameters

    results : `Iterable[Union[Item, MalformedInputError]]`
        The items read at `path`, with errors in place of unreadable ones.
    path : `str`
    reader : `DatasetReader`
        The reader, which knows its process.
    on_error : `str`
        What to do with an error, one of `ON_ERROR`. Errors of the whole file are always raised.
    items : `str`, optional (default = `SENTENCES`)
        What the reader yields: `SENTENCES` or `RECORDINGS`.
    on_faults : `Mapping[Fault, str]`, optional (default = `None`)
        What to do instead with errors that have these faults.

    # Raises

    The first `MalformedInputError` that is not to be skipped, or one that says that nothing is
    left.
    """
    reactions = on_faults or {}
    report = SkippedReport()
    try:
        for result in results:
            if not isinstance(result, MalformedInputError):
                report.kept += 1
                yield result
            elif result.fault.is_of_file or reactions.get(result.fault, on_error) == "raise":
                raise result
            else:
                report.add(result)
                yield None
        if not report.kept:
            raise report.nothing_left(path, items)
    finally:
        if len(report) and _is_first_process(reader):
            logger.log(report.level, report.summary(path, items))


def _is_first_process(reader: DatasetReader) -> bool:
    distributed, worker = reader.get_distributed_info(), reader.get_worker_info()
    is_first_rank = distributed is None or distributed.global_rank == 0
    return is_first_rank and (worker is None or worker.id == 0)


class SkippedReport:
    """
    Counts skipped items by fault, and keeps the first places. `kept` counts the other items, to
    compute the share.
    """

    def __init__(self) -> None:
        self.kept = 0
        self._counts: CounterType[Fault] = Counter()
        self._places: DefaultDict[Fault, List[str]] = defaultdict(list)
        self._remedies: Dict[Fault, str] = {}

    def __len__(self) -> int:
        return sum(self._counts.values())

    def add(self, error: MalformedInputError) -> None:
        """Counts a sentence or recording that was skipped because of this error."""
        self._counts[error.fault] += 1
        if self._counts[error.fault] <= SHOWN_PLACES:
            cut = "..." if len(error.detail) > SHOWN_CHARACTERS else ""
            detail = f"{error.detail[:SHOWN_CHARACTERS]}{cut}"
            self._places[error.fault].append(f"{error.location}: {detail}")
            self._remedies.setdefault(error.fault, error.remedy)

    @property
    def share(self) -> float:
        """Returns the share of items that was skipped, between 0 and 1."""
        return len(self) / max(len(self) + self.kept, 1)

    @property
    def level(self) -> int:
        """Returns the level at which to log the summary: an error if much is missing."""
        return logging.ERROR if self.share > MUCH else logging.WARNING

    def summary(self, path: str, items: str = SENTENCES) -> str:
        """Returns the report on the file `path`, with a warning if much of it is missing."""
        share = f"That is {100 * self.share:.1f} % of the {len(self) + self.kept} {items}"
        if self.share > MUCH:
            share = (
                f"WARNING: {share}: MUCH of the data is missing. A model does not learn from it, "
                "and scores on this file would be those of the rest"
            )
        return f"{len(self)} {items} of {path} were left out:\n{self.report()}\n{share}."

    def nothing_left(self, path: str, items: str) -> MalformedInputError:
        """
        Returns the error that everything at `path` was skipped, and why: `NOTHING_LEFT` for
        sentences, at the first line of the text; `NO_INSTANCES` for recordings, which have no
        lines.
        """
        if items != SENTENCES:
            detail = f"all {len(self)} {items} were left out:\n{self.report()}"
            return MalformedInputError(path, None, Fault.NO_INSTANCES, detail)
        detail = self.report().removesuffix(".") or "none is of the kind that was asked for"
        return MalformedInputError(path, 1, Fault.NOTHING_LEFT, detail)

    def report(self) -> str:
        """Returns how often each fault occurred, most frequent first, and the first places."""
        lines = []
        for fault, count in self._counts.most_common():
            places = "; ".join(self._places[fault])
            more = "; ..." if count > SHOWN_PLACES else ""
            lines.append(f"{count} x {fault.reason} ({places}{more}). {self._remedies[fault]}")
        return "\n".join(lines)
