import math

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.common.testing import run_distributed_test
from allennlp.nn.regularizers import Regularizer
from torch.testing import assert_close

from spigot_allennlp.modules.spiking_objective import (
    CountLoss,
    SampleBoosting,
    SoftmaxCountLoss,
    SquaredCountLoss,
)


def test_the_loss_and_its_gradient_by_hand():
    # errors: 20 - 35 = -15; 12 - 5 = 7; 1 - 5 = -4, within the margin
    counts = torch.tensor([[20.0, 12.0, 1.0]], requires_grad=True)
    loss = SquaredCountLoss()(counts, torch.tensor([0]))
    assert loss.tolist() == [(15**2 + 7**2) / 2]
    loss.sum().backward()
    assert counts.grad.tolist() == [[-15, 7, 0]]


def test_without_a_margin_every_error_counts():
    loss = SquaredCountLoss(margin=0)(torch.tensor([[34.0, 5.0]]), torch.tensor([0]))
    assert loss.tolist() == [0.5]


@pytest.mark.parametrize(
    "options",
    [{"desired": 5}, {"undesired": -1}, {"margin": -1}, {"margin": 15}, {"margin": 40}],
)
def test_counts_that_cannot_be_are_refused(options):
    with pytest.raises(ConfigurationError, match="must"):
        SquaredCountLoss(**options)


def test_the_softmax_of_counts_by_hand():
    # of two classes, the logistic function of their difference, here (4 - 2) / 2
    counts = torch.tensor([[4.0, 2.0], [4.0, 2.0]], requires_grad=True)
    losses = SoftmaxCountLoss(temperature=2)(counts, torch.tensor([0, 1]))
    right = 1 / (1 + math.exp(-1))
    assert losses.tolist() == pytest.approx([-math.log(right), -math.log(1 - right)])
    losses.sum().backward()
    first, second = counts.grad.tolist()
    assert first == pytest.approx([(right - 1) / 2, (1 - right) / 2])
    assert second == pytest.approx([right / 2, -right / 2])


def test_a_temperature_of_zero_is_refused():
    with pytest.raises(ConfigurationError, match="temperature"):
        SoftmaxCountLoss(temperature=0)


def test_a_config_chooses_the_loss_of_counts():
    assert isinstance(CountLoss.from_params(Params({"margin": 1})), SquaredCountLoss)
    assert isinstance(CountLoss.from_params(Params({"type": "softmax"})), SoftmaxCountLoss)


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


class Boosted(torch.nn.Module):
    """Weighs samples as a model does that the trainer wraps for distributed training."""

    def __init__(self):
        super().__init__()
        self.boosting = SampleBoosting(num_samples=6, rate=0.5)
        self.scale = torch.nn.Parameter(torch.ones(1))

    def forward(self, *batch):
        return (self.scale * self.boosting(*batch)).sum()


# Samples, labels and predictions of each batch; the batches are not of the same size.
EPOCH = [
    (torch.tensor([0, 3]), torch.tensor([0, 1]), torch.tensor([1, 1])),
    (torch.tensor([4, 1, 2]), torch.tensor([1, 0, 0]), torch.tensor([0, 1, 0])),
    (torch.tensor([5]), torch.tensor([0]), torch.tensor([1])),
    (torch.tensor([0, 2]), torch.tensor([0, 0]), torch.tensor([0, 1])),
]


def boost_on_worker(rank, world_size, device, weights):
    model = Boosted()
    wrapped = torch.nn.parallel.DistributedDataParallel(model)
    for _ in range(3):
        for batch in EPOCH[rank::world_size]:
            wrapped(*batch).backward()
        model.boosting.end_epoch()
    assert model.boosting.weights.tolist() == weights


def test_two_workers_have_the_weights_of_one_process():
    boosting = Boosted().boosting
    for _ in range(3):
        for batch in EPOCH:
            boosting(*batch)
        boosting.end_epoch()
    assert len(set(boosting.weights.tolist())) > 2
    run_distributed_test([-1, -1], boost_on_worker, boosting.weights.tolist())


def test_weights_are_saved_with_the_model():
    assert set(SampleBoosting(3).state_dict()) == {"weights", "wrong", "labels"}


def test_a_model_that_is_not_told_when_an_epoch_ends_says_so_once(caplog):
    told, untold = SampleBoosting(4), SampleBoosting(4)
    samples = torch.arange(4)
    for _ in range(5):
        for boosting in (told, untold):
            boosting(samples, samples, samples)
        told.end_epoch()
    assert caplog.text.count("nothing tells it") == 1


def test_an_epoch_without_samples_changes_nothing():
    boosting = SampleBoosting(3)
    boosting.end_epoch()
    assert boosting.weights.tolist() == [1, 1, 1]


def test_a_batch_without_samples_has_no_weights():
    nothing = torch.zeros(0, dtype=torch.long)
    assert SampleBoosting(3)(nothing, nothing, nothing).shape == (0,)


def test_numbers_beyond_the_last_sample_are_refused():
    with pytest.raises(ConfigurationError, match="is 3, but there is a sample number 7"):
        SampleBoosting(3)(torch.tensor([7]), torch.tensor([0]), torch.tensor([0]))
    with pytest.raises(ConfigurationError, match="sample number -1, but the boosting counts"):
        SampleBoosting(3)(torch.tensor([1, -1]), torch.tensor([0, 0]), torch.tensor([0, 0]))
    for none in (0, -1):
        with pytest.raises(ConfigurationError, match="num_samples must be at least 1"):
            SampleBoosting(none)
    with pytest.raises(ConfigurationError, match="rate must be at least 0"):
        SampleBoosting(3, rate=-1.0)


def test_the_gradient_of_the_penalty_is_that_of_the_released_code():
    options = {"type": "exponential", "strength": 10.0, "rate": 0.04, "limit": 8.0}
    penalty = Regularizer.from_params(Params(options))
    weight = torch.randn(5, 3, dtype=torch.double).requires_grad_()
    penalty(weight).backward()
    for i in range(3):
        mean = sum((weight[j, i].item() / 8) ** 2 for j in range(5)) / 5
        for j in range(5):
            scale = torch.tensor(0.04 * (mean - 1), dtype=torch.double).exp()
            assert_close(weight.grad[j, i], 10 * 0.04 * weight[j, i].detach() / 8 * scale)


def test_no_weights_no_penalty():
    assert Regularizer.by_name("exponential")()(torch.zeros(4, 2)) == 0


@pytest.mark.parametrize("options", [{"limit": 0.0}, {"strength": -1.0}, {"rate": float("nan")}])
def test_a_penalty_that_cannot_be_is_refused(options):
    with pytest.raises(ConfigurationError, match=f"{next(iter(options))} must be"):
        Regularizer.from_params(Params({"type": "exponential", **options}))
