import json

import pytest
from allennlp.common import Params

import spigot_allennlp
from spigot_allennlp.config_variables import DEFAULTS, supply_defaults


@pytest.fixture
def config(tmp_path):
    """A config that asks for every variable that has a default."""
    file = tmp_path / "config.jsonnet"
    rows = [f"{json.dumps(name)}: std.extVar({json.dumps(name)})" for name in DEFAULTS]
    file.write_text("{" + ", ".join(rows) + "}")
    return str(file)


@pytest.fixture(autouse=True)
def no_variable_is_set(monkeypatch):
    for name in DEFAULTS:
        monkeypatch.delenv(name, raising=False)


def test_a_variable_that_is_not_set_has_its_default(config):
    assert Params.from_file(config).as_dict() == DEFAULTS


def test_the_environment_wins(config, monkeypatch):
    monkeypatch.setenv("SPIGOT_SDP_TRAIN", "train.sdp")
    assert Params.from_file(config)["SPIGOT_SDP_TRAIN"] == "train.sdp"


def test_what_the_caller_passes_wins_over_the_environment(config, monkeypatch):
    monkeypatch.setenv("SPIGOT_SDP_TRAIN", "train.sdp")
    params = Params.from_file(config, ext_vars={"SPIGOT_SDP_TRAIN": "other.sdp"})
    assert params["SPIGOT_SDP_TRAIN"] == "other.sdp"


def test_other_variables_are_still_asked_for(tmp_path):
    (tmp_path / "config.jsonnet").write_text("{a: std.extVar('NOBODY_SETS_THIS')}")
    with pytest.raises(RuntimeError, match="NOBODY_SETS_THIS"):
        Params.from_file(str(tmp_path / "config.jsonnet"))


def test_supplying_twice_changes_nothing(config):
    supply_defaults()
    assert Params.from_file(config).as_dict() == DEFAULTS
    assert spigot_allennlp.config_variables.params._environment_variables.__wrapped__
