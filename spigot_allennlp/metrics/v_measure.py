"""Measures how well categories agree with clusters, however the categories are numbered."""

from typing import Dict, List

import numpy
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training.metrics import Metric
from torch import LongTensor

from spigot_allennlp.metrics.counting_metric import CountingMetric


@Metric.register("v_measure")
class VMeasure(CountingMetric):
    """
    `get_metric` returns `v_measure`, the harmonic mean of `homogeneity` (does each category hold a
    single cluster?) and `completeness` (is each cluster in a single category?), and both of these,
    all from 0 to 1 ([Rosenberg & Hirschberg, 2007](https://aclanthology.org/D07-1043)). Renumbering
    the categories does not change them.

    Registered as a `Metric` with name "v_measure".

    # Parameters

    num_categories : `int`
    num_clusters : `int`
    """

    def __init__(self, num_categories: int, num_clusters: int) -> None:
        super().__init__(num_categories * num_clusters)
        self._shape = num_categories, num_clusters

    def __call__(self, categories: LongTensor, clusters: LongTensor) -> None:  # type: ignore[override]
        """
        Counts pairs; both tensors have shape `(batch_size,)` and hold numbers from 0.

        # Raises

        `ConfigurationError` if a category or a cluster is negative, or not below the number of
        categories or clusters.
        """
        _check("category", categories, "num_categories", self._shape[0])
        _check("cluster", clusters, "num_clusters", self._shape[1])
        pairs = categories * self._shape[1] + clusters
        self.add(torch.bincount(pairs, minlength=self._shape[0] * self._shape[1]))

    def compute_metrics(self, counts: List[int]) -> Dict[str, float]:
        # scikit-learn needs the labels of all points, and trainers ask for metrics after every
        # batch.
        table = numpy.array(counts, dtype=float).reshape(self._shape) / sum(counts)
        both, categories, clusters = map(_entropy, (table, table.sum(axis=1), table.sum(axis=0)))
        information = max(categories + clusters - both, 0.0)
        homogeneity = information / clusters if clusters > 0 else 1.0
        completeness = information / categories if categories > 0 else 1.0
        either = homogeneity + completeness
        return {
            "homogeneity": homogeneity,
            "completeness": completeness,
            "v_measure": 2 * homogeneity * completeness / either if either > 0 else 0.0,
        }


def _check(name: str, numbers: LongTensor, limit_name: str, limit: int) -> None:
    """
    # Raises

    `ConfigurationError` if a number is negative, or not below `limit`.
    """
    wrong = numbers[(numbers < 0) | (numbers >= limit)]
    if not len(wrong):
        return
    if wrong.max() < 0:
        raise ConfigurationError(
            f"found {name} {int(wrong.min())}: they are counted from 0. Leave out items without a "
            f"{name}."
        )
    raise ConfigurationError(
        f"found {name} {int(wrong.max())}, but {limit_name} is {limit}: they are counted from 0. "
        f"Set {limit_name} to how many there are."
    )


def _entropy(probabilities: numpy.ndarray) -> float:
    """Returns the entropy in nats."""
    positive = probabilities[probabilities > 0]
    return float(-(positive * numpy.log(positive)).sum())
