import copy

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.training.optimizers import Optimizer
from torch.testing import assert_close

OPTIONS = {"lr": 0.01, "betas": [0.8, 0.9], "weight_decay": 0.01}


def train(model, optimizer, num_steps=3, seed=1):
    torch.manual_seed(seed)
    for _ in range(num_steps):
        optimizer.zero_grad()
        model(torch.randn(5, 4)).pow(2).sum().backward()
        optimizer.step()


def optimizer_of(kind, model, **options):
    params = Params({"type": kind, **OPTIONS, **options})
    return Optimizer.from_params(params, model_parameters=list(model.named_parameters()))


def two_models():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 2))
    return model, copy.deepcopy(model)


def assert_equal_models(model, other):
    for parameter, expected in zip(model.parameters(), other.parameters(), strict=True):
        assert_close(parameter, expected)


@pytest.mark.parametrize("amsgrad", [False, True])
def test_its_steps_are_those_of_adam(amsgrad):
    model, other = two_models()
    groups = [[["bias"], {"lr": 0.1}]]
    options = {"amsgrad": amsgrad, "parameter_groups": groups}
    fused = optimizer_of("fused_adam", model, **options)
    assert all(group["fused"] for group in fused.param_groups)
    train(model, fused)
    train(other, optimizer_of("adam", other, **options))
    assert_equal_models(model, other)


def test_with_decoupled_decay_its_steps_are_those_of_adamw():
    model, other = two_models()
    train(model, optimizer_of("fused_adam", model, weight_decay=0.5, decoupled_weight_decay=True))
    train(other, optimizer_of("adamw", other, weight_decay=0.5))
    assert_equal_models(model, other)


@pytest.mark.parametrize("first, second", [("adam", "fused_adam"), ("fused_adam", "adam")])
def test_a_training_goes_on_with_the_other(first, second):
    model, other = two_models()
    before = optimizer_of(first, model)
    train(model, before)
    after = optimizer_of(second, model)
    after.load_state_dict(copy.deepcopy(before.state_dict()))
    train(model, after, seed=2)
    whole = optimizer_of("adam", other)
    train(other, whole)
    train(other, whole, seed=2)
    assert_equal_models(model, other)


def test_a_training_with_counts_of_steps_of_another_type_goes_on():
    model, other = (module.double() for module in two_models())
    before = optimizer_of("adam", model)
    train_double(model, before)
    state = copy.deepcopy(before.state_dict())
    for moments in state["state"].values():
        moments["step"] = moments["step"].double()  # by "adam" with a default dtype of double
    after = optimizer_of("fused_adam", model)
    after.load_state_dict(state)
    # The fused update wants them in this type, on the device of their parameter.
    assert {moments["step"].dtype for moments in after.state.values()} == {torch.float}
    train_double(model, after)
    whole = optimizer_of("adam", other)
    train_double(other, whole), train_double(other, whole)
    assert_equal_models(model, other)


def train_double(model, optimizer):
    optimizer.zero_grad()
    model(torch.ones(2, 4, dtype=torch.double)).pow(2).sum().backward()
    optimizer.step()


@pytest.mark.parametrize("scale", [1.0, float("inf")])
def test_a_step_that_mixed_precision_skips_does_not_shrink(scale):
    parameter = torch.nn.Parameter(torch.ones(3))
    optimizer = Optimizer.by_name("fused_adam")([("weight", parameter)], lr=0.0, shrinkage=0.25)
    scaler = torch.amp.GradScaler("cpu")
    scaler.scale((parameter * scale).sum()).backward()
    scaler.step(optimizer)
    assert_close(parameter.detach(), torch.full((3,), 0.75 if scale == 1 else 1.0))


@pytest.mark.parametrize("shrinkage", [1.0, -0.1])
def test_the_shrinkage_of_each_group_is_checked(shrinkage):
    message = "shrinkage must be in"
    model = torch.nn.Linear(4, 2)
    with pytest.raises(ConfigurationError, match=message):
        optimizer_of("fused_adam", model, shrinkage=shrinkage)
    with pytest.raises(ConfigurationError, match=message):
        groups = [[["bias"], {"shrinkage": shrinkage}]]
        optimizer_of("fused_adam", model, parameter_groups=groups)
    with pytest.raises(ConfigurationError, match=message):
        group = {"params": [torch.nn.Parameter(torch.ones(3))], "shrinkage": shrinkage}
        optimizer_of("fused_adam", model).add_param_group(group)


def test_parameters_that_cannot_be_fused_are_updated_all_the_same():
    model, _ = two_models()
    optimizer = optimizer_of("fused_adam", model.to("meta"))
    assert not any(group["fused"] for group in optimizer.param_groups)


def test_a_group_that_is_added_later_shrinks_as_the_others():
    model, late = torch.nn.Linear(4, 2), torch.nn.Parameter(torch.ones(3))
    # No learning rate, so that shrinking is all that a step does.
    optimizer = optimizer_of("fused_adam", model, lr=0.0, weight_decay=0.0, shrinkage=0.25)
    optimizer.add_param_group({"params": [late]})
    late.sum().backward()
    optimizer.step()
    assert_close(late.detach(), torch.full((3,), 0.75))
    other = torch.nn.Parameter(torch.ones(3))
    optimizer.add_param_group({"params": [other], "shrinkage": 0.5})
    other.sum().backward()
    optimizer.step()
    assert_close(other.detach(), torch.full((3,), 0.5))


def test_a_step_with_a_closure_is_the_step_after_it():
    model, other = two_models()
    first = optimizer_of("fused_adam", model, shrinkage=0.1)
    second = optimizer_of("fused_adam", other, shrinkage=0.1)
    inputs = torch.randn(5, 4)

    def loss_of(model, optimizer):
        optimizer.zero_grad()
        loss = model(inputs).pow(2).sum()
        loss.backward()
        return loss

    for _ in range(2):
        returned = first.step(lambda: loss_of(model, first))
        loss = loss_of(other, second)
        second.step()
        assert_close(returned, loss)
        assert_equal_models(model, other)
