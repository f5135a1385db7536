import json

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.ablation.plan.axes import Choice
from spigot_allennlp.ablation.plan.design import design, made_resumable, make_variant
from tests.ablation.tiny_experiment import planned, write_experiment


@pytest.fixture
def folder(tmp_path):
    write_experiment(tmp_path)
    return tmp_path


def test_runs_go_seed_by_seed_so_that_each_variant_is_tried_early(folder):
    plan = planned(folder, "trainer.optimizer.lr=0.1,0.2", seeds=(5, 3))
    assert plan.runs == [("lr=0.1", 5), ("lr=0.2", 5), ("lr=0.1", 3), ("lr=0.2", 3)]
    assert plan.variants["lr=0.2"].config["trainer"]["optimizer"]["lr"] == 0.2
    assert plan.variants["lr=0.2"].changes == {"trainer.optimizer.lr": 0.2}


def test_what_is_not_said_is_the_first_variant_and_the_validation_metric(folder):
    plan = planned(folder)
    assert (plan.baseline, plan.metrics) == ("lr=0.1", ["accuracy"])


def test_overrides_of_the_base_come_before_those_of_a_variant(folder):
    plan = planned(
        folder, overrides='{"trainer.optimizer": {"type": "sgd", "lr": 9, "momentum": 0}}'
    )
    optimizer = plan.variants["lr=0.01"].config["trainer"]["optimizer"]
    assert optimizer == {"type": "sgd", "lr": 0.01, "momentum": 0}


def test_a_seed_path_that_leads_nowhere_is_refused_before_anything_is_trained(folder):
    with pytest.raises(ConfigurationError, match="--seed-paths: there is no 'data' in the config"):
        planned(folder, seed_paths=["data.seed"])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"baseline": "x"}, "--baseline x: there is no such variant; there are lr=0.1, lr=0.01"),
        ({"seeds": (1, 1)}, "--seeds 1 1: a seed is named twice"),
        ({"overrides": '{"trainr.x": 1}'}, "--overrides: there is no 'trainr'"),
        ({"overrides": "{x"}, "--overrides is no Jsonnet"),
    ],
)
def test_a_wrong_option_is_named(folder, options, message):
    with pytest.raises(ConfigurationError, match=message):
        planned(folder, **options)


@pytest.mark.parametrize("text", [None, "{ a: "])
def test_a_config_that_cannot_be_read_is_named(tmp_path, text):
    if text:
        (tmp_path / "base.json").write_text(text)
    with pytest.raises(ConfigurationError, match="The config .*base.json cannot be read: "):
        planned(tmp_path)


def test_a_variant_may_bring_another_base_config(folder):
    (folder / "other.json").write_text(json.dumps({"model": {"type": "other"}}))
    other = Choice("own", {"model.x": 1}, "", str(folder / "other.json"))
    plan = design(str(folder / "base.json"), [[other, Choice("base")]], [1])
    assert plan.variants["own"].config["model"] == {"type": "other", "x": 1}
    assert plan.variants["own"].changes == {"config": other.config, "model.x": 1}
    with pytest.raises(ConfigurationError, match="two base configs"):
        make_variant("both", [other, other], "base.json", read_base=None)


@pytest.mark.parametrize("callbacks", [None, [], ["resumable"], [{"type": "resumable"}], ["x"]])
def test_every_config_becomes_resumable_once(callbacks):
    config = {"trainer": {"callbacks": callbacks}}
    resumable = made_resumable(config)["trainer"]["callbacks"]
    kinds = ("resumable", {"type": "resumable"})
    assert [callback for callback in resumable if callback in kinds] == resumable[-1:]
    assert config == {"trainer": {"callbacks": callbacks}}


def test_a_trainer_that_is_not_allennlps_is_left_alone():
    assert made_resumable({"trainer": {"type": "mine"}}) == {"trainer": {"type": "mine"}}


def test_each_config_is_evaluated_once_and_no_variant_changes_that_of_another(folder, monkeypatch):
    files, from_file = [], Params.from_file
    monkeypatch.setattr(Params, "from_file", lambda file: files.append(file) or from_file(file))
    plan = planned(folder, "trainer.optimizer={a: 1},{b: 2}", 'model.dropout=0.1,0.2,"x"')
    assert files == [str(folder / "base.json")]
    variant = plan.variants['optimizer={"b": 2}+dropout=0.2']
    assert variant.config["trainer"]["optimizer"] == {"b": 2}
    assert [made.config["model"]["dropout"] for made in plan.variants.values()] == [
        *(0.1, 0.2, "x"),
        *(0.1, 0.2, "x"),
    ]
