import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.ablation.option_value import read_value, split_at_commas


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
