import json

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.ablation.plan.make_plan import (
    LONGEST_NAME,
    Choice,
    combine,
    make_plan,
    make_resumable,
    make_variant,
    read_axes,
    read_value,
    read_variants_file,
    read_vary_option,
    split_at_commas,
)
from spigot_allennlp.ablation.plan.plan import folder_name
from tests.ablation.tiny_experiment import planned, write_experiment


@pytest.fixture
def folder(tmp_path):
    write_experiment(tmp_path)
    return tmp_path


def test_runs_go_seed_by_seed_so_that_each_variant_is_tried_early(folder):
    plan = planned(folder, "trainer.optimizer.lr=0.1,0.2", seeds=(5, 3))
    assert plan.run_ids == [("lr=0.1", 5), ("lr=0.2", 5), ("lr=0.1", 3), ("lr=0.2", 3)]
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
        ({"seeds": (1, -1)}, "--seeds 1 -1: a seed is a number from 0 to 4294967295"),
        ({"seeds": (2**32,)}, "--seeds 4294967296: a seed is a number from 0 to"),
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
    plan = make_plan(str(folder / "base.json"), [[other, Choice("base")]], [1])
    assert plan.variants["own"].config["model"] == {"type": "other", "x": 1}
    assert plan.variants["own"].changes == {"config": other.config, "model.x": 1}
    with pytest.raises(ConfigurationError, match="two base configs"):
        make_variant("both", [other, other], "base.json", read_base=None)


@pytest.mark.parametrize("callbacks", [None, [], ["resumable"], [{"type": "resumable"}], ["x"]])
def test_every_config_becomes_resumable_once(callbacks):
    config = {"trainer": {"callbacks": callbacks}}
    resumable = make_resumable(config)["trainer"]["callbacks"]
    kinds = ("resumable", {"type": "resumable"})
    assert [callback for callback in resumable if callback in kinds] == resumable[-1:]
    assert config == {"trainer": {"callbacks": callbacks}}


def test_a_trainer_that_is_not_allennlps_is_left_alone():
    assert make_resumable({"trainer": {"type": "mine"}}) == {"trainer": {"type": "mine"}}


@pytest.mark.parametrize("path", ["trainer", "model", "dataset_reader"])
def test_a_part_that_is_replaced_by_a_name_is_left_to_the_run_to_refuse(folder, path):
    plan = make_plan(str(folder / "base.json"), [read_vary_option(f"{path}=foo")], [1])
    assert list(plan.variants) == ["foo"]


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


def names(*options):
    return [name for name, _ in combine([read_vary_option(option) for option in options])]


def test_a_variant_is_called_by_its_value():
    option = 'a.estimator=pipeline,{"type":"spigot","step_size":0.5},{type:"x",p:{type:"y",q:1}}'
    assert names(option) == ["pipeline", "spigot,step_size=0.5", "x,p=y,q=1"]
    assert names("a.rate=0.1,true,[1]") == ["rate=0.1", "rate=true", "rate=[1]"]


def test_axes_are_multiplied():
    assert names("e=a,b", "k=3,10") == ["a+k=3", "a+k=10", "b+k=3", "b+k=10"]


def test_the_value_may_have_an_equals_sign():
    (choice,) = read_vary_option("path='size=3,seed=1'")
    assert choice.overrides == {"path": "size=3,seed=1"}


@pytest.mark.parametrize("text", ["model.x", "model.x=", "=a", "="])
def test_an_axis_without_path_or_value_is_refused(text):
    with pytest.raises(ConfigurationError, match="not of the form PATH=VALUE"):
        read_vary_option(text)


def test_variants_that_would_share_a_folder_are_refused():
    with pytest.raises(ConfigurationError, match="share the folder 'a'.*--variants"):
        names("e=a,a")
    with pytest.raises(ConfigurationError, match="share the folder 'a_b'"):
        names("e=a b,a/b")


def test_a_folder_has_no_letter_that_a_shell_or_a_file_system_minds():
    assert folder_name("spigot (η = 1/2)*") == "spigot_η_=_1_2"
    assert folder_name("../..") == "_"


@pytest.mark.parametrize("name", ["plan.json", "report.MD", "scores.png"])
def test_a_folder_is_no_file_of_the_ablation(name):
    assert folder_name(name) == f"{name}_"
    assert folder_name(f"n={name}") == f"n={name}"


def test_a_long_name_is_cut_and_stays_unique():
    long = "x" * (2 * LONGEST_NAME)
    first, second = names(f"e={long}1,{long}2")
    assert first != second and first.startswith("xxx") and len(first) < LONGEST_NAME + 12


def test_a_file_maps_names_to_overrides_or_to_another_base_config(tmp_path):
    file = tmp_path / "variants.jsonnet"
    file.write_text(
        "{ plain: {}, 'a b': {'model.x': 1 + 1}, own: {config: 'other.json'},"
        " both: {config: '/x/y.json', overrides: {z: 1}} }"
    )
    (axis,) = read_variants_file(str(file))
    assert [choice.name for choice in axis] == ["both", "own", "plain", "a b"] or (
        {choice.name for choice in axis} == {"plain", "a b", "own", "both"}
    )
    choices = {choice.name: (choice.overrides, choice.config) for choice in axis}
    assert choices["plain"] == ({}, None)
    assert choices["a b"] == ({"model.x": 2}, None)
    assert choices["own"] == ({}, str(tmp_path / "other.json"))
    assert choices["both"] == ({"z": 1}, "/x/y.json")


def test_a_file_may_hold_several_axes(tmp_path):
    file = tmp_path / "variants.jsonnet"
    file.write_text("[{a: {x: 1}, b: {x: 2}}, {c: {y: 1}, d: {y: 2}}]")
    assert [name for name, _ in combine(read_variants_file(str(file)))] == (
        ["a+c", "a+d", "b+c", "b+d"]
    )


@pytest.mark.parametrize(
    "text, message",
    [
        ("[]", "expected a map"),
        ("3", "expected a map.*found int"),
        ("{}", "expected a map"),
        ("{a: 3}", "variants.jsonnet: a should be a map of overrides, but is 3"),
        ("{", "cannot be read"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path, text, message):
    (tmp_path / "variants.jsonnet").write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        read_variants_file(str(tmp_path / "variants.jsonnet"))


def test_nothing_to_vary_is_refused():
    with pytest.raises(ConfigurationError, match="Nothing is varied. Add --vary PATH=VALUE"):
        read_axes([], None)


@pytest.mark.parametrize(
    "text, parts",
    [
        ("pipeline", ["pipeline"]),
        ("a, b ,c", ["a", "b", "c"]),
        ('{"a": 1, "b": [2, 3]},c', ['{"a": 1, "b": [2, 3]}', "c"]),
        ("'a,b','c=d'", ["'a,b'", "'c=d'"]),
        (r'"a\",b",c', [r'"a\",b"', "c"]),
        ("it(1, 2),3", ["it(1, 2)", "3"]),
    ],
)
def test_only_commas_outside_brackets_and_quotes_separate_values(text, parts):
    assert split_at_commas(text, "--vary x") == parts


@pytest.mark.parametrize("text", ["a,,b", "a,", '{"a": 1', "'a", "a}", ""])
def test_an_empty_value_and_an_open_bracket_are_refused_by_the_name_of_the_option(text):
    with pytest.raises(ConfigurationError, match="--vary x: .*one comma"):
        split_at_commas(text, "--vary x")


@pytest.mark.parametrize(
    "text, value",
    [
        ("pipeline", "pipeline"),
        ("0.5", 0.5),
        ("1e-3", 0.001),
        ("true", True),
        ("null", None),
        ('{"type": "spigot"}', {"type": "spigot"}),
        ("{type: 'spigot', step_size: 1 / 4}", {"type": "spigot", "step_size": 0.25}),
        ("'a=b,c'", "a=b,c"),
        ("[1, 2]", [1, 2]),
        ("data/a.txt", "data/a.txt"),
    ],
)
def test_a_value_is_json_jsonnet_or_a_name(text, value):
    assert read_value(text, "--vary x") == value


def test_wrong_jsonnet_is_refused_by_the_name_of_the_option():
    with pytest.raises(ConfigurationError, match="--vary x: {type: } is neither JSON nor Jsonnet"):
        read_value("{type: }", "--vary x")


@pytest.mark.parametrize(
    "vary, options, path",
    [
        (["random_seed=7,8"], {}, "random_seed"),
        (["model.dropout=0,0.5"], {"seed_paths": ["model.dropout"]}, "model.dropout"),
        (["model.dropout=0,0.5", "model.dropout=0.1,0.2"], {}, "model.dropout"),
        (["trainer.optimizer.lr=1,2", 'trainer.optimizer="adam","sgd"'], {}, "lr"),
    ],
)
def test_a_difference_that_something_overwrites_is_refused(folder, vary, options, path):
    with pytest.raises(ConfigurationError, match=f"--vary .*{path} is overwritten by .* the same"):
        planned(folder, *vary, **options)


def test_two_names_of_one_config_are_warned_of(folder, tmp_path, caplog):
    (tmp_path / "v.jsonnet").write_text("{ base: {}, dropout: { 'model.dropout': 0.2 } }")
    axes = read_axes([], str(tmp_path / "v.jsonnet"))
    make_plan(str(folder / "base.json"), axes, (1, 2))
    assert "The variants 'base' and 'dropout' have the same config." in caplog.text
