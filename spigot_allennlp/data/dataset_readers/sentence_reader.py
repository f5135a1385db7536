"""The base of all readers: sentences to instances, in shares, with an account of the faulty."""

import logging
from contextlib import contextmanager
from itertools import islice
from os import PathLike
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple, Union

from allennlp.common.checks import ConfigurationError
from allennlp.common.file_utils import cached_path
from allennlp.data import DatasetReader, Instance
from allennlp.data.token_indexers import SingleIdTokenIndexer, TokenIndexer

from spigot_allennlp.data.errors import Fault, MalformedInputError
from spigot_allennlp.data.left_out import LeftOut
from spigot_allennlp.data.source import is_synthetic

logger = logging.getLogger(__name__)

ON_ERROR = ("raise", "skip")


class SentenceReader(DatasetReader):
    """
    Reads sentences, one instance each. A subclass fills two holes: `_sentences`, and
    `text_to_instance`, which takes the attributes of a sentence as arguments.

    A data path is a file (plain, gzip or xz; anything that `cached_path` takes), a list of files,
    or the embedded data set, `"synthetic:size=2000,seed=1"`.

    Each process of a distributed run, and each worker of a data loader, reads the whole text, and
    makes instances of its share of the sound sentences. So the shares are the same whatever is left
    out, and every instance is made once.

    # Parameters

    token_indexers : `Dict[str, TokenIndexer]`, optional
        (default = `{"tokens": SingleIdTokenIndexer()}`) A token has `text`, `lemma_`, `pos_` and
        `tag_`, to be chosen by the `feature_name` of an indexer.
    on_error : `str`, optional (default = `"raise"`)
        What to do with a sentence that cannot be read. `"raise"` ends the run, with file, line and
        reason. `"skip"` leaves it out, and warns at the end of the file how many were left out and
        why. A file of which nothing is left ends the run under either.
    """

    def __init__(
        self,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        on_error: str = "raise",
        **kwargs,
    ) -> None:
        super().__init__(
            manual_distributed_sharding=True, manual_multiprocess_sharding=True, **kwargs
        )
        if on_error not in ON_ERROR:
            raise ConfigurationError(
                f'on_error is "{on_error}", but must be "raise" (end the run at a sentence that '
                'cannot be read) or "skip" (leave it out, and report it).'
            )
        self._token_indexers = token_indexers or {"tokens": SingleIdTokenIndexer()}
        self._on_error = on_error

    def _sentences(self, path: str) -> Iterator[Any]:
        """
        The hole: the sentences of one file, with a `MalformedInputError` in the place of each that
        cannot be read. `path` is what the user wrote; `local_path` makes a file of it.
        """
        raise NotImplementedError

    def _read(self, file_path) -> Iterator[Instance]:
        paths = [file_path] if isinstance(file_path, (str, PathLike)) else list(file_path)
        if not paths:
            raise ConfigurationError("The data path is a list without a file. Name at least one.")
        for sentence in self._share(self._sound_sentences(list(map(str, paths)))):
            yield self.text_to_instance(**vars(sentence))

    def results(self, file_path: Any) -> Iterator[Union[Instance, Exception]]:
        """
        An instance of each sentence, or, for one that cannot be read, the error in its place:
        nothing is left out. For predictors, whose output has a line for each sentence.

        # Raises

        `MalformedInputError` if the fault hides how many sentences are missing.
        """
        paths = [file_path] if isinstance(file_path, (str, PathLike)) else list(file_path)
        for path in paths:
            for result in self._sentences(str(path)):
                if isinstance(result, MalformedInputError):
                    if result.fault.is_of_file:
                        raise result
                    yield result
                    continue
                try:
                    instance = self.text_to_instance(**vars(result))
                except ConfigurationError as error:
                    yield error
                    continue
                self.apply_token_indexers(instance)
                yield instance

    def _sound_sentences(self, paths: List[str]) -> Iterator[Any]:
        for path in paths:
            with self._account(path) as left_out:
                for result in self._sentences(path):
                    if not isinstance(result, MalformedInputError):
                        left_out.kept += 1
                        yield result
                    elif result.fault.is_of_file or self._reaction(result.fault) == "raise":
                        raise result
                    else:
                        left_out.add(result)
                if not left_out.kept:
                    report = (
                        left_out.report().removesuffix(".")
                        or "none is of the kind that was asked for"
                    )
                    raise MalformedInputError(path, 1, Fault.NOTHING_LEFT, report)

    def _reaction(self, fault: Fault) -> str:
        """What to do with a sentence that has this fault: one of `ON_ERROR`."""
        return self._on_error

    @contextmanager
    def _account(self, path: str) -> Iterator[LeftOut]:
        """Tells what was left out of `path`, also if it was not read to its end, and only once."""
        left_out = LeftOut()
        try:
            yield left_out
        finally:
            if len(left_out) and all(share == 0 for share, _ in self._shares()):
                logger.log(left_out.level, left_out.summary(path))

    def _shares(self) -> List[Tuple[int, int]]:
        """`(rank, processes)`, and within it `(worker, workers)`, where there are such."""
        shares = []
        distributed, worker = self.get_distributed_info(), self.get_worker_info()
        if distributed is not None:
            shares.append((distributed.global_rank, distributed.world_size))
        if worker is not None:
            shares.append((worker.id, worker.num_workers))
        return shares

    def _share(self, sentences: Iterable[Any]) -> Iterator[Any]:
        """
        Every n-th of the sentences. `DatasetReader.shard_iterable` does the same, but it asks
        `torch.distributed` for the rank, of which a spawned worker of a loader knows nothing: each
        rank would then read everything. What the reader was told of its rank goes with it.
        """
        iterator = iter(sentences)
        for share, count in self._shares():
            iterator = islice(iterator, share, None, count)
        return iterator

    def apply_token_indexers(self, instance: Instance) -> None:
        """Gives the `tokens` their indexers: late, so that they do not travel between processes."""
        instance["tokens"].token_indexers = self._token_indexers  # type: ignore[attr-defined]


def local_path(path: str) -> str:
    """The file that `path` names, fetched if it is a remote one. The embedded data set is none."""
    return path if is_synthetic(path) else str(cached_path(path))
