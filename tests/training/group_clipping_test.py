"""Each group of parameters is clipped by itself, and trained to its own rate."""

import copy
import logging
import math
from types import SimpleNamespace

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DataLoader
from allennlp.training import Trainer
from torch.nn.utils import clip_grad_norm_
from torch.testing import assert_close

import spigot_allennlp.training  # noqa: F401  (registers the trainer)
from spigot_allennlp.training.group_clipping import GroupNorm

FIRST = [["^first\\."], {"name": "first"}]
SECOND = [["^second\\."], {"name": "second"}]


class TwoParts(torch.nn.Module):
    """Two matrices and a number of a group of its own, with a loss whose gradients are known."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(2, 1, bias=False)
        self.second = torch.nn.Linear(2, 1, bias=False)
        self.rest = torch.nn.Parameter(torch.zeros(1))

    def forward(self, first, second, rest):
        loss = (self.first.weight * first).sum() + (self.second.weight * second).sum()
        return {"loss": loss + self.rest.sum() * rest}

    def get_regularization_penalty(self):
        return None

    def get_metrics(self, reset=False):
        return {}


class Batches(DataLoader):
    """Batches that are there already."""

    def __init__(self, batches):
        self._batches = batches

    def __len__(self):
        return len(self._batches)

    def __iter__(self):
        yield from self._batches

    def set_target_device(self, device):
        pass


def gradients(first, second, rest=0.0):
    return {
        "first": torch.tensor([first]),
        "second": torch.tensor([second]),
        "rest": torch.tensor(rest),
    }


def trainer_of(model, groups, batches=(), optimizer=None, **options):
    optimizer = {"type": "sgd", "lr": 1.0, **(optimizer or {}), "parameter_groups": groups}
    params = {"type": "group_clipping", "num_epochs": 1, "cuda_device": -1, "checkpointer": None}
    params |= {"optimizer": optimizer, "run_confidence_checks": False, **options}
    return Trainer.from_params(
        Params(params), model=model, data_loader=Batches(batches), serialization_dir=None
    )


def clip(trainer, batch):
    trainer.model(**batch)["loss"].backward()
    return trainer.rescale_gradients()


def test_each_group_is_clipped_by_itself_by_hand():
    model = TwoParts()
    # the norms are 500, 0.5 and 12
    norm = clip(
        trainer_of(model, [FIRST, SECOND], grad_norm=1.0),
        gradients([300.0, -400.0], [0.3, 0.4], 12.0),
    )
    assert_close(model.first.weight.grad, torch.tensor([[0.6, -0.8]]))
    assert_close(model.second.weight.grad, torch.tensor([[0.3, 0.4]]))
    assert_close(model.rest.grad, torch.tensor([1.0]))
    assert norm == pytest.approx(math.sqrt(500**2 + 0.5**2 + 12**2))


def test_a_group_has_its_own_norm_where_it_says_so():
    model = TwoParts()
    groups = [[["^first"], {"grad_norm": 5.0}], [["^second"], {"grad_norm": False}]]
    trainer = trainer_of(model, groups, grad_norm=2.0)
    clip(trainer, gradients([30.0, 40.0], [30.0, 40.0], 4.0))
    assert_close(model.first.weight.grad, torch.tensor([[3.0, 4.0]]))
    assert_close(model.second.weight.grad, torch.tensor([[30.0, 40.0]]))
    assert_close(model.rest.grad, torch.tensor([2.0]))
    norms = {"0": GroupNorm(50.0, 5.0), "1": GroupNorm(50.0, math.inf), "2": GroupNorm(4.0, 2.0)}
    assert trainer.group_norms == norms


@pytest.mark.parametrize("grad_norm", [False, True])
def test_without_a_norm_gradients_stay_as_they_are_and_are_measured(grad_norm):
    model = TwoParts()
    trainer = trainer_of(model, [FIRST, SECOND], grad_norm=grad_norm)
    assert clip(trainer, gradients([3.0, 4.0], [0.0, 12.0])) == pytest.approx(13.0)
    assert_close(model.first.weight.grad, torch.tensor([[3.0, 4.0]]))
    assert trainer.group_norms["second"] == GroupNorm(12.0, math.inf)


def test_it_is_what_torch_makes_of_each_group():
    torch.manual_seed(1)
    model = TwoParts()
    other = copy.deepcopy(model)
    batch = gradients(torch.randn(2).tolist(), (9 * torch.randn(2)).tolist(), 3.0)
    clip(trainer_of(model, [FIRST, SECOND], grad_norm=0.7), batch)
    other(**batch)["loss"].backward()
    for group in (other.first.parameters(), other.second.parameters(), [other.rest]):
        clip_grad_norm_(group, 0.7)
    for parameter, expected in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(parameter.grad, expected.grad)


def test_with_one_group_it_is_the_trainer_of_allennlp(caplog):
    torch.manual_seed(2)
    model = TwoParts()
    other = copy.deepcopy(model)
    batches = [gradients([3.0, 4.0], [0.3, 0.4], 12.0), gradients([0.1, 0.2], [0.3, 0.4], 0.1)]
    with caplog.at_level(logging.WARNING):
        trainer_of(model, None, batches, grad_norm=1.0).train()
    assert "one group of parameters" in caplog.text
    trainer_of(other, None, batches, type="gradient_descent", grad_norm=1.0).train()
    for parameter, expected in zip(model.parameters(), other.parameters(), strict=True):
        assert_close(parameter, expected)


def test_a_group_without_gradients_is_left_alone():
    model = TwoParts()
    trainer = trainer_of(model, [FIRST, SECOND], grad_norm=1.0)
    (model.first.weight.sum() * 3).backward()
    trainer.rescale_gradients()
    assert trainer.group_norms["second"] == GroupNorm(0.0, 1.0)
    assert model.second.weight.grad is None


def test_a_gradient_that_is_no_number_stays_in_its_group():
    model = TwoParts()
    trainer = trainer_of(model, [FIRST, SECOND], grad_norm=1.0)
    clip(trainer, gradients([math.nan, 1.0], [3.0, 4.0]))
    assert model.first.weight.grad.isnan().all()
    assert_close(model.second.weight.grad, torch.tensor([[0.6, 0.8]]))


def test_training_takes_clipped_steps_at_the_rate_of_each_group():
    model = TwoParts()
    torch.nn.init.zeros_(model.first.weight)
    torch.nn.init.zeros_(model.second.weight)
    groups = [FIRST, [["^second\\."], {"name": "second", "lr": 0.5, "grad_norm": 2.0}]]
    batches = [gradients([30.0, 40.0], [30.0, 40.0])] * 2
    trainer_of(model, groups, batches, grad_norm=1.0).train()
    assert_close(model.first.weight.detach(), torch.tensor([[-1.2, -1.6]]))
    assert_close(model.second.weight.detach(), torch.tensor([[-1.2, -1.6]]))


def test_accumulated_gradients_are_clipped_once():
    model = TwoParts()
    torch.nn.init.zeros_(model.first.weight)
    batches = [gradients([30.0, 0.0], [0.0, 0.0]), gradients([0.0, 40.0], [0.0, 0.0])]
    options = {"grad_norm": 1.0, "num_gradient_accumulation_steps": 2}
    trainer_of(model, [FIRST, SECOND], batches, **options).train()
    assert_close(model.first.weight.detach(), torch.tensor([[-0.6, -0.8]]))


@pytest.mark.parametrize("grad_clipping", [None, 0.7])
def test_a_loss_scale_is_taken_off_before_clipping(grad_clipping):
    model = TwoParts()
    torch.nn.init.zeros_(model.first.weight)
    trainer = trainer_of(model, [FIRST, SECOND], grad_norm=1.0, grad_clipping=grad_clipping)
    trainer._scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    loss = model(**gradients([3.0, 4.0], [0.3, 0.4]))["loss"]
    trainer._scaler.scale(loss).backward()
    assert_close(model.first.weight.grad, 1024 * torch.tensor([[3.0, 4.0]]))
    assert trainer.rescale_gradients() == pytest.approx(math.hypot(5, 0.5))
    trainer.clip_gradient()
    limit = grad_clipping or 1.0
    assert_close(model.first.weight.grad, torch.tensor([[0.6, min(0.8, limit)]]))
    assert_close(model.second.weight.grad, torch.tensor([[0.3, 0.4]]))
    trainer._scaler.step(trainer.optimizer)
    trainer._scaler.update()
    assert_close(model.first.weight.detach(), -torch.tensor([[0.6, min(0.8, limit)]]))


def test_a_batch_that_overflows_under_a_loss_scale_is_skipped():
    model = TwoParts()
    before = copy.deepcopy(model.state_dict())
    trainer = trainer_of(model, [FIRST, SECOND], optimizer={"type": "fused_adam"}, grad_norm=1.0)
    trainer._scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    loss = model(**gradients([math.inf, 4.0], [0.3, 0.4]))["loss"]
    trainer._scaler.scale(loss).backward()
    trainer.rescale_gradients()
    trainer._scaler.step(trainer.optimizer)
    trainer._scaler.update()
    assert trainer._scaler.get_scale() == 512
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_gradients_of_half_precision_are_clipped():
    model = TwoParts().bfloat16()
    trainer = trainer_of(model, [FIRST, SECOND], grad_norm=1.0)
    batch = {name: value.bfloat16() for name, value in gradients([30.0, 40.0], [3.0, 0.0]).items()}
    clip(trainer, batch)
    assert model.first.weight.grad.dtype == torch.bfloat16
    assert_close(model.first.weight.grad.float(), torch.tensor([[0.6, 0.8]]), rtol=1e-2, atol=0)
    assert trainer.group_norms["first"].norm == pytest.approx(50, rel=1e-2)


@pytest.mark.parametrize("grad_norm", [0, -1.0])
def test_a_norm_must_be_positive(grad_norm):
    with pytest.raises(ConfigurationError, match=f"grad_norm must be positive but is {grad_norm}"):
        trainer_of(TwoParts(), [[["^first"], {"grad_norm": grad_norm}]])


def test_groups_of_the_same_name_are_refused():
    with pytest.raises(ConfigurationError, match="parameter_groups have the name 'first'"):
        trainer_of(TwoParts(), [FIRST, [["^second"], {"name": "first"}]])


def test_parameters_of_which_each_process_has_a_part_are_refused():
    trainer = trainer_of(TwoParts(), [FIRST, SECOND])
    with pytest.raises(ConfigurationError, match="ddp_accelerator"):
        type(trainer)(
            trainer.model,
            trainer.optimizer,
            trainer.data_loader,
            cuda_device=torch.device("cpu"),
            ddp_wrapped_model=SimpleNamespace(is_sharded=True),
        )
