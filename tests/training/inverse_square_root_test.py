import pytest
import torch
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.training.inverse_square_root import InverseSquareRoot


def rates(epochs=5, **options):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = InverseSquareRoot(optimizer, **options)
    learning_rates = []
    for _ in range(epochs):
        schedule.step()
        learning_rates.append(optimizer.param_groups[0]["lr"])
    return learning_rates


def test_two_epochs_have_the_whole_rate_and_later_ones_less():
    # the trainer steps once before the first epoch, at last_epoch 0
    assert rates() == pytest.approx([1, 1, 2**-0.5, 3**-0.5, 0.5])


def test_without_delay_it_falls_from_the_second_epoch_on():
    assert rates(delay=0)[:2] == pytest.approx([1, 2**-0.5])


def test_a_negative_delay_is_refused():
    with pytest.raises(ConfigurationError, match="delay must be at least 0 but is -1"):
        rates(delay=-1)
