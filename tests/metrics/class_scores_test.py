import pytest
import torch

from spigot_allennlp.metrics.class_scores import ClassScores


def scores(predicted, gold, num_classes=3):
    metric = ClassScores(num_classes)
    metric(torch.tensor(predicted), torch.tensor(gold))
    return metric.get_metric()


def test_worked_by_hand():
    # F1: class 0 2/3 (one of two found, one right), class 1 2/3, class 2 1.
    metrics = scores([0, 1, 1, 2], [0, 0, 1, 2])
    assert metrics["accuracy"] == 0.75
    assert metrics["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)


def test_a_class_that_does_not_occur_does_not_count():
    assert scores([0, 1], [0, 1], num_classes=5)["macro_f1"] == 1


def test_a_class_that_is_only_predicted_counts_zero():
    assert scores([0, 2], [0, 1])["macro_f1"] == pytest.approx(1 / 3)


def test_batches_add_up():
    metric = ClassScores(3)
    metric(torch.tensor([0, 1]), torch.tensor([0, 0]))
    metric(torch.tensor([1, 2]), torch.tensor([1, 2]))
    assert metric.get_metric(reset=True) == scores([0, 1, 1, 2], [0, 0, 1, 2])
    assert metric.get_metric() == {}
