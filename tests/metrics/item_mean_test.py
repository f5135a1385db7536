import torch

from spigot_allennlp.metrics.item_mean import ItemMean


def test_it_is_the_mean_over_items_not_over_batches():
    mean = ItemMean()
    mean(torch.tensor([1.0, 1.0, 1.0]))
    mean(torch.tensor([True]))
    mean(torch.tensor([5.0], requires_grad=True))
    assert mean.get_metric(reset=True) == 9 / 5


def test_of_nothing_there_is_none():
    mean = ItemMean()
    assert mean.get_metric() is None
    mean(torch.tensor([2.0]))
    mean.reset()
    mean(torch.zeros(0))
    assert mean.get_metric() is None
