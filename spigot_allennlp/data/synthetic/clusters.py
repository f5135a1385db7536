"""
Synthetic points whose classes are linear within clusters that are not observed, so that whoever
classifies them has to choose a latent category first.

Every point belongs to one of a few clusters, and every cluster has a direction of its own along
which its points are divided into two classes
([Mihaylova, Niculae & Martins, 2020](https://arxiv.org/abs/2010.02357), section 4.1).
"""

from typing import NamedTuple

import numpy
from numpy import ndarray


class LatentClusters(NamedTuple):
    """
    Points with their clusters and classes.

    # Parameters

    features : `ndarray`
        Shape `(size, dim)`, single precision.
    clusters : `ndarray`
        Shape `(size,)`: the cluster of each point, from 0.
    labels : `ndarray`
        Shape `(size,)`: the class of each point, 0 or 1.
    """

    features: ndarray
    clusters: ndarray
    labels: ndarray


def sample_latent_clusters(
    size: int, num_clusters: int, dim: int, deviation: float, seed: int
) -> LatentClusters:
    """
    Samples `size` points in `num_clusters` clusters.

    The cluster `z` is uniform; its centre `c_z` and its direction `w_z` are standard normal; a
    point is `x = c_z + deviation * (standard normal)`; its class is whether `<w_z, x>` is above the
    mean of its cluster. A larger data set does not begin with the smaller one of the same `seed`.

    # Parameters

    size, num_clusters, dim : `int`
    deviation : `float`
        The standard deviation of the points of a cluster, in each dimension.
    seed : `int`
    """
    generator = numpy.random.default_rng(seed)
    centres, directions = generator.standard_normal((2, num_clusters, dim))
    clusters = generator.integers(num_clusters, size=size)
    features = centres[clusters] + deviation * generator.standard_normal((size, dim))
    # The coordinate of each point along the direction of its cluster: (size,)
    along = (directions[clusters] * features).sum(axis=1)
    counts = numpy.bincount(clusters, minlength=num_clusters)
    means = numpy.bincount(clusters, along, num_clusters) / numpy.maximum(counts, 1)
    labels = (along > means[clusters]).astype(numpy.int64)
    return LatentClusters(features.astype(numpy.float32), clusters, labels)
