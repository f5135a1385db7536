import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.ablation.overrides import overridden

CONFIG = {"model": {"argmax": {"estimator": {"type": "a", "step": 1}}}, "steps": [{"n": 1}], "k": 3}


def test_a_path_is_replaced_whole_and_the_config_is_left_alone():
    changed = overridden(CONFIG, {"model.argmax.estimator": "b", "steps.0.n": 2}, "-o")
    assert changed["model"]["argmax"] == {"estimator": "b"}
    assert changed["steps"] == [{"n": 2}]
    assert CONFIG["model"]["argmax"]["estimator"] == {"type": "a", "step": 1}


def test_the_last_part_may_be_new():
    assert overridden(CONFIG, {"model.argmax.more": 1}, "-o")["model"]["argmax"]["more"] == 1


@pytest.mark.parametrize(
    "path, message",
    [
        ("modle.x", "--vary p: there is no 'modle' in the config, which has model, steps, k. "
         "Did you mean 'model'"),
        ("model.argmx.x", "no 'argmx' in model, which has argmax. Did you mean 'argmax'"),
        ("k.x", "k.x goes into 'k', which is 3"),
        ("steps.7.n", "no '7' in steps, which has 0"),
    ],
)  # fmt: skip
def test_an_unknown_path_is_refused_with_what_there_is(path, message):
    with pytest.raises(ConfigurationError, match=message):
        overridden(CONFIG, {path: 1}, "--vary p")
