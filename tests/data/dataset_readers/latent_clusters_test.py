import numpy
import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.data.dataset_readers.latent_clusters import (
    LatentClustersReader,
    sample_latent_clusters,
)

SIZES = {"train": 6, "dev": 3, "test": 2}


def reader(**settings):
    return LatentClustersReader(**{"dim": 4, "sizes": SIZES, **settings})


def test_the_parts_are_cut_from_one_data_set_in_their_order():
    whole = sample_latent_clusters(size=11, num_clusters=3, dim=4, deviation=0.1, seed=7)
    start = 0
    for part, size in SIZES.items():
        instances = list(reader(seed=7).read(part))
        assert len(instances) == size
        for row, instance in enumerate(instances, start=start):
            assert numpy.array_equal(instance["features"].tensor.numpy(), whole.features[row])
            assert instance["label"].label == str(whole.labels[row])
            assert instance["cluster"].label == whole.clusters[row]
        start += size


def test_a_part_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(ConfigurationError, match="'valid' is no part.*train, dev, test"):
        list(reader().read("valid"))


def test_what_has_no_label_can_be_read_for_prediction():
    assert set(reader().text_to_instance([0.0] * 4).fields) == {"features"}


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"num_clusters": 0}, "num_clusters must be at least 1 but is 0"),
        ({"dim": 0}, "dim must be at least 1 but is 0"),
        ({"sizes": {"train": 0}}, "train must be at least 1 but is 0"),
        ({"deviation": -1.0}, "deviation must be at least 0 but is -1.0"),
        ({"seed": -1}, "seed must be at least 0 but is -1"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        reader(**settings)


@pytest.fixture(scope="module")
def sample():
    return sample_latent_clusters(size=4000, num_clusters=4, dim=20, deviation=0.1, seed=3)


def test_every_point_lies_about_the_centre_of_its_cluster(sample):
    for cluster in range(4):
        members = sample.features[sample.clusters == cluster]
        assert members.std(axis=0) == pytest.approx(0.1, rel=0.1)
    assert sample.features.dtype == numpy.float32


def test_clusters_are_equally_likely(sample):
    assert numpy.bincount(sample.clusters) / 4000 == pytest.approx(0.25, abs=0.03)


def test_within_a_cluster_the_classes_are_balanced_and_divided_by_a_plane(sample):
    for cluster in range(4):
        members = sample.clusters == cluster
        points, labels = sample.features[members], sample.labels[members]
        assert labels.mean() == pytest.approx(0.5, abs=0.05)
        # The difference of the classes' means is the direction, up to noise.
        centred = points - points.mean(axis=0)
        direction = centred[labels == 1].mean(axis=0) - centred[labels == 0].mean(axis=0)
        assert ((centred @ direction > 0) == labels).mean() > 0.9


def test_over_all_clusters_no_plane_divides_the_classes(sample):
    points = sample.features - sample.features.mean(axis=0)
    weights = numpy.linalg.lstsq(points, 2 * sample.labels - 1, rcond=None)[0]
    assert ((points @ weights > 0) == sample.labels).mean() < 0.75


def test_a_seed_repeats_the_data():
    settings = {"size": 50, "num_clusters": 3, "dim": 5, "deviation": 0.1}
    once, again, other = (sample_latent_clusters(**settings, seed=seed) for seed in (1, 1, 2))
    assert (once.features == again.features).all() and (once.labels == again.labels).all()
    assert (once.features != other.features).any()
