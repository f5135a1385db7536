import pytest
import torch
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.estimators.blackbox import Blackbox
from spigot_allennlp.structures.categorical import Categorical
from tests.estimators.backward import linear, scores_gradient

SCORES, MASK = torch.tensor([[2.0, 0.0, 1.0]]), torch.ones(1, 3, dtype=torch.bool)


def gradient(estimator, costs):
    return scores_gradient(estimator, Categorical(), SCORES, MASK, linear(torch.tensor([costs])))[0]


def test_the_difference_of_two_argmaxes_by_hand():
    # scores - 5 costs = (-3, 0, -4): the second part wins
    assert gradient(Blackbox(5.0), [1.0, 0.0, 1.0]).tolist() == pytest.approx([0.2, -0.2, 0])


def test_a_step_that_changes_no_object_gives_no_gradient():
    assert not gradient(Blackbox(0.5), [1.0, 0.0, 1.0]).any()


def test_a_large_step_leads_to_what_the_loss_likes_best():
    assert (gradient(Blackbox(1e4), [1.0, 0.0, -1.0]) * 1e4).tolist() == pytest.approx([1, 0, -1])


def test_a_step_that_is_not_positive_is_refused():
    with pytest.raises(ConfigurationError, match="step_size must be positive but is -1"):
        Blackbox(-1)
