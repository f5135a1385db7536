import pytest
import torch
from allennlp.common.checks import ConfigurationError
from sklearn.metrics import homogeneity_completeness_v_measure

from spigot_allennlp.metrics.v_measure import VMeasure


def metrics(categories, clusters, num_categories=4, num_clusters=4):
    metric = VMeasure(num_categories, num_clusters)
    metric(torch.tensor(categories), torch.tensor(clusters))
    return metric.get_metric()


@pytest.mark.parametrize("num_categories, num_clusters", [(4, 4), (3, 6), (7, 2)])
def test_it_agrees_with_scikit_learn(num_categories, num_clusters):
    torch.manual_seed(num_clusters)
    clusters = torch.randint(num_clusters, (300,))
    noise = torch.randint(num_categories, (300,))
    categories = torch.where(torch.rand(300) < 0.5, clusters % num_categories, noise)
    scores = metrics(categories.tolist(), clusters.tolist(), num_categories, num_clusters)
    expected = homogeneity_completeness_v_measure(clusters, categories)
    assert tuple(scores.values()) == pytest.approx(expected)


def test_other_names_for_the_categories_change_nothing():
    assert metrics([2, 2, 0, 0, 1], [0, 0, 1, 1, 2])["v_measure"] == pytest.approx(1)


def test_one_category_for_all_says_nothing():
    scores = metrics([0, 0, 0, 0], [0, 1, 2, 3])
    assert scores == {"homogeneity": 0, "completeness": 1, "v_measure": 0}


def test_a_category_of_its_own_for_every_point_is_homogeneous():
    scores = metrics([0, 1, 2, 3], [0, 0, 1, 1])
    assert scores["homogeneity"] == pytest.approx(1) and scores["completeness"] == pytest.approx(
        0.5
    )


def test_batches_add_up():
    metric = VMeasure(2, 2)
    metric(torch.tensor([0, 1]), torch.tensor([0, 0]))
    metric(torch.tensor([1]), torch.tensor([1]))
    assert metric.get_metric(reset=True) == metrics([0, 1, 1], [0, 0, 1], 2, 2)
    assert metric.get_metric() == {}


def test_a_cluster_that_cannot_be_counted_is_refused_with_its_number():
    with pytest.raises(ConfigurationError, match="found cluster 4, but num_clusters is 4"):
        metrics([0], [4])


@pytest.mark.parametrize(
    "categories, clusters, message",
    [
        ([1, 1, 0], [-1, -1, 0], "found cluster -1: they are counted from 0"),
        ([-1, 0], [1, 1], "found category -1: they are counted from 0"),
        ([4], [0], "found category 4, but num_categories is 4.*Set num_categories"),
    ],
)
def test_what_is_no_number_of_a_category_or_cluster_is_counted_nowhere(
    categories, clusters, message
):
    with pytest.raises(ConfigurationError, match=message):
        metrics(categories, clusters)
