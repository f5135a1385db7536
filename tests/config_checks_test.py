import numpy
import pytest
import torch
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.config_checks import (
    check_choice,
    check_counts,
    check_interval,
    check_least,
    check_positive,
)

NAN = float("nan")


@pytest.mark.parametrize("interval, inside", [("[0, 1)", 0), ("(0, 1]", 1), ("[0, 1]", 1)])
def test_a_square_bracket_includes_its_bound(interval, inside):
    check_interval(interval, decay=inside, rate=0.5)


@pytest.mark.parametrize(
    "interval, outside", [("[0, 1)", 1), ("(0, 1]", 0), ("[0, 1]", 1.1), ("[0, 1]", NAN)]
)
def test_an_interval_names_the_key_that_is_outside(interval, outside):
    with pytest.raises(ConfigurationError) as info:
        check_interval(interval, rate=0.5, decay=outside)
    assert str(info.value) == f"decay must be in {interval} but is {outside}."


@pytest.mark.parametrize("value", [0, -1.5, NAN])
def test_zero_and_nan_are_not_positive(value):
    with pytest.raises(ConfigurationError, match=f"slope must be positive but is {value}."):
        check_positive(rate=1, limit=None, slope=value)


@pytest.mark.parametrize("value", [2.5, 2.0, True, float("inf")])
def test_what_is_no_whole_number_is_no_count(value):
    with pytest.raises(ConfigurationError, match=f"steps must be a whole number but is {value}."):
        check_counts(size=1, steps=value)


@pytest.mark.parametrize("value", [0, -2, NAN])
def test_a_count_is_positive(value):
    with pytest.raises(ConfigurationError, match=f"steps must be positive but is {value}."):
        check_counts(steps=value)


@pytest.mark.parametrize("value", [3, numpy.int64(3), torch.tensor(3)])
def test_whole_numbers_of_any_kind_are_counts(value):
    check_counts(steps=value)


@pytest.mark.parametrize("value", [0, NAN])
def test_a_number_below_the_least_is_named(value):
    with pytest.raises(ConfigurationError, match=f"steps must be at least 1 but is {value}."):
        check_least(1, size=1, limit=None, steps=value)


def test_an_option_that_is_no_choice_is_named_with_the_choices():
    check_choice("input", "json", ["json", "text"])
    with pytest.raises(ConfigurationError, match='input is "xml", but must be one of json, text'):
        check_choice("input", "xml", ["json", "text"])


@pytest.mark.parametrize("value", ["1", [1], {}])
def test_what_is_no_number_is_named(value):
    checks = (
        lambda: check_least(0, a=value),
        lambda: check_positive(a=value),
        lambda: check_counts(a=value),
        lambda: check_interval("[0, 1]", a=value),
    )
    for check in checks:
        with pytest.raises(ConfigurationError, match="a must be a number but is"):
            check()
