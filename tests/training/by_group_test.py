"""Each group of parameters has a schedule of its own, which a checkpoint restores."""

import copy
import warnings

import pytest
import torch
from allennlp.common import Lazy, Params
from allennlp.common.checks import ConfigurationError
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
from allennlp.training.optimizers import Optimizer

import spigot_allennlp.training  # noqa: F401  (registers the schedule)

HALVED = {"type": "step", "step_size": 2, "gamma": 0.5}
EXPONENTIAL = {"type": "exponential", "gamma": 0.9}
WARMUP = {"type": "linear_with_warmup", "warmup_steps": 2}


def optimizer_of(kind="adam"):
    model = torch.nn.ModuleDict({name: torch.nn.Linear(1, 1) for name in ("a", "b", "c")})
    groups = [[["^a"], {"name": "a", "lr": 0.1}], [["^b"], {"name": "b"}]]
    params = Params({"type": kind, "lr": 0.2, "parameter_groups": groups})
    return Optimizer.from_params(params, model_parameters=list(model.named_parameters()))


def scheduler_of(optimizer, num_epochs=None, num_steps_per_epoch=None, **schedulers):
    params = Params({"type": "by_group", "schedulers": schedulers})
    lazy = Lazy(lambda **extras: LearningRateScheduler.from_params(params, **extras))
    return lazy.construct(
        optimizer=optimizer, num_epochs=num_epochs, num_steps_per_epoch=num_steps_per_epoch
    )


def rates(optimizer):
    return [group["lr"] for group in optimizer.param_groups]


def train(optimizer, scheduler, num_epochs):
    history = []
    for _ in range(num_epochs):
        optimizer.step()
        scheduler.step(0.0)
        history.append(rates(optimizer))
    return history


@pytest.mark.parametrize("kind", ["adam", "fused_adam"])
def test_each_group_follows_its_own_schedule_by_hand(kind):
    optimizer = optimizer_of(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = train(optimizer, scheduler_of(optimizer, a=HALVED, b=EXPONENTIAL), 4)
    expected = [[0.1, 0.18, 0.2], [0.05, 0.162, 0.2], [0.05, 0.1458, 0.2], [0.025, 0.13122, 0.2]]
    for epoch, wanted in zip(history, expected, strict=True):
        assert epoch == pytest.approx(wanted)


def test_a_group_without_a_name_goes_by_its_number():
    optimizer = optimizer_of()
    history = train(optimizer, scheduler_of(optimizer, **{"2": {"type": "inverse_square_root"}}), 4)
    # Four epochs are over: the fifth divides by the square root of 5 - 1.
    assert history[-1] == pytest.approx([0.1, 0.2, 0.1])


def test_schedules_by_batch_get_the_number_of_batches():
    optimizer = optimizer_of()
    scheduler = scheduler_of(optimizer, 2, 3, a=WARMUP)
    seen = []
    for number in range(1, 7):
        scheduler.step_batch(number)
        seen.append(rates(optimizer)[0])
    alone = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    other = LearningRateScheduler.from_params(
        Params(dict(WARMUP)), optimizer=alone, num_epochs=2, num_steps_per_epoch=3
    )
    expected = []
    for number in range(1, 7):
        other.step_batch(number)
        expected.append(alone.param_groups[0]["lr"])
    assert seen == expected and rates(optimizer)[1:] == [0.2, 0.2]


@pytest.mark.parametrize("schedule", [HALVED, EXPONENTIAL, {"type": "inverse_square_root"}])
def test_a_restored_schedule_goes_on(schedule):
    whole, resumed = optimizer_of(), optimizer_of()
    scheduler = scheduler_of(whole, a=schedule, b=EXPONENTIAL)
    train(whole, scheduler, 3)
    states = copy.deepcopy((whole.state_dict(), scheduler.state_dict()))
    again = scheduler_of(resumed, a=schedule, b=EXPONENTIAL)
    resumed.load_state_dict(states[0])
    again.load_state_dict(states[1])
    assert train(resumed, again, 3) == train(whole, scheduler, 3)


def test_a_schedule_for_no_group_is_refused():
    with pytest.raises(ConfigurationError, match=r"'d', but the .* are \['a', 'b', '2'\]"):
        scheduler_of(optimizer_of(), d=HALVED)
