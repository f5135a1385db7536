"""A loader that yields the whole data set as a single batch, collated once."""

from typing import Iterator, List, Optional

from allennlp.data import DataLoader, DatasetReader, Instance, TensorDict
from allennlp.data.data_loaders import SimpleDataLoader

from spigot_allennlp.config_checks import check_least


@DataLoader.register("full_batch", constructor="from_dataset_reader")
class FullBatchLoader(SimpleDataLoader):
    """
    Yields the whole data set as a single batch, with the same tensors every time. This is for
    full-batch optimisation on small data of a fixed shape, where collating the instances again
    would cost more than the step itself.

    Registered as a `DataLoader` with name "full_batch".

    # Parameters

    steps_per_epoch : `int`, optional (default = `1`)
        How often to yield the batch per epoch. For validation, leave it at 1.
    """

    def __init__(self, instances: List[Instance], steps_per_epoch: int = 1) -> None:
        check_least(1, steps_per_epoch=steps_per_epoch)
        super().__init__(instances, max(len(instances), 1))
        self._steps = steps_per_epoch
        self._batch: Optional[TensorDict] = None

    def __len__(self) -> int:
        return self._steps

    def __iter__(self) -> Iterator[TensorDict]:
        if self._batch is None:
            (self._batch,) = self._iter_batches()
        for _ in range(self._steps):
            yield dict(self._batch)

    @classmethod
    def from_dataset_reader(  # type: ignore[override]
        cls, reader: DatasetReader, data_path: str, steps_per_epoch: int = 1
    ) -> "FullBatchLoader":
        return cls(list(reader.read(data_path)), steps_per_epoch)
