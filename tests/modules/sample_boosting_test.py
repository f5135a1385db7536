import math

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.modules.sample_boosting import SampleBoosting


def test_samples_that_were_not_recognized_weigh_more_by_hand():
    boosting = SampleBoosting(num_samples=6, rate=0.5)
    samples = torch.arange(5)
    label, predicted = torch.tensor([0, 0, 0, 1, 1]), torch.tensor([0, 1, 0, 1, 1])
    assert boosting(samples, label, predicted).tolist() == [1] * 5
    boosting.end_epoch()
    once = math.exp(0.5 / 3)  # a third of class 0
    assert boosting.weights.tolist() == pytest.approx([1, once, 1, 1, 1, 1])
    boosting(samples, label, predicted)
    boosting.end_epoch()
    again = once * math.exp(0.5 * once / (2 + once))  # by weight
    assert boosting.weights.tolist() == pytest.approx([1, again, 1, 1, 1, 1])


def test_weights_are_saved_with_the_model():
    assert set(SampleBoosting(3).state_dict()) == {"weights", "wrong", "labels"}


def test_an_epoch_without_samples_changes_nothing():
    boosting = SampleBoosting(3)
    boosting.end_epoch()
    assert boosting.weights.tolist() == [1, 1, 1]


def test_numbers_beyond_the_last_sample_are_refused():
    with pytest.raises(ConfigurationError, match="is 3, but there is a sample number 7"):
        SampleBoosting(3)(torch.tensor([7]), torch.tensor([0]), torch.tensor([0]))
    with pytest.raises(ConfigurationError, match="rate must not be negative"):
        SampleBoosting(3, rate=-1.0)
