"""
One optimizer with a group, a schedule and a norm for each parser is the two optimizers of the
authors' code (Peng et al., 2018): a batch of trees updates the syntactic parser alone, one of
graphs both.
"""

import copy

import pytest
import torch
from allennlp.common import Lazy, Params
from allennlp.common.checks import ConfigurationError
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
from allennlp.training.optimizers import Optimizer
from torch.testing import assert_close

import spigot_allennlp.training  # noqa: F401  (registers the optimizer and the schedule)

PARSERS = ("syntactic_parser", "semantic_parser")
RATES = {"syntactic_parser": 0.1, "semantic_parser": 0.02}
SHRINKAGE = 0.1
SCHEDULES = {
    "syntactic_parser": {"type": "step", "step_size": 2, "gamma": 0.5},
    "semantic_parser": {"type": "step", "step_size": 3, "gamma": 0.1},
}


def model_of(value=1.0):
    model = torch.nn.ModuleDict({name: torch.nn.Linear(2, 1, bias=False) for name in PARSERS})
    for part in model.values():
        torch.nn.init.constant_(part.weight, value)
    return model


def optimizer_of(model, **options):
    groups = [[[f"^{name}"], {"name": name, "lr": RATES[name]}] for name in PARSERS]
    config = {"type": "fused_adam", "parameter_groups": groups, **options}
    return Optimizer.from_params(Params(config), model_parameters=list(model.named_parameters()))


def schedule_of(optimizer):
    params = Params({"type": "by_group", "schedulers": copy.deepcopy(SCHEDULES)})
    lazy = Lazy(lambda **extras: LearningRateScheduler.from_params(params, **extras))
    return lazy.construct(optimizer=optimizer, num_epochs=6, num_steps_per_epoch=2)


def set_gradients(model, names, gradients):
    for name, part in model.items():
        part.weight.grad = gradients[name].clone() if name in names else None


def test_the_first_step_by_hand():
    """
    Of 1 a tenth is taken; then Adam's first step is the rate, against the sign of the gradient. The
    parser that the batch is not for stays.
    """
    model = model_of()
    optimizer = optimizer_of(model, shrinkage=SHRINKAGE)
    set_gradients(model, PARSERS[:1], {"syntactic_parser": torch.tensor([[30.0, -0.4]])})
    optimizer.step()
    assert_close(model["syntactic_parser"].weight.data, torch.tensor([[0.8, 1.0]]))
    assert model["semantic_parser"].weight.tolist() == [[1.0, 1.0]]


def test_it_is_two_optimizers_with_two_schedules():
    torch.manual_seed(4)
    model, others = model_of(), model_of()
    optimizer = optimizer_of(model, shrinkage=SHRINKAGE)
    schedule = schedule_of(optimizer)
    adams = {n: torch.optim.Adam(others[n].parameters(), lr=RATES[n]) for n in PARSERS}
    halvings = {"syntactic_parser": (2, 0.5), "semantic_parser": (3, 0.1)}
    for epoch in range(6):
        for names in (PARSERS[:1], PARSERS):  # trees, graphs
            gradients = {name: torch.randn(1, 2) for name in PARSERS}
            set_gradients(model, names, gradients)
            optimizer.step()
            set_gradients(others, names, gradients)
            for name in names:
                others[name].weight.data.mul_(1 - SHRINKAGE)
                adams[name].step()
        schedule.step(0.0)
        for name, (size, gamma) in halvings.items():
            rate = RATES[name] * gamma ** ((epoch + 1) // size)
            adams[name].param_groups[0]["lr"] = rate
        for name in PARSERS:
            assert_close(model[name].weight, others[name].weight)


def test_the_shrinkage_does_not_follow_the_rate_as_decoupled_decay_does():
    """Without gradients to speak of: 0.9 ** 3, against (1 - 0.1 * rate / 0.1) for falling rates."""
    left = []
    for options in ({"shrinkage": 0.1}, {"weight_decay": 1.0, "decoupled_weight_decay": True}):
        model = model_of()
        optimizer = optimizer_of(model, **options)
        for rate in (0.1, 0.05, 0.025):
            optimizer.param_groups[0]["lr"] = rate
            set_gradients(model, PARSERS[:1], {"syntactic_parser": torch.zeros(1, 2)})
            optimizer.step()
        left.append(model["syntactic_parser"].weight[0, 0].item())
    assert left == pytest.approx([0.9**3, 0.9 * 0.95 * 0.975])


def test_a_restored_optimizer_shrinks_as_before():
    model = model_of()
    optimizer = optimizer_of(model, shrinkage=SHRINKAGE)
    state = copy.deepcopy(optimizer_of(model_of(), shrinkage=0.0).state_dict())
    for group in state["param_groups"]:
        del group["shrinkage"]  # as in a checkpoint that was written before there was one
    optimizer.load_state_dict(state)
    assert [group["shrinkage"] for group in optimizer.param_groups[:2]] == [SHRINKAGE] * 2


def test_a_shrinkage_of_all_is_refused():
    with pytest.raises(ConfigurationError, match=r"shrinkage must be in \[0, 1\) but is 1"):
        optimizer_of(model_of(), shrinkage=1.0)
