import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.data.dataset_readers.adding import AddingReader


def test_the_value_is_the_sum_of_the_marked_numbers():
    instance = AddingReader().text_to_instance([0.5, 0.25, 0.75, 1.0], marked=(1, 2))
    assert instance["inputs"].tensor.tolist() == [[0.5, 0], [0.25, 1], [0.75, 1], [1, 0]]
    assert instance["value"].tensor.item() == 1


def test_without_marks_there_is_no_sum():
    instance = AddingReader().text_to_instance([0.5, 0.25])
    assert instance["inputs"].tensor.tolist() == [[0.5, 0], [0.25, 0]]
    assert "value" not in instance.fields


@pytest.mark.parametrize(
    "numbers",
    [[], 3, "abc", ["0.5", 0.2], [[1, 2], [3, 4]], [[1], [2, 3]], [1, float("nan")], [1e300], None],
)
def test_what_is_no_list_of_finite_numbers_is_refused(numbers):
    with pytest.raises(ConfigurationError, match="numbers is .* finite numbers"):
        AddingReader().text_to_instance(numbers)


@pytest.mark.parametrize("marked", [[2], [-1], [0.5], [True], 1, "0", [[0]]])
def test_a_mark_that_is_not_on_a_number_is_refused(marked):
    with pytest.raises(ConfigurationError, match="marked is .* from 0 to 1"):
        AddingReader().text_to_instance([0.5, 0.25], marked=marked)


def test_one_number_is_marked_in_either_half():
    for instance in AddingReader(length=7).read("synthetic:size=40,seed=1"):
        numbers, marks = instance["inputs"].tensor.t()
        assert marks[:3].sum() == 1 and marks[3:].sum() == 1
        assert 0 <= numbers.min() and numbers.max() < 1
        assert instance["value"].tensor == (numbers * marks).sum()


def test_the_path_overrules_the_length():
    (instance,) = AddingReader(length=7).read("synthetic:size=1,seed=1,length=12")
    assert instance["inputs"].tensor.shape == (12, 2)


def test_a_length_without_two_halves_is_refused():
    with pytest.raises(ConfigurationError, match="length must be at least 2 but is 1"):
        AddingReader(length=1)
