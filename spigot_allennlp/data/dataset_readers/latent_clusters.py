"""
The reader for the synthetic benchmark of latent choices: within unobserved clusters, the classes of
points are linearly separable. So a classifier has to choose a latent category first ([Mihaylova,
Niculae & Martins, 2020](https://arxiv.org/abs/2010.02357), section 4.1).

Every point belongs to one of a few clusters. Each cluster has its own direction, which divides its
points into two classes. There is no file and no format.
"""

from typing import Dict, Iterator, NamedTuple, Optional, Sequence

import numpy
from allennlp.data import DatasetReader, Instance
from allennlp.data.fields import Field, LabelField, TensorField

from spigot_allennlp.config_checks import PlainConfigurationError, check_least
from spigot_allennlp.data.dataset_readers.class_field import ClassField


@DatasetReader.register("latent_clusters")
class LatentClustersReader(DatasetReader):
    """
    Samples points in clusters with two classes each; see `sample_latent_clusters`. All parts are
    cut from one data set. The data path is the name of a part: "train", "dev" or "test". The
    defaults are the settings of [Mihaylova, Niculae & Martins
    (2020)](https://arxiv.org/abs/2010.02357).

    An instance has `features`, a `TensorField` of shape `(dim,)`, `label`, a `LabelField`, "0" or
    "1", and `cluster`, the number of its cluster, which is not meant for training.

    Registered as a `DatasetReader` with name "latent_clusters".

    # Parameters

    num_clusters : `int`, optional (default = `3`)
    dim : `int`, optional (default = `100`)
    deviation : `float`, optional (default = `0.1`)
        The standard deviation of the points of a cluster in each dimension. That of the centres is
        1.
    sizes : `Dict[str, int]`, optional (default = `{"train": 5000, "dev": 1000, "test": 1000}`)
        The sizes of the parts, in the order in which they are cut.
    seed : `int`, optional (default = `1`)
        The seed of the data, independent of the seeds of the run.
    """

    def __init__(
        self,
        num_clusters: int = 3,
        dim: int = 100,
        deviation: float = 0.1,
        sizes: Optional[Dict[str, int]] = None,
        seed: int = 1,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self._sizes = dict(sizes or {"train": 5000, "dev": 1000, "test": 1000})
        check_least(1, num_clusters=num_clusters, dim=dim, **self._sizes)
        check_least(0, deviation=deviation, seed=seed)
        self._num_clusters = num_clusters
        self._dim = dim
        self._deviation = deviation
        self._seed = seed

    def _read(self, file_path: str) -> Iterator[Instance]:
        if file_path not in self._sizes:
            raise PlainConfigurationError(
                f"'{file_path}' is no part of this data set; its parts are "
                f"{', '.join(self._sizes)}. Name one of them as the data path."
            )
        end = 0
        for part, size in self._sizes.items():
            start, end = end, end + size
            if part == file_path:
                break
        sample = sample_latent_clusters(
            size=sum(self._sizes.values()),
            num_clusters=self._num_clusters,
            dim=self._dim,
            deviation=self._deviation,
            seed=self._seed,
        )
        for row in range(start, end):
            label, cluster = str(sample.labels[row]), int(sample.clusters[row])
            yield self.text_to_instance(sample.features[row], label, cluster)

    def text_to_instance(  # type: ignore[override]
        self,
        features: Sequence[float],
        label: Optional[str] = None,
        cluster: Optional[int] = None,
    ) -> Instance:
        """
        Returns the instance of a point.

        # Parameters

        features : `Sequence[float]`
            `dim` numbers.
        label : `str`, optional
        cluster : `int`, optional
        """
        fields: Dict[str, Field] = {
            "features": TensorField(numpy.asarray(features, dtype=numpy.float32))
        }
        if label is not None:
            fields["label"] = ClassField(label)
        if cluster is not None:
            fields["cluster"] = LabelField(cluster, "cluster_labels", skip_indexing=True)
        return Instance(fields)


class LatentClusters(NamedTuple):
    """
    Points with their clusters and classes.

    # Parameters

    features : `numpy.ndarray`
        Shape `(size, dim)`, single precision.
    clusters : `numpy.ndarray`
        Shape `(size,)`: the cluster of each point, from 0.
    labels : `numpy.ndarray`
        Shape `(size,)`: the class of each point, 0 or 1.
    """

    features: numpy.ndarray
    clusters: numpy.ndarray
    labels: numpy.ndarray


def sample_latent_clusters(
    size: int, num_clusters: int, dim: int, deviation: float, seed: int
) -> LatentClusters:
    """
    Samples `size` points in `num_clusters` clusters.

    The cluster `z` is uniform; its centre `c_z` and its direction `w_z` are standard normal; a
    point is `x = c_z + deviation * (standard normal)`; its class is whether `<w_z, x>` is above the
    mean of its cluster. For the same `seed`, a larger data set does not begin with the smaller one.

    # Parameters

    size, num_clusters, dim : `int`
    deviation : `float`
        The standard deviation of the points of a cluster, in each dimension.
    seed : `int`
    """
    generator = numpy.random.default_rng(seed)
    centres, directions = generator.standard_normal(size=(2, num_clusters, dim))
    clusters = generator.integers(num_clusters, size=size)
    features = centres[clusters] + deviation * generator.standard_normal(size=(size, dim))
    # The coordinate of each point along the direction of its cluster: (size,)
    along = (directions[clusters] * features).sum(axis=1)
    counts = numpy.bincount(clusters, minlength=num_clusters)
    means = numpy.bincount(clusters, along, num_clusters) / numpy.maximum(counts, 1)
    labels = (along > means[clusters]).astype(numpy.int64)
    return LatentClusters(features.astype(numpy.float32), clusters, labels)
