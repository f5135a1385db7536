import numpy
import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.data.dataset_readers.latent_clusters import LatentClustersReader
from spigot_allennlp.data.synthetic.clusters import sample_latent_clusters

SIZES = {"train": 6, "dev": 3, "test": 2}


def reader(**settings):
    return LatentClustersReader(**{"dim": 4, "sizes": SIZES, **settings})


def test_the_parts_are_cut_from_one_data_set_in_their_order():
    drawn = sample_latent_clusters(size=11, num_clusters=3, dim=4, deviation=0.1, seed=7)
    start = 0
    for part, size in SIZES.items():
        instances = list(reader(seed=7).read(part))
        assert len(instances) == size
        for row, instance in enumerate(instances, start=start):
            assert numpy.array_equal(instance["features"].tensor.numpy(), drawn.features[row])
            assert instance["label"].label == str(drawn.labels[row])
            assert instance["cluster"].label == drawn.clusters[row]
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
        ({"deviation": -1.0}, "must not be negative but found -1.0"),
        ({"seed": -1}, "must not be negative but found 0.1 and -1"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        reader(**settings)
