"""A scheduler that samples batches from several treebanks in proportion to their sizes."""

import random
from typing import Dict, Iterable, Iterator, List, Optional, Union

from allennlp.common.util import lazy_groups_of
from allennlp.data import Instance
from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler

from spigot_allennlp.config_checks import PlainConfigurationError, check_interval, check_least


@MultiTaskScheduler.register("proportional")
class ProportionalScheduler(MultiTaskScheduler):
    """
    Takes each batch from a single data set. The data set is sampled in proportion to the numbers of
    batches until one data set is used up, and uniformly from then on. So every instance is used
    once per epoch, as in the training loop of [Peng et al.
    (2018)](https://aclanthology.org/P18-1173), which uses batches of one sentence. With `shares`,
    only a part of the instances is used, as in their second experiment.

    Registered as a `MultiTaskScheduler` with name "proportional".

    # Parameters

    batch_size : `Union[int, Dict[str, int]]`
        In instances: one number, or one for each data set.
    bucket : `bool`, optional (default = `True`)
        Whether the sentences of a batch have about the same length, to save padding. If so, the
        instances of an epoch are held in memory.
    length_noise : `float`, optional (default = `0.1`)
        Lengths are randomly changed by up to this fraction before they are sorted, so that batches
        differ between epochs.
    sorting_field : `str`, optional (default = `"tokens"`)
        The text field that determines the length.
    shares : `Dict[str, float]`, optional
        The share of the instances to use per epoch, from 0 (none) to 1, for some data sets. It is
        rounded to whole instances, which are sampled for each epoch without replacement. The other
        data sets are used completely. Peng et al. use `{"semantics": 0.2}` for their parsing data.
    """

    def __init__(
        self,
        batch_size: Union[int, Dict[str, int]],
        bucket: bool = True,
        length_noise: float = 0.1,
        sorting_field: str = "tokens",
        shares: Optional[Dict[str, float]] = None,
    ) -> None:
        sizes = batch_size if isinstance(batch_size, dict) else {"": batch_size}
        check_least(1, **{f"batch_size {name}".rstrip(): size for name, size in sizes.items()})
        self._shares = dict(shares or {})
        check_interval("[0, 1]", **{f"shares {name}": self._shares[name] for name in self._shares})
        self._batch_size = batch_size
        self._bucket = bucket
        self._length_noise = length_noise
        self._sorting_field = sorting_field

    def batch_instances(
        self, epoch_instances: Dict[str, Iterable[Instance]]
    ) -> Iterator[List[Instance]]:
        """Yields the batches of an epoch."""
        self._check_names(epoch_instances)
        # All batches are made first, since their numbers are the weights.
        batches = {
            name: self._batches(name, self._sampled(name, list(instances)))
            for name, instances in epoch_instances.items()
        }
        num_batches = {name: len(batches[name]) for name in batches if batches[name]}
        iterators = {name: iter(batches[name]) for name in num_batches}
        remaining = dict(num_batches)
        exhausted = False
        while any(remaining.values()):
            candidates = [name for name in remaining if remaining[name]]
            exhausted = exhausted or len(candidates) < len(remaining)
            weights = [1 if exhausted else num_batches[name] for name in candidates]
            name = random.choices(candidates, weights)[0]
            remaining[name] -= 1
            yield next(iterators[name])

    def count_batches(self, dataset_counts: Dict[str, int]) -> int:
        """Returns the number of batches for data sets of these sizes."""
        self._check_names(dataset_counts)
        return sum(
            -(-self._num_used(name, count) // self._batch_size_of(name))
            for name, count in dataset_counts.items()
        )

    def _check_names(self, data_sets: Iterable[str]) -> None:
        names = sorted(data_sets)
        unknown = sorted(set(self._shares).difference(names))
        if unknown:
            raise PlainConfigurationError(
                f"The scheduler's shares name {unknown}, but the data sets are {names}."
            )

    def _num_used(self, name: str, count: int) -> int:
        """Returns how many of the `count` instances of a data set are used per epoch."""
        return round(self._shares.get(name, 1.0) * count)

    def _sampled(self, name: str, instances: List[Instance]) -> List[Instance]:
        """Returns the instances of an epoch, in order."""
        if name not in self._shares:
            return instances
        places = random.sample(range(len(instances)), self._num_used(name, len(instances)))
        return [instances[place] for place in sorted(places)]

    def _batches(self, name: str, instances: List[Instance]) -> List[List[Instance]]:
        if not self._bucket:
            return list(lazy_groups_of(instances, self._batch_size_of(name)))
        keyed = [(self._noisy_length(instance), instance) for instance in instances]
        keyed.sort(key=lambda pair: pair[0])
        batches = list(
            lazy_groups_of([instance for _, instance in keyed], self._batch_size_of(name))
        )
        random.shuffle(batches)
        return batches

    def _noisy_length(self, instance: Instance) -> float:
        length = len(instance.fields[self._sorting_field])  # type: ignore[arg-type]
        return length * (1 + random.uniform(-self._length_noise, self._length_noise))

    def _batch_size_of(self, name: str) -> int:
        if isinstance(self._batch_size, int):
            return self._batch_size
        if name not in self._batch_size:
            raise PlainConfigurationError(
                f"The scheduler's batch_size has no entry for the data set '{name}': it has "
                f"{sorted(self._batch_size)}. Add one, or give one number for all."
            )
        return self._batch_size[name]
