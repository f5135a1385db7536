import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.ablation.plan.axes import (
    LONGEST_NAME,
    axes_of_file,
    axis_of_option,
    combinations,
    folder_name,
    read_axes,
    read_value,
    split_at_commas,
)


def names(*options):
    return [name for name, _ in combinations([axis_of_option(option) for option in options])]


def test_a_variant_is_called_by_its_value():
    option = 'a.estimator=pipeline,{"type":"spigot","step_size":0.5},{type:"x",p:{type:"y",q:1}}'
    assert names(option) == ["pipeline", "spigot,step_size=0.5", "x,p=y,q=1"]
    assert names("a.rate=0.1,true,[1]") == ["rate=0.1", "rate=true", "rate=[1]"]


def test_axes_are_multiplied():
    assert names("e=a,b", "k=3,10") == ["a+k=3", "a+k=10", "b+k=3", "b+k=10"]


def test_the_value_may_have_an_equals_sign():
    (choice,) = axis_of_option("path='size=3,seed=1'")
    assert choice.overrides == {"path": "size=3,seed=1"}


@pytest.mark.parametrize("text", ["model.x", "model.x=", "=a", "="])
def test_an_axis_without_path_or_value_is_refused(text):
    with pytest.raises(ConfigurationError, match="not of the form PATH=VALUE"):
        axis_of_option(text)


def test_variants_that_would_share_a_folder_are_refused():
    with pytest.raises(ConfigurationError, match="share the folder 'a'.*--variants"):
        names("e=a,a")
    with pytest.raises(ConfigurationError, match="share the folder 'a_b'"):
        names("e=a b,a/b")


def test_a_folder_has_no_letter_that_a_shell_or_a_file_system_minds():
    assert folder_name("spigot (η = 1/2)*") == "spigot_η_=_1_2"
    assert folder_name("../..") == "_"


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
    (axis,) = axes_of_file(str(file))
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
    assert [name for name, _ in combinations(axes_of_file(str(file)))] == (
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
        axes_of_file(str(tmp_path / "variants.jsonnet"))


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
