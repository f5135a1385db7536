"""The base of readers of recordings: files of which one may be damaged, and the others not."""

import logging
from typing import Any, Iterable, Iterator, List, TypeVar, Union

from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader

from spigot_allennlp.data.errors import Fault, MalformedInputError
from spigot_allennlp.data.left_out import LeftOut

logger = logging.getLogger(__name__)

Item = TypeVar("Item")


class RecordingReader(DatasetReader):
    """
    Reads recordings, one instance each.

    # Parameters

    on_error : `str`, optional (default = `"raise"`)
        What to do with a recording that cannot be read. `"raise"` ends the run, with file and
        reason. `"skip"` leaves it out, and warns at the end how many were left out and why. A path
        of which nothing is left, and an archive that is damaged, end the run under either.
    """

    def __init__(self, on_error: str = "raise", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if on_error not in ("raise", "skip"):
            raise ConfigurationError(
                f'on_error is "{on_error}", but must be "raise" (end the run at a recording that '
                'cannot be read) or "skip" (leave it out, and report it).'
            )
        self._on_error = on_error

    def _sound(
        self, path: str, results: Iterable[Union[Item, MalformedInputError]]
    ) -> Iterator[Union[Item, None]]:
        """
        What could be read, and `None` in the place of what is left out, so that the numbers of the
        others stay what they are.
        """
        left_out = LeftOut()
        num_sound = 0
        try:
            for result in results:
                if not isinstance(result, MalformedInputError):
                    num_sound += 1
                    yield result
                elif self._on_error == "raise" or result.fault.is_of_file:
                    raise result
                else:
                    left_out.add(result)
                    yield None
            if not num_sound:
                detail = f"all {len(left_out)} recordings were left out:\n{left_out.report()}"
                raise MalformedInputError(path, None, Fault.NO_INSTANCES, detail)
        finally:
            if len(left_out) and self._is_first():
                report = left_out.report()
                logger.warning(
                    "%d recordings of %s were left out:\n%s", len(left_out), path, report
                )

    def _is_first(self) -> bool:
        """Whether this is the process, of those that read the same, that reports."""
        ranks: List[int] = []
        distributed, worker = self.get_distributed_info(), self.get_worker_info()
        ranks += [] if distributed is None else [distributed.global_rank]
        ranks += [] if worker is None else [worker.id]
        return not any(ranks)
