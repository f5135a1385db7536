import pytest
import torch
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.modules.count_loss import CountLoss


def test_the_loss_and_its_gradient_by_hand():
    # errors: 20 - 35 = -15; 12 - 5 = 7; 1 - 5 = -4, within the margin
    counts = torch.tensor([[20.0, 12.0, 1.0]], requires_grad=True)
    loss = CountLoss()(counts, torch.tensor([0]))
    assert loss.tolist() == [(15**2 + 7**2) / 2]
    loss.sum().backward()
    assert counts.grad.tolist() == [[-15, 7, 0]]


def test_without_a_margin_every_error_counts():
    loss = CountLoss(margin=0)(torch.tensor([[34.0, 5.0]]), torch.tensor([0]))
    assert loss.tolist() == [0.5]


@pytest.mark.parametrize("options", [{"desired": 5}, {"undesired": -1}, {"margin": -1}])
def test_counts_that_cannot_be_are_refused(options):
    with pytest.raises(ConfigurationError, match="must"):
        CountLoss(**options)
