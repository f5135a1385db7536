"""The reader of the synthetic benchmark of latent choices: no file, no format."""

from typing import Dict, Iterator, Optional, Sequence

import numpy
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance
from allennlp.data.fields import Field, LabelField, TensorField

from spigot_allennlp.config_checks import check_least
from spigot_allennlp.data.synthetic.clusters import sample_latent_clusters


@DatasetReader.register("latent_clusters")
class LatentClustersReader(DatasetReader):
    """
    Samples points in clusters, two classes within each; see `data/synthetic/clusters.py`. All parts
    are cut from one data set, and the data path is the name of a part: "train", "dev" or "test".
    What is left out has the settings of
    [Mihaylova, Niculae & Martins (2020)](https://arxiv.org/abs/2010.02357).

    An instance has `features`, a `TensorField` of shape `(dim,)`, `label`, a `LabelField`, "0" or
    "1", and `cluster`, the number of its cluster, which no model is meant to be trained on.

    Registered as a `DatasetReader` with name "latent_clusters".

    # Parameters

    num_clusters : `int`, optional (default = `3`)
    dim : `int`, optional (default = `100`)
    deviation : `float`, optional (default = `0.1`)
        Standard deviation of the points of a cluster, in each dimension; the centres have 1.
    sizes : `Dict[str, int]`, optional (default = `{"train": 5000, "dev": 1000, "test": 1000}`)
        The parts, in the order in which they are cut.
    seed : `int`, optional (default = `1`)
        Of the data, whatever the seeds of the run are.
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
        if deviation < 0 or seed < 0:
            raise ConfigurationError(
                f"deviation and seed must not be negative but found {deviation} and {seed}."
            )
        self._settings = num_clusters, dim, deviation, seed

    def _read(self, file_path: str) -> Iterator[Instance]:
        if file_path not in self._sizes:
            raise ConfigurationError(
                f"'{file_path}' is no part of this data set; its parts are "
                f"{', '.join(self._sizes)}. Name one of them as the data path."
            )
        end = 0
        for part, size in self._sizes.items():
            start, end = end, end + size
            if part == file_path:
                break
        drawn = sample_latent_clusters(sum(self._sizes.values()), *self._settings)
        for row in range(start, end):
            label, cluster = str(drawn.labels[row]), int(drawn.clusters[row])
            yield self.text_to_instance(drawn.features[row], label, cluster)

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
            fields["label"] = LabelField(label)
        if cluster is not None:
            fields["cluster"] = LabelField(cluster, "cluster_labels", skip_indexing=True)
        return Instance(fields)
