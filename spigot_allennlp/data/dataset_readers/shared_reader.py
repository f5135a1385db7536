"""The base of the readers whose processes share what one of them would read alone."""

from itertools import islice
from typing import Any, Iterable, Iterator, TypeVar

from allennlp.data import DatasetReader

Item = TypeVar("Item")


class SharedReader(DatasetReader):
    """
    A reader whose `_read` goes through all data in each process of a distributed run, and in each
    worker of a data loader, and makes instances of the share of `shard_iterable` alone: making
    instances takes longer than reading. So every instance is made once.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            manual_distributed_sharding=True, manual_multiprocess_sharding=True, **kwargs
        )

    def shard_iterable(self, iterable: Iterable[Item]) -> Iterator[Item]:
        """
        Yields the items of this process, every n-th. AllenNLP's method asks `torch.distributed` for
        the rank, of which a spawned worker of a loader knows nothing: each rank would then read
        everything. This uses the rank that is set on the reader, which a worker gets with it.
        """
        items = iter(iterable)
        distributed, worker = self.get_distributed_info(), self.get_worker_info()
        if distributed is not None:
            items = islice(items, distributed.global_rank, None, distributed.world_size)
        if worker is not None:
            items = islice(items, worker.id, None, worker.num_workers)
        return items
