import pytest
import torch
from allennlp.common.checks import ConfigurationError
from torch.testing import assert_close

from spigot_allennlp.modules.structured_loss.log_likelihood import LogLikelihoodLoss
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.structure import Structure


def test_one_choice_is_the_cross_entropy():
    scores = torch.tensor([[1.0, 2.0, 0.5], [0.0, 0.0, 0.0]])
    gold = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    loss = LogLikelihoodLoss()(Categorical(), scores, torch.ones(2, 3, dtype=torch.bool), gold)
    expected = torch.nn.functional.cross_entropy(scores, torch.tensor([1, 0]), reduction="none")
    assert_close(loss, expected)


def test_a_structure_without_log_partition_is_refused():
    with pytest.raises(ConfigurationError, match="LogLikelihoodLoss needs log_partition.*hinge"):
        LogLikelihoodLoss().check(Structure())
