"""The base of the readers that divide their instances among processes."""

from itertools import islice
from typing import Any, Iterable, Iterator, TypeVar

from allennlp.data import DatasetReader

Item = TypeVar("Item")


class SharedReader(DatasetReader):
    """
    In each process of a distributed run, and in each worker of a data loader, `_read` goes through
    all data, but makes instances only from the share of `shard_iterable`, since this takes longer
    than reading. So every instance is made once.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            manual_distributed_sharding=True, manual_multiprocess_sharding=True, **kwargs
        )

    def shard_iterable(self, iterable: Iterable[Item]) -> Iterator[Item]:
        """
        Yields the items of this process: every n-th. AllenNLP's method gets the rank from
        `torch.distributed`, which is not set up in a spawned worker of a loader: each rank would
        then read everything. This method uses the rank that is stored in the reader, so a worker
        has it too.
        """
        items = iter(iterable)
        distributed, worker = self.get_distributed_info(), self.get_worker_info()
        if distributed is not None:
            items = islice(items, distributed.global_rank, None, distributed.world_size)
        if worker is not None:
            items = islice(items, worker.id, None, worker.num_workers)
        return items
